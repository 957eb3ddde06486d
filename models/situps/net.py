"""The net that tells the phase of a sit-up, and the data it learns from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reflexarc.models.family import Dataset, Family, Options, Recipe, Split, Trained
from reflexarc.models.situps.recordings import recordings
from reflexarc.models.situps.sequences import Sequence, sequence
from reflexarc.perception.card import DataSource
from reflexarc.perception.tasks.situps.cycle import PHASES
from reflexarc.perception.tasks.situps.features import FEATURES, SPEC, STEPS, normalize, windows

if TYPE_CHECKING:
    import keras

TRAIN, VALIDATION, TEST = 1200, 80, 100
"""Sequences. Seeds follow each other, so no two splits share one."""

STRIDE = 3
"""Of a training sequence's windows, every so many: neighbours are nearly the same."""

LAG = 3
"""The net names the phase this many steps before the window's end (0.2 s): it has seen
what follows, and the count comes that much later."""


def build() -> keras.Model:
    """Untrained model: (n, STEPS, len(FEATURES)) -> (n, len(PHASES)) probabilities.

    Convolutions over time without padding: each sees the past alone, and all shapes
    are static. 18,037 parameters, 27 kB as INT8.
    """
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((STEPS, len(FEATURES)), name="series"),
            layers.Conv1D(32, 5, activation="relu", name="conv1"),
            layers.Conv1D(32, 4, strides=2, activation="relu", name="conv2"),
            layers.Conv1D(48, 3, strides=2, activation="relu", name="conv3"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(32, activation="relu", name="dense"),
            layers.Dense(len(PHASES), activation="softmax", name="score"),
        ],
        name="situps",
    )


def load(folder: Path | None = None) -> Dataset:
    """Windows of body-model sequences; the test ones from ranges that training never saw.

    Args:
        folder: recordings of real people to train on as well (see `recordings`).
            Nothing else is trained on: the packaged net has seen no real body.
    """
    seeds = iter(range(TRAIN + VALIDATION + TEST))
    made = [sequence(next(seeds)) for _ in range(TRAIN)]
    real = recordings(folder) if folder else []
    train = samples([*made, *real], STRIDE)
    validation = samples((sequence(next(seeds)) for _ in range(VALIDATION)), STRIDE)
    test = samples((sequence(next(seeds), held_out=True) for _ in range(TEST)), STRIDE)
    names = ", ".join(recording.kind for recording in real)
    return Dataset(
        train, validation, test, PHASES,
        DataSource(
            name="kinematic body model" + (f" and recordings ({names})" if real else ""),
            version="1",
            licence="Apache-2.0" + (" and the recordings' own" if real else ""),
            train_size=len(train),
            test_size=len(test),
        ),
    )  # fmt: skip


def samples(sequences: Iterable[Sequence], stride: int = 1) -> Split:
    """Normalised windows of sequences and the phase LAG steps before their ends."""
    inputs: list[npt.NDArray[np.float32]] = []
    labels: list[npt.NDArray[np.int64]] = []
    for one in sequences:
        times, series = windows(one.poses, one.stamps_ns)
        if not len(times):
            continue
        stamps = np.array(one.stamps_ns)
        phases = one.phases[np.clip(np.searchsorted(stamps, times), 0, len(stamps) - 1)]
        lagged = np.concatenate([np.repeat(phases[:1], LAG), phases])[: len(phases)]
        inputs.append(normalize(series[::stride]))
        labels.append(lagged[::stride])
    return Split(np.concatenate(inputs), np.concatenate(labels))


def unchanged(inputs: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """No augmentation: the body model varies what there is to vary."""
    return inputs


RECIPE = Recipe(build=build, augment=unchanged, epochs=10, batch_size=256, learning_rate=3e-3)


def train(data: Dataset, options: Options) -> Trained:
    """Fit a fresh net."""
    from reflexarc.models.training import fit

    return fit(RECIPE, SPEC, data, options)


FAMILY = Family(
    name="situps",
    description="Phases of a sit-up from a second and a half of body keypoints",
    task="situps",
    input=SPEC,
    thresholds={},
    licence="Apache-2.0",
    load=load,
    train=train,
)
