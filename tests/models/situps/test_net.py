from __future__ import annotations

import numpy as np
import pytest

from reflexarc.models import training
from reflexarc.models.family import Dataset, Options
from reflexarc.models.situps import net
from reflexarc.models.situps.sequences import sequence
from reflexarc.perception.card import DataSource
from reflexarc.perception.tasks.situps import PHASES
from reflexarc.perception.tasks.situps.features import FEATURES, STEPS


@pytest.fixture(scope="module")
def few() -> Dataset:
    train = net.samples((sequence(seed) for seed in range(45)), stride=2)
    test = net.samples((sequence(seed) for seed in range(500, 510)), stride=3)
    source = DataSource(
        name="few", version="1", licence="", train_size=len(train), test_size=len(test)
    )
    return Dataset(train, test, test, PHASES, source)


def test_the_net_learns_phases_that_it_has_not_seen(few: Dataset) -> None:
    trained = training.train(net.FAMILY, few, Options(epochs=3))
    predicted = trained.model.predict(few.test.inputs, verbose=0).argmax(axis=1)
    # Measured: 90 %; always "down" would be right in 39 %.
    assert (predicted == few.test.labels).mean() > 0.85


def test_the_net_is_small_enough_for_60_kb_in_int8() -> None:
    model = net.build()
    assert (model.name, model.input_shape) == ("situps", (None, STEPS, len(FEATURES)))
    assert model.output_shape == (None, len(PHASES))
    assert model.count_params() < 40_000
    assert np.allclose(model(np.zeros((1, STEPS, len(FEATURES)), np.float32)).numpy().sum(), 1)
