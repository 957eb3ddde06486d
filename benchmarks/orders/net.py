"""A Transformer of two layers over a clause's words, and its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.orders.corpus import Clause, corpus, split
from benchmarks.orders.features import FEATURES, SPEC, STEPS, features
from reflexarc.models.family import Dataset, Family, Options, Recipe, Split, Trained
from reflexarc.perception.card import DataSource

if TYPE_CHECKING:
    import keras

WIDTH, HEADS, HIDDEN, LAYERS = 96, 4, 192, 2
TRAIN, VALIDATION = 40_000, 2_000
"""Varied clauses. The test set are examples whose wording training never saw, as they are."""

HELD_OUT = 0.2
SEED = 7


def build(labels: int) -> keras.Model:
    """Untrained model: (n, STEPS, FEATURES) -> (n, labels) probabilities.

    Batch instead of layer normalisation: it folds into the layers before it, and keeps
    INT8 ranges fixed. All shapes are static.
    """
    import keras
    from keras import layers

    series = keras.Input((STEPS, FEATURES), name="series")
    x = layers.Dense(WIDTH, name="embed")(series)
    for number in range(LAYERS):
        attended = layers.MultiHeadAttention(
            HEADS, WIDTH // HEADS, dropout=0.1, name=f"attention_{number}"
        )(x, x)
        x = layers.BatchNormalization(name=f"norm_{number}a")(layers.Add()([x, attended]))
        hidden = layers.Dense(HIDDEN, activation="relu", name=f"hidden_{number}")(x)
        hidden = layers.Dropout(0.1)(hidden)
        hidden = layers.Dense(WIDTH, name=f"back_{number}")(hidden)
        x = layers.BatchNormalization(name=f"norm_{number}b")(layers.Add()([x, hidden]))
    x = layers.Concatenate(name="pooled")(
        [layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]
    )
    x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(
        series, layers.Dense(labels, activation="softmax", name="score")(x), name="orders"
    )


def load(folder: Path | None = None) -> Dataset:
    """Varied clauses of the parser's own phrases and examples; `folder` is not used."""
    rows, unseen = split(SEED, HELD_OUT)
    labels = tuple(sorted({label for label, _ in rows}))
    return Dataset(
        train=samples(corpus(rows, TRAIN, SEED), labels),
        validation=samples(corpus(rows, VALIDATION, SEED + 1), labels),
        test=samples(unseen, labels),
        labels=labels,
        source=DataSource(
            name="phrases and examples of the parser, varied",
            version="1",
            licence="Apache-2.0",
            train_size=TRAIN,
            test_size=len(unseen),
        ),
    )


def samples(clauses: list[Clause], labels: tuple[str, ...]) -> Split:
    """Clauses as the net takes them."""
    inputs = np.stack([features(sentence) for _, sentence in clauses])
    indices = np.array([labels.index(label) for label, _ in clauses], np.int64)
    return Split(inputs, indices)


def unchanged(inputs: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """No augmentation: the corpus is varied already."""
    return inputs


def train(data: Dataset, options: Options) -> Trained:
    """Fit a fresh net."""
    from reflexarc.models.training import fit

    recipe = Recipe(
        build=lambda: build(len(data.labels)),
        augment=unchanged,
        epochs=6,
        batch_size=128,
        learning_rate=1e-3,
    )
    return fit(recipe, SPEC, data, options)


FAMILY = Family(
    name="orders",
    description="Intents of a spoken or typed order's clauses, English and Chinese",
    task="orders",
    input=SPEC,
    thresholds={},
    licence="Apache-2.0",
    load=load,
    train=train,
)
