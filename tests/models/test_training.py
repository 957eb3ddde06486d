from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reflexarc.models import training
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Options, Split
from reflexarc.models.mnist import Mnist
from reflexarc.models.mnist_cnn import FAMILY, load, vary
from reflexarc.perception.modelfile import read_card


@pytest.fixture(scope="module")
def few(mnist: Mnist) -> Dataset:
    part = Split(mnist.train_images[:640, ..., None], mnist.train_labels[:640].astype(np.int64))
    return Dataset(part, part, part, tuple("0123456789"), mnist.source)


def weights(data: Dataset, seed: int) -> list[np.ndarray]:
    trained = training.train(FAMILY, data, Options(seed, epochs=2))
    return [np.asarray(w) for w in trained.model.get_weights()]


def test_the_same_seed_gives_the_same_weights_bit_for_bit(few: Dataset) -> None:
    first, again, other = weights(few, 1), weights(few, 1), weights(few, 2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_saving_leaves_a_loadable_model_its_history_and_its_curve(
    few: Dataset, tmp_path: Path
) -> None:
    import keras

    trained = training.train(FAMILY, few, Options(epochs=1))
    path = training.save(trained, card_of(FAMILY, few), tmp_path / "out")
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "curve.png",
        "history.json",
        "model.keras",
    ]
    assert set(json.loads((path.parent / "history.json").read_text())) >= {"loss", "val_accuracy"}
    assert (path.parent / "curve.png").read_bytes().startswith(b"\x89PNG")
    values = training.real_values(FAMILY.input, few.test.inputs[:8])
    again = keras.models.load_model(path)
    assert read_card(path) == card_of(FAMILY, few)
    assert np.array_equal(
        trained.model.predict(values, verbose=0), again.predict(values, verbose=0)
    )


def test_the_splits_are_disjoint_and_whole(mnist: Mnist) -> None:
    data = load()
    assert (len(data.train), len(data.validation), len(data.test)) == (55_000, 5_000, 10_000)
    assert np.array_equal(
        np.concatenate([data.train.inputs, data.validation.inputs])[..., 0], mnist.train_images
    )


def test_augmentation_changes_pictures_a_little_and_repeats_under_a_seed(mnist: Mnist) -> None:
    images = mnist.train_images[:64, ..., None]
    once, again = (vary(images, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(once, again)
    assert once.shape == images.shape
    assert all(not np.array_equal(a, b) for a, b in zip(once, images, strict=True))
    # The strokes stay in the frame: hardly any ink is lost.
    assert 0.8 < once.sum() / images.sum() < 1.25
