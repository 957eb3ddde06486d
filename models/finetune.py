"""Fit a head and the top blocks of a pre-trained net to photos, in two phases.

A head on the frozen net's features first, which takes seconds because they are
computed once; then the top blocks too, at a low rate and with every BatchNorm
frozen (Chollet, "Deep Learning with Python", 8.3). On data/clothing10 the second
phase brings validation accuracy from 88.9 to 92.7 %.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers
from rich.console import Console

from reflexarc.models import training
from reflexarc.models.backbone import Backbone
from reflexarc.models.family import Dataset, Images, Options, Recipe, Split, Trained
from reflexarc.models.features import BATCH, Features, features, release
from reflexarc.perception.card import InputSpec


@dataclass(frozen=True)
class Plan:
    """How a head and the top blocks are fitted.

    Attributes:
        name: of the Keras model.
        augment: photos (n, h, w, 3) -> photos; leaves the class as it is.
        copies: varied copies of each photo that the frozen phase also sees.
        unfreeze: name of the first layer that the second phase trains.
        head_rate, rate: learning rates of the phases; cosine decay to a hundredth.
        head_epochs, epochs: upper limits; the best epoch on validation is kept.
        patience: epochs without a lower validation loss before a phase ends.
        dropout, smoothing, decay: of the head; of the labels; of the weights (AdamW).
    """

    name: str
    augment: Callable[[Images, np.random.Generator], Images]
    copies: int = 0
    unfreeze: str = "block_6_expand"
    head_rate: float = 1e-3
    rate: float = 1e-4
    head_epochs: int = 60
    epochs: int = 8
    patience: int = 5
    dropout: float = 0.3
    smoothing: float = 0.1
    decay: float = 1e-4


def two_phase(
    plan: Plan, backbone: Backbone, spec: InputSpec, data: Dataset, options: Options
) -> Trained:
    """Give a classifier of `data` on `backbone`; which phase was better, validation says.

    Returns:
        The model ends in a softmax called "score". The history is the second phase's.
        Notes: validation accuracy and seconds of the first phase, seconds of the
        second, and the share of these that making batches took (in a thread beside it).
    """
    console = options.console or Console(stderr=True)
    start = time.perf_counter()
    model = classifier(plan, backbone, len(data.labels))
    weights = class_weights(data.train.labels, len(data.labels))
    first = _fit_head(plan, model, backbone, spec, data, options, weights)
    seconds = time.perf_counter() - start
    console.print(f"{plan.name}: backbone with weights of {backbone.source}")
    console.print(
        f"{plan.name}: frozen head after {seconds:.0f} s: "
        f"validation accuracy {100 * first['val_accuracy']:.2f} %"
    )
    frozen = model.get_weights()
    start = time.perf_counter()
    history, share = _fit_top(plan, model, spec, data, options, weights)
    best = int(np.argmin(history["val_loss"]))
    kept = history["val_accuracy"][best]
    if history["val_loss"][best] > first["val_loss"]:
        kept = first["val_accuracy"]
        console.print(f"{plan.name}: the frozen head was better on validation; it is kept")
        model.set_weights(frozen)
    # Without the optimizer's moments the saved file is a third of the size.
    trained = keras.models.clone_model(model)
    trained.set_weights(model.get_weights())
    notes = {
        "val_accuracy": kept,
        "frozen_val_accuracy": first["val_accuracy"],
        "frozen_seconds": seconds,
        "finetune_seconds": time.perf_counter() - start,
        "pipeline_share": share,
    }
    return Trained(trained, history, notes=notes, tools={"backbone": backbone.source})


def classifier(plan: Plan, backbone: Backbone, classes: int) -> keras.Model:
    """A pooled, linear head with softmax on the backbone, as one flat graph."""
    x = layers.GlobalAveragePooling2D(name="pool")(backbone.model.output)
    x = layers.Dropout(plan.dropout, name="dropout")(x)
    x = layers.Dense(classes, activation="softmax", name="score")(x)
    return keras.Model(backbone.model.input, x, name=plan.name)


def class_weights(labels: npt.NDArray[np.int64], classes: int) -> dict[int, float]:
    """Weights that make every class count the same (King and Zeng 2001)."""
    counts = np.bincount(labels, minlength=classes)
    return {i: len(labels) / (classes * max(1, int(n))) for i, n in enumerate(counts)}


def _compile(model: keras.Model, plan: Plan, rate: float, steps: int) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(rate, decay_steps=steps, alpha=0.01)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=plan.decay),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=plan.smoothing),
        metrics=["accuracy"],
    )


def _fit_head(
    plan: Plan,
    model: keras.Model,
    backbone: Backbone,
    spec: InputSpec,
    data: Dataset,
    options: Options,
    weights: dict[int, float],
) -> dict[str, float]:
    """Fit the last layer of `model` on features; give the best epoch's figures."""
    classes = len(data.labels)
    with training.progress_bar(options.console) as progress:
        rounds = 1 + plan.copies
        total = rounds * len(data.train) + len(data.validation)
        bar = progress.add_task(f"features {plan.name}", total=total, score="")

        def given(split: Split, seed: tuple[int, int] | None = None) -> Features:
            vary = (plan.augment, seed) if seed else None
            return features(backbone, spec, split, vary, lambda n: progress.advance(bar, n))

        train = [given(data.train)]
        train += [given(data.train, (options.seed, i)) for i in range(1, rounds)]
        validation = given(data.validation)
    x, y = np.concatenate(train), np.tile(data.train.labels, rounds)
    inputs = keras.Input(x.shape[1:])
    outputs = layers.Dropout(plan.dropout)(inputs)
    outputs = layers.Dense(classes, activation="softmax")(outputs)
    head = keras.Model(inputs, outputs)
    _compile(head, plan, plan.head_rate, plan.head_epochs * math.ceil(len(x) / 64))
    fitted = head.fit(
        x,
        training.one_hot(y, classes),
        batch_size=64,
        epochs=plan.head_epochs,
        class_weight=weights,
        validation_data=(validation, training.one_hot(data.validation.labels, classes)),
        callbacks=[_early_stopping(plan)],
        verbose=0,
    ).history
    model.get_layer("score").set_weights(head.layers[-1].get_weights())
    best = int(np.argmin(fitted["val_loss"]))
    return {name: float(values[best]) for name, values in fitted.items()}


def _fit_top(
    plan: Plan,
    model: keras.Model,
    spec: InputSpec,
    data: Dataset,
    options: Options,
    weights: dict[int, float],
) -> tuple[dict[str, list[float]], float]:
    classes, epochs = len(data.labels), options.epochs or plan.epochs
    unfreeze(model, plan.unfreeze)
    recipe = Recipe(lambda: model, plan.augment, epochs, BATCH, plan.rate)
    batches = PhotoBatches(data.train, classes, spec, recipe, seed=options.seed)
    as_it_is = replace(recipe, augment=lambda images, rng: images)
    validation = PhotoBatches(data.validation, classes, spec, as_it_is, seed=options.seed)
    _compile(model, plan, plan.rate, epochs * len(batches))
    start = time.perf_counter()
    with training.progress_bar(options.console) as progress:
        live = training.Live(progress, f"train {plan.name}", epochs, len(batches))
        fitted = model.fit(
            batches,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            class_weight=weights,
            validation_data=validation,
            callbacks=[live, _early_stopping(plan)],
        )
    share = (batches.seconds + validation.seconds) / (time.perf_counter() - start)
    return {name: [float(v) for v in values] for name, values in fitted.history.items()}, share


def _early_stopping(plan: Plan) -> keras.callbacks.Callback:
    return keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=plan.patience, restore_best_weights=True
    )


def unfreeze(model: keras.Model, first: str) -> None:
    """Train the layers from `first` on, but no BatchNorm: small batches would spoil it."""
    names = [layer.name for layer in model.layers]
    start = names.index(first)
    for i, layer in enumerate(model.layers):
        layer.trainable = i >= start and not isinstance(layer, layers.BatchNormalization)


class PhotoBatches(training.Batches):
    """Batches whose pages of the photo file do not stay in this process's memory."""

    def __getitem__(self, index: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:  # noqa: D105
        batch = super().__getitem__(index)
        release(self._split.inputs)
        return batch
