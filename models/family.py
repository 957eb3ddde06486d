"""What a model family is: the one door through which train, export and check go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import DataSource, InputSpec

if TYPE_CHECKING:
    import keras

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Pictures and their classes.

    Attributes:
        images: uint8, shape (n, height, width, channels), raw bytes.
        labels: int64, shape (n,), index into the family's labels.
    """

    images: Images
    labels: Labels

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Three disjoint splits: fit, choose, and report."""

    train: Split
    validation: Split
    test: Split
    source: DataSource


@dataclass(frozen=True)
class Family:
    """Everything about a kind of model that training and export need.

    Attributes:
        name: what the user types ("mnist-cnn").
        task: the perception task its card names.
        input, labels, thresholds, licence: as in `reflexarc.perception.Card`.
        build: gives the untrained Keras model; its input is (byte - mean) / std.
        load: gives the data set, from a folder if one is given.
        augment: (uint8 images (n, h, w, c), generator) -> new images of the same shape.
        clutter: like augment, but gives pictures that belong to no class; they
            are trained towards equal scores so that a low best score means "none".
        epochs, batch_size, learning_rate: the recipe.
    """

    name: str
    description: str
    task: str
    input: InputSpec
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    licence: str
    build: Callable[[], keras.Model]
    load: Callable[[Path | None], Dataset]
    augment: Callable[[Images, np.random.Generator], Images]
    clutter: Callable[[Images, np.random.Generator], Images] | None
    epochs: int
    batch_size: int
    learning_rate: float
