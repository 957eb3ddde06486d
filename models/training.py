"""Train a family: live progress, a saved curve, the same weights for the same seed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reflexarc.core import atomic_write
from reflexarc.models.family import Dataset, Family, Split

History = dict[str, list[float]]

# Clutter is drawn once, this much of it, and varied anew in every batch.
_CLUTTER_POOL = 12_000
_CLUTTER_SHARE = 0.25  # of the real pictures in a batch


def train(
    family: Family,
    data: Dataset,
    *,
    seed: int = 0,
    epochs: int | None = None,
    console: Console | None = None,
) -> tuple[keras.Model, History]:
    """Fit a fresh model of `family` on ``data.train``.

    With the same seed, data and versions the weights are equal bit for bit.

    Returns:
        The model, and per epoch: loss, accuracy, val_loss, val_accuracy.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    epochs = epochs or family.epochs
    batches = _Batches(family, data.train, seed)
    model = family.build()
    schedule = keras.optimizers.schedules.CosineDecay(
        family.learning_rate, decay_steps=epochs * len(batches), alpha=0.01
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    with _progress(console) as progress:
        fitted = model.fit(
            batches,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            validation_data=(
                real_values(family, data.validation.images),
                one_hot(family, data.validation),
            ),
            validation_batch_size=512,
            callbacks=[_Live(progress, family.name, epochs, len(batches))],
        )
    history = {name: [float(v) for v in values] for name, values in fitted.history.items()}
    # Without the optimizer's moments the saved file is a third of the size.
    trained = family.build()
    trained.set_weights(model.get_weights())
    return trained, history


def save(model: keras.Model, history: History, folder: Path) -> Path:
    """Write ``model.keras``, ``history.json`` and ``curve.png``; give the model's path."""
    from reflexarc.models.plots import training_curve

    path = folder / "model.keras"
    with atomic_write(folder / "history.json") as temporary:
        temporary.write_text(json.dumps(history, indent=1), encoding="utf-8")
    with atomic_write(folder / "curve.png") as temporary:
        temporary.write_bytes(training_curve(history))
    # Keras insists on the ending; the model comes last, so it never lacks its history.
    with atomic_write(path) as temporary:
        whole = temporary.with_suffix(".keras")
        try:
            model.save(whole)
            whole.replace(temporary)
        finally:
            whole.unlink(missing_ok=True)
    return path


def real_values(family: Family, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(byte - mean) / std, the one normalisation that training and device share."""
    values: npt.NDArray[np.float32] = (
        images.astype(np.float32) - np.float32(family.input.mean)
    ) / np.float32(family.input.std)
    return values


def one_hot(family: Family, split: Split) -> npt.NDArray[np.float32]:
    """Labels as (n, classes)."""
    return np.eye(len(family.labels), dtype=np.float32)[split.labels]


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled, augmented batches; epoch and batch alone decide what is drawn."""

    def __init__(self, family: Family, split: Split, seed: int) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._family, self._split, self._seed = family, split, seed
        self._targets = one_hot(family, split)
        self._clutter = None
        if family.clutter:
            spare = split.images[: min(len(split), _CLUTTER_POOL)]
            self._clutter = family.clutter(spare, np.random.default_rng(seed))
        self._epoch = 0
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng((self._seed, self._epoch))
        self._order = rng.permutation(len(self._split))

    def __len__(self) -> int:
        return math.ceil(len(self._split) / self._family.batch_size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        size = self._family.batch_size
        rng = np.random.default_rng((self._seed, self._epoch, index))
        chosen = self._order[index * size : (index + 1) * size]
        images = self._split.images[chosen]
        targets = self._targets[chosen]
        if self._clutter is not None:
            extra = rng.integers(len(self._clutter), size=round(len(images) * _CLUTTER_SHARE))
            images = np.concatenate([images, self._clutter[extra]])
            even = np.full((len(extra), targets.shape[1]), 1 / targets.shape[1], np.float32)
            targets = np.concatenate([targets, even])
        images = self._family.augment(images, rng)
        return real_values(self._family, images), targets

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()


class _Live(keras.callbacks.Callback):  # type: ignore[misc]
    """Draws the fit on a rich progress bar."""

    def __init__(self, progress: Progress, name: str, epochs: int, steps: int) -> None:
        super().__init__()
        self._progress, self._epochs = progress, epochs
        self._bar = progress.add_task(
            f"train {name}", total=epochs * steps, score=f"epoch 1/{epochs}"
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._progress.advance(self._bar)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        score = (
            f"epoch {epoch + 1}/{self._epochs} loss {logs.get('loss', math.nan):.3f} "
            f"validation {100 * logs.get('val_accuracy', math.nan):.2f} %"
        )
        self._progress.update(self._bar, score=score)
        if not self._progress.console.is_terminal:  # a log has no live bar
            self._progress.console.print(score)


def _progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[score]}"),
        console=console or Console(stderr=True),
    )
