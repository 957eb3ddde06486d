from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import shapes

from reflexarc.export.check.trial import Subject
from reflexarc.models import training
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset

Change = Callable[[keras.Model], keras.Model]


@pytest.fixture(scope="session")
def data() -> Dataset:
    return shapes.load()


@pytest.fixture(scope="session")
def healthy() -> keras.Model:
    return shapes.trained()


@pytest.fixture(scope="session")
def lopsided(healthy: keras.Model) -> keras.Model:
    return shapes.lopsided(healthy)


@pytest.fixture(scope="session")
def subject_of(data: Dataset) -> Callable[..., Subject]:
    def make(model: keras.Model, splits: Dataset = data) -> Subject:
        return Subject.of(model, card_of(shapes.FAMILY, splits), splits, 0)

    return make


@pytest.fixture(scope="session")
def values(data: Dataset) -> np.ndarray:
    """Normalised training pictures for calibration."""
    return training.real_values(shapes.FAMILY.input, data.train.inputs[:100])
