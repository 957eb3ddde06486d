from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import shapes

from reflexarc.export.check import report, run
from reflexarc.models import training
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Trained
from reflexarc.perception import load_model

FORMATS = ("int8", "float32", "float16", "dynamic", "int16x8")


@pytest.fixture(scope="module")
def source(lopsided: keras.Model, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lopsided")
    return training.save(Trained(lopsided, {}), card_of(shapes.FAMILY, data), folder)


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def checked(source: Path, data: Dataset, steps: list[str]) -> run.Checked:
    return run.check(source, data, FORMATS, source.parent / "check", limit=100, tell=steps.append)


def test_every_format_has_its_line_and_only_int8_weights_have_fallen(
    checked: run.Checked,
) -> None:
    assert [row.name for row in checked.rows] == ["keras", *FORMATS]
    assert set(checked.files) == set(FORMATS)
    # The first layer's tensor is bytes in int8 only.
    assert "int8" in checked.fallen
    assert {"float32", "float16", "int16x8"}.isdisjoint(checked.fallen)
    assert checked.edgetpu["int8"] == "8/8"
    assert checked.edgetpu["float32"].startswith("refused")
    assert checked.diagnosis is not None and checked.diagnosis.blamed == ("first",)


def test_long_steps_are_announced(checked: run.Checked, steps: list[str]) -> None:
    assert "convert to int8" in steps
    assert "layer-by-layer noise" in steps
    assert any(step.startswith("percentile calibration: ") for step in steps)


def test_worst_samples_are_those_with_the_largest_disagreement(
    checked: run.Checked, data: Dataset
) -> None:
    samples = checked.worst["int8"]
    assert len(samples) == 8
    apart = [sample.disagreement for sample in samples]
    assert apart == sorted(apart, reverse=True) and 0.5 < apart[0] <= 1
    assert {sample.truth for sample in samples} <= set(shapes.LABELS)
    assert all(sample.keras.split()[0] == sample.truth for sample in samples)
    assert any(sample.found.split()[0] != sample.truth for sample in samples)
    assert checked.worst["float32"] == ()
    picture = cv2.imdecode(np.frombuffer(samples[0].picture or b"", np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (160, 160, 3)


def test_the_report_is_one_page_with_everything_in_it(checked: run.Checked, tmp_path: Path) -> None:
    page = report.write(checked, tmp_path).read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", page)
    shown = sum(len(samples) for samples in checked.worst.values())
    assert len(pictures) == shown + 1  # and the chart of the noise
    assert all(base64.b64decode(text).startswith(b"\x89PNG") for text in pictures)
    for text in (*FORMATS, "cross-layer equalisation", "<b>first</b>", "Recommended"):
        assert text in page
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in told["parity"]] == ["keras", *FORMATS]
    assert told["diagnosis"]["recommended"]["remedy"] == "cross-layer equalisation"
    assert len(list((tmp_path / "worst").glob("int8-*.png"))) == 8


def test_the_recommended_remedy_becomes_the_int8_file(
    checked: run.Checked, source: Path, data: Dataset, tmp_path: Path
) -> None:
    path = run.write_recommended(checked, source, tmp_path)
    assert path == tmp_path / "shapes-int8.tflite"
    model = load_model(path)
    right = [
        int(model.predict(image).argmax()) == label
        for image, label in zip(data.test.inputs, data.test.labels, strict=True)
    ]
    assert np.mean(right) >= 0.99
    assert model.card.metrics["accuracy"] >= 0.99
    assert len(model.card.source_sha256) == 64
