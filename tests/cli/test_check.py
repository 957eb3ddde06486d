from __future__ import annotations

import json
from pathlib import Path

import keras
import pytest
import shapes
from shell import Run

from reflexarc.models import training
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Trained
from reflexarc.models.registry import FAMILIES
from reflexarc.perception import load_model


@pytest.fixture(scope="module")
def data() -> Dataset:
    return shapes.load()


@pytest.fixture(scope="module")
def healthy() -> keras.Model:
    return shapes.trained()


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more line in the registry."""
    monkeypatch.setitem(FAMILIES, "shapes", shapes.FAMILY)


def saved(model: keras.Model, data: Dataset, folder: Path) -> Path:
    return training.save(Trained(model, {}), card_of(shapes.FAMILY, data), folder)


def test_a_sound_model_passes_and_is_not_diagnosed(
    reflexarc: Run, healthy: keras.Model, data: Dataset, tmp_path: Path
) -> None:
    source = saved(healthy, data, tmp_path)
    code, out, err = reflexarc("check", source, "--to", "int8")
    assert code == 0, err
    assert "int8" in out and "remedy" not in out
    assert (tmp_path / "check" / "report.html").is_file()


def test_a_fallen_format_is_a_failed_check(
    reflexarc: Run, healthy: keras.Model, data: Dataset, tmp_path: Path
) -> None:
    source = saved(shapes.lopsided(healthy), data, tmp_path)
    code, out, _ = reflexarc("check", source, "--to", "dynamic", "--limit", 80, "--json")
    assert code == 1
    assert json.loads(out)["fallen"] == ["dynamic"]


def test_collapsed_int8_is_explained_and_fixed(
    reflexarc: Run, healthy: keras.Model, data: Dataset, tmp_path: Path
) -> None:
    source = saved(shapes.lopsided(healthy), data, tmp_path)
    code, out, _ = reflexarc("check", source, "--to", "int8", "--limit", 80, "--fix")
    assert code == 0
    assert "layers to blame: first" in out
    assert "recommended: cross-layer equalisation" in out
    found = json.loads((tmp_path / "check" / "report.json").read_text(encoding="utf-8"))
    assert found["fallen"] == ["int8"]
    model = load_model(tmp_path / "check" / "shapes-int8.tflite")
    for picture, label in zip(data.test.inputs[:40], data.test.labels[:40], strict=True):
        assert int(model.predict(picture).argmax()) == label


def test_an_unknown_format_is_named(reflexarc: Run, tmp_path: Path) -> None:
    code, _, err = reflexarc("check", tmp_path / "model.keras", "--to", "int4")
    assert code == 2
    assert "'int4'" in err and list(tmp_path.iterdir()) == []
