"""Train a family: live progress, a saved curve, the same weights for the same seed."""

from __future__ import annotations

import hashlib
import json
import math
import time
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Family, Options, Recipe, Split, Trained
from reflexarc.perception.card import Card, InputSpec, SequenceSpec
from reflexarc.perception.modelfile import CARD_NAME

# Clutter is drawn once, this much of it, and varied anew in every batch.
_CLUTTER_POOL = 12_000
_CLUTTER_SHARE = 0.25  # of the real pictures in a batch


def train(family: Family, data: Dataset, options: Options | None = None) -> Trained:
    """Give a model of `family`: the same seed, data and versions give equal weights."""
    options = options or Options()
    keras.utils.set_random_seed(options.seed)
    tf.config.experimental.enable_op_determinism()
    return family.train(data, options)


def import_ready(family: Family) -> Trained:
    """The family's model with packaged weights, as if trained.

    Raises:
        ReflexarcError: there are none, or they cannot be fetched.
    """
    if family.ready is None:
        raise ReflexarcError(
            expected=f"packaged weights for {family.name}",
            found="none",
            remedy=f"train it: reflexarc train {family.name} --data FOLDER",
        )
    return Trained(family.ready(), {})


def train_once(
    family: Family, data: Dataset, options: Options, folder: Path, *, ready: bool = False
) -> tuple[Path, bool]:
    """Train into `folder`, or reuse what an earlier run left there by the same recipe.

    With `ready` the packaged weights are imported instead. The recipe is everything
    that decides the weights: family and the code that trains it, data, seed, epochs,
    library versions.

    Returns:
        The path of ``model.keras``, and whether it was there already.
    """
    path, recipe_path = folder / "model.keras", folder / "recipe.json"
    card = card_of(family, data, ready=ready)
    recipe = {
        "family": family.name,
        "code": _code(),
        "data": card.data.model_dump(mode="json"),
        "labels": list(card.labels),
        "seed": options.seed,
        "epochs": options.epochs,
        "ready": ready,
        "tools": card.tools,
    }
    try:
        if path.is_file() and json.loads(recipe_path.read_text(encoding="utf-8")) == recipe:
            return path, True
    except (OSError, ValueError):
        pass  # an interrupted or foreign folder: train
    recipe_path.unlink(missing_ok=True)
    trained = import_ready(family) if ready else train(family, data, options)
    save(trained, card, folder)
    # Last: only a whole model has a recipe.
    with atomic_write(recipe_path) as temporary:
        temporary.write_text(json.dumps(recipe, indent=1), encoding="utf-8")
    return path, False


def _code() -> str:
    """A hash of all code that can decide what a model learns: any of it may have changed."""
    digest = hashlib.sha256()
    for package in ("reflexarc.models", "reflexarc.perception"):
        # Rooms are packages of a namespace; each lies in one folder.
        for path in sorted(Path(str(files(package))).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def fit(recipe: Recipe, spec: InputSpec | SequenceSpec, data: Dataset, options: Options) -> Trained:
    """Fit a fresh model by `recipe` on ``data.train``; what `Family.train` may call."""
    epochs = options.epochs or recipe.epochs
    batches = Batches(data.train, len(data.labels), spec, recipe, seed=options.seed)
    model = recipe.build()
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, decay_steps=epochs * len(batches), alpha=0.01
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    with progress_bar(options.console) as progress:
        fitted = model.fit(
            batches,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            validation_data=(
                real_values(spec, data.validation.inputs),
                one_hot(data.validation.labels, len(data.labels)),
            ),
            validation_batch_size=512,
            callbacks=[Live(progress, f"train {model.name}", epochs, len(batches))],
        )
    history = {name: [float(v) for v in values] for name, values in fitted.history.items()}
    # Without the optimizer's moments the saved file is a third of the size.
    trained = recipe.build()
    trained.set_weights(model.get_weights())
    return Trained(trained, history)


def save(trained: Trained, card: Card, folder: Path) -> Path:
    """Write ``model.keras`` with its card, ``history.json``, notes, curve and pictures.

    Returns:
        The model's path. ``model.keras`` is a zip, as Keras writes it, with
        ``card.json`` added: it says what the file is to every other verb.
    """
    from reflexarc.models.plots import training_curve

    path = folder / "model.keras"
    card = card.model_copy(update={"tools": {**card.tools, **trained.tools}})
    for name, values in (("history.json", trained.history), ("notes.json", dict(trained.notes))):
        if values:
            with atomic_write(folder / name) as temporary:
                temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
    pictures = dict(trained.pictures)
    if trained.history:
        pictures["curve.png"] = training_curve(trained.history)
    for name, png in pictures.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_bytes(png)
    # The model comes last, so it never lacks its history.
    with atomic_write(path) as temporary:
        trained.model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(CARD_NAME, card.model_dump_json(indent=1) + "\n")
    return path


def real_values(
    spec: InputSpec | SequenceSpec, inputs: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """What the net computes with: (byte - mean) / std for pictures, series as they are.

    The one normalisation that training and device share.
    """
    values: npt.NDArray[np.float32] = inputs.astype(np.float32)
    if isinstance(spec, InputSpec):
        values -= np.float32(spec.mean)
        values /= np.float32(spec.std)
    return values


def one_hot(labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float32]:
    """Labels (n,) as (n, classes)."""
    return np.eye(classes, dtype=np.float32)[labels]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled, augmented batches; epoch and batch alone decide what is drawn.

    Attributes:
        seconds: time spent in making batches so far, for the pipeline's share.
    """

    def __init__(
        self,
        split: Split,
        classes: int,
        spec: InputSpec | SequenceSpec,
        recipe: Recipe,
        *,
        seed: int,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._split, self._spec, self._recipe, self._seed = split, spec, recipe, seed
        self._targets = one_hot(split.labels, classes)
        self._clutter: npt.NDArray[Any] | None = None
        if recipe.clutter:
            spare = split.inputs[: min(len(split), _CLUTTER_POOL)]
            self._clutter = recipe.clutter(spare, np.random.default_rng(seed))
        self._epoch = 0
        self.seconds = 0.0
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng((self._seed, self._epoch))
        self._order = rng.permutation(len(self._split))

    def __len__(self) -> int:
        """Batches in an epoch."""
        return math.ceil(len(self._split) / self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Real values (b, ...) and targets (b, classes) of one batch."""
        start = time.perf_counter()
        size = self._recipe.batch_size
        rng = np.random.default_rng((self._seed, self._epoch, index))
        chosen = self._order[index * size : (index + 1) * size]
        inputs: npt.NDArray[Any] = self._split.inputs[chosen]
        targets = self._targets[chosen]
        if self._clutter is not None:
            extra = rng.integers(len(self._clutter), size=round(len(inputs) * _CLUTTER_SHARE))
            inputs = np.concatenate([inputs, self._clutter[extra]])
            even = np.full((len(extra), targets.shape[1]), 1 / targets.shape[1], np.float32)
            targets = np.concatenate([targets, even])
        values = real_values(self._spec, self._recipe.augment(inputs, rng))
        self.seconds += time.perf_counter() - start
        return values, targets

    def on_epoch_end(self) -> None:
        """Draw another order."""
        self._epoch += 1
        self._shuffle()


class Live(keras.callbacks.Callback):  # type: ignore[misc]
    """Draws a fit on a rich progress bar."""

    def __init__(self, progress: Progress, title: str, epochs: int, steps: int) -> None:
        super().__init__()
        self._progress, self._epochs = progress, epochs
        self._bar = progress.add_task(title, total=epochs * steps, score=f"epoch 1/{epochs}")

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar."""
        self._progress.advance(self._bar)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Say how good it is by now."""
        logs = logs or {}
        score = (
            f"epoch {epoch + 1}/{self._epochs} loss {logs.get('loss', math.nan):.3f} "
            f"validation {100 * logs.get('val_accuracy', math.nan):.2f} %"
        )
        self._progress.update(self._bar, score=score)
        if not self._progress.console.is_terminal:  # a log has no live bar
            self._progress.console.print(score)


def progress_bar(console: Console | None) -> Progress:
    """The bar that Live draws on."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[score]}"),
        console=console or Console(stderr=True),
    )
