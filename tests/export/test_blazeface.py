"""The packaged face detectors: Google's graphs, whole on an Edge TPU, and right after INT8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from reflexarc.export import blazeface, edgetpu
from reflexarc.export.errors import ExportError
from reflexarc.models import assets
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.faces.blazeface import RANGES, BlazeFace

FILES = {"short": "face_detection_short_range.tflite", "full": "face_detection_full_range.tflite"}


@pytest.fixture(scope="module")
def source() -> Path:
    try:
        return assets.fetch("blazeface")
    except assets.AssetError as error:
        pytest.skip(f"blazeface cannot be fetched: {error}")


@pytest.mark.parametrize("name", RANGES)
def test_the_unpacked_graph_gives_the_very_numbers_of_the_file(source: Path, name: str) -> None:
    size = RANGES[name].size
    values = np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    found = []
    for options in (
        {"model_path": str(source / FILES[name])},
        {"model_content": blazeface.float_graph(source / FILES[name])},
    ):
        interpreter = Interpreter(**options)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
        interpreter.invoke()
        outputs = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
        boxes = np.concatenate([o.reshape(-1, 16) for o in outputs if o.shape[-1] % 16 == 0])
        scores = np.concatenate([o.reshape(-1) for o in outputs if o.shape[-1] % 16])
        found.append((boxes, scores))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("name", RANGES)
def test_the_packaged_file_finds_what_the_float_one_finds(
    source: Path, name: str, tmp_path: Path
) -> None:
    packaged = default_model_path(f"faces_{name}")
    card = read_card(packaged)
    file = tmp_path / "float.tflite"
    file.write_bytes(blazeface.pack(blazeface.float_graph(source / FILES[name]), card))
    floats, integers = (BlazeFace(load_model(path, "cpu")) for path in (file, packaged))
    metrics = blazeface.compare(floats, integers, list(blazeface.looks())[::5])
    print(f"\nblazeface-{name}: {metrics}")
    assert metrics["found"] >= 0.97
    assert metrics["point_error"] <= 0.05
    assert metrics["invented"] <= 0.02


@pytest.mark.parametrize("name", RANGES)
def test_an_edge_tpu_takes_all_of_it(name: str) -> None:
    report = edgetpu.check(default_model_path(f"faces_{name}"))
    assert report.mapped == len(report.ops)


def test_another_graph_is_refused() -> None:
    with pytest.raises(ExportError, match="BlazeFace's graph"):
        blazeface.float_graph(default_model_path("digits"))
