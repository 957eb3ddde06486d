"""A tiny real model family: four bright shapes on dark, 16x16, learnt in seconds."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models.family import Dataset, Family, Options, Split, Trained
from reflexarc.perception.card import DataSource, InputSpec

if TYPE_CHECKING:
    import keras

LABELS = ("lying", "standing", "slanted", "dot")
SIDE = 16


def shape(label: int, rng: np.random.Generator, light: int) -> npt.NDArray[np.uint8]:
    """One shape of brightness `light` at a random place, uint8 (16, 16, 1)."""
    image = rng.integers(0, 12, (SIDE, SIDE)).astype(np.uint8)
    x, y = (int(v) for v in rng.integers(3, 8, 2))
    end = {0: (x + 6, y), 1: (x, y + 6), 2: (x + 6, y + 6), 3: (x, y)}[label]
    cv2.line(image, (x, y), end, light, 2)
    return image[..., None]


def shapes(count: int, seed: int) -> Split:
    """`count` shapes, every class equally often; some are dim, some bright."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(LABELS)
    images = [shape(int(label), rng, int(rng.integers(60, 256))) for label in labels]
    return Split(np.stack(images), labels.astype(np.int64))


def load(folder: object = None) -> Dataset:
    """1,200 to train, 200 to choose, 400 to test."""
    source = DataSource(
        name="shapes", version="1", licence="CC0-1.0", train_size=1200, test_size=400
    )
    return Dataset(shapes(1200, 0), shapes(200, 1), shapes(400, 2), LABELS, source)


def train(data: Dataset, options: Options) -> Trained:
    """Fit a CNN of two convolutions and a dense layer."""
    import keras
    from keras import layers

    from reflexarc.models.training import one_hot, real_values

    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), name="image"),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(16, 3, activation="relu", name="second"),
            layers.Flatten(name="flat"),
            layers.Dense(len(LABELS), activation="softmax", name="score"),
        ],
        name="shapes",
    )
    model.compile(keras.optimizers.Adam(1e-2), "categorical_crossentropy")
    values = real_values(FAMILY.input, data.train.inputs)
    model.fit(values, one_hot(data.train.labels, len(LABELS)), 64, epochs=6, verbose=0)
    return Trained(model, {})


FAMILY = Family(
    name="shapes",
    description="Four shapes",
    task="digits",
    input=InputSpec(width=SIDE, height=SIDE, color="gray", mean=0.0, std=255.0),
    thresholds={},
    licence="CC0-1.0",
    load=load,
    train=train,
)


@lru_cache(maxsize=1)
def trained() -> keras.Model:
    """The family's model, trained once a process. Leave it as it is."""
    from reflexarc.models import training

    return training.train(FAMILY, load()).model


def lopsided(model: keras.Model, channel: int = 3, factor: float = 1024.0) -> keras.Model:
    """The same function, but one channel between the convolutions is `factor` times as large.

    ReLU and pooling are positively homogeneous, and 1024 is a power of two: the float
    answers stay the same to the last bit. In INT8 the others share that channel's scale.
    """
    import keras

    changed = keras.models.clone_model(model)
    changed.set_weights(model.get_weights())
    kernel, bias = changed.get_layer("first").get_weights()
    kernel[..., channel] *= factor
    bias[channel] *= factor
    changed.get_layer("first").set_weights([kernel, bias])
    kernel, bias = changed.get_layer("second").get_weights()
    kernel[:, :, channel] /= factor
    changed.get_layer("second").set_weights([kernel, bias])
    return changed
