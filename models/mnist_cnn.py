"""A small CNN that reads handwritten digits.

The classic shape (LeCun et al. 1998, with ReLU and dropout): two rounds of
convolution and pooling, then two dense layers. 225 thousand parameters, so the
INT8 file stays below 300 kB.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models import augment
from reflexarc.models.clutter import clutter
from reflexarc.models.family import Dataset, Family, Images, Options, Recipe, Split, Trained
from reflexarc.models.mnist import load_mnist
from reflexarc.perception.card import InputSpec
from reflexarc.perception.tasks.mnist_normalize import normalize

if TYPE_CHECKING:
    import keras

# This share of the training pictures goes through the eye's own normalisation.
FOUND_SHARE = 0.5
_ENLARGE = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)

# Of the training digits, the last ones choose nothing but the report's curve.
VALIDATION_SHARE = 1 / 12


def build() -> keras.Model:
    """Untrained model: (n, 28, 28, 1) float in 0..1 -> (n, 10) probabilities."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.3, name="dropout1"),
            layers.Dense(128, activation="relu", name="dense"),
            layers.Dropout(0.3, name="dropout2"),
            layers.Dense(10, activation="softmax", name="score"),
        ],
        name="mnist_cnn",
    )


def load(folder: Path | None = None) -> Dataset:
    """MNIST as (n, 28, 28, 1), with the tail of the training set as validation."""
    mnist = load_mnist(folder)
    images = mnist.train_images[..., None]
    labels = mnist.train_labels.astype(np.int64)
    cut = len(labels) - round(len(labels) * VALIDATION_SHARE)
    return Dataset(
        train=Split(images[:cut], labels[:cut]),
        validation=Split(images[cut:], labels[cut:]),
        test=Split(mnist.test_images[..., None], mnist.test_labels.astype(np.int64)),
        labels=tuple("0123456789"),
        source=mnist.source,
    )


def vary(images: Images, rng: np.random.Generator) -> Images:
    """What another hand, another camera and the search for digits would change."""
    images = augment.affine(images, rng, rotate_deg=12, scale=0.12, shear=0.15, shift_px=2)
    for i in np.flatnonzero(rng.random(len(images)) < FOUND_SHARE):
        images[i, ..., 0] = as_found(images[i, ..., 0], rng)
    return images


def as_found(digit: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A digit as the digits task hands it over: seen large or blurred, then normalised."""
    side = round(28 * float(np.exp(rng.uniform(0, np.log(4)))))
    seen = cv2.resize(digit, (side, side), interpolation=_ENLARGE[int(rng.integers(4))])
    if rng.random() < 0.4:
        seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.3, 0.5)) * max(1.0, side / 28))
    # Strokes that reach full contrast early, and faint edges that are cut off.
    floor = float(rng.uniform(0, 60))
    gain = float(rng.uniform(1, 1.6)) * 255 / (255 - floor)
    return normalize(np.clip((seen - floor) * gain, 0, 255).astype(np.uint8))


# Clutter is trained on as well: a low best score shall mean "no digit".
RECIPE = Recipe(
    build=build,
    augment=vary,
    clutter=clutter,
    epochs=12,
    batch_size=128,
    learning_rate=2e-3,
)


def train(data: Dataset, options: Options) -> Trained:
    """Fit the CNN by RECIPE."""
    from reflexarc.models.training import fit

    return fit(RECIPE, FAMILY.input, data, options)


FAMILY = Family(
    name="mnist-cnn",
    description="Handwritten digits, 28x28, light on dark",
    task="digits",
    input=InputSpec(width=28, height=28, color="gray", mean=0.0, std=255.0),
    # Of the digits task. The others are a logistic regression on MNIST training digits on
    # cards, boards and photos (data/clothing10/validation), at few false finds.
    thresholds={
        "score": 0.25,
        "clean": 0.011,
        "slope": 1.4,
        "trust": 2.0,
        "score_bar": 0.5,
        "clean_bar": 0.011,
        "slope_bar": 4.3,
        "trust_bar": 3.8,
    },
    licence="Apache-2.0",
    load=load,
    train=train,
)
