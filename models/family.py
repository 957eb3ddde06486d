"""What a model family is: the one door through which train, export and check go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import DataSource, InputSpec, SequenceSpec

if TYPE_CHECKING:
    import keras
    from rich.console import Console

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
History = dict[str, list[float]]
Augment = Callable[[Any, np.random.Generator], Any]


@dataclass(frozen=True)
class Split:
    """Samples and their classes.

    Attributes:
        inputs: pictures, uint8 (n, height, width, channels), raw bytes (an array
            in memory or a np.memmap); or series, float32 (n, steps, features).
        labels: int64, shape (n,), index into the data set's labels. Pose photos
            carry zeros: a pose model is measured against its own float answers.
    """

    inputs: npt.NDArray[Any]
    labels: Labels

    def __len__(self) -> int:
        """How many samples."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Three disjoint splits: fit, choose, and report.

    Attributes:
        labels: the classes' names, in the order of the indices.
        source: what the card says about the data.
        skipped: files that were left out, and why.
    """

    train: Split
    validation: Split
    test: Split
    labels: tuple[str, ...]
    source: DataSource
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted from nothing in one phase.

    Attributes:
        build: gives the untrained Keras model; its input is real values.
        augment: (inputs (n, ...), generator) -> new inputs of the same shape and type.
        clutter: like augment, but gives pictures that belong to no class; they
            are trained towards equal scores so that a low best score means "none".
        epochs, batch_size, learning_rate: cosine decay from the rate to its hundredth.
    """

    build: Callable[[], keras.Model]
    augment: Augment
    epochs: int
    batch_size: int
    learning_rate: float
    clutter: Callable[[Images, np.random.Generator], Images] | None = None


@dataclass(frozen=True)
class Options:
    """What the user may ask of a training.

    Attributes:
        seed: same seed, data and versions give the same weights.
        epochs: instead of the recipe's.
        console: where progress is drawn; standard error by default.
    """

    seed: int = 0
    epochs: int | None = None
    console: Console | None = None


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Attributes:
        model: without optimizer; its name is the family's, with underscores.
        history: per epoch: loss, accuracy, val_loss, val_accuracy. Empty where
            weights were imported.
        pictures: PNG bytes by file name, written beside the model.
        notes: figures worth keeping ("frozen_seconds"), by name; "val_accuracy" is that
            of the weights that were kept, where these are not the last epoch's.
        tools: what else the card should name ("backbone": where its weights are from).
    """

    model: keras.Model
    history: History
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: Mapping[str, float] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Everything about a kind of model that training and export need.

    Attributes:
        name: what the user types ("mnist-cnn").
        task: the perception task its card names.
        input, outputs, thresholds, licence: as in `reflexarc.perception.card.Card`.
        load: gives the data set, from a folder if one is given, else from a package.
        train: fits a model of this family to a data set.
        ready: gives the model with weights that a package carries; what the user
            gets who has no data of his own.
        ready_asset: the name of that package in the table of assets.
    """

    name: str
    description: str
    task: str
    input: InputSpec | SequenceSpec
    thresholds: dict[str, float]
    licence: str
    load: Callable[[Path | None], Dataset]
    train: Callable[[Dataset, Options], Trained]
    ready: Callable[[], keras.Model] | None = None
    ready_asset: str = ""
    outputs: tuple[str, ...] = ("score",)
