"""The model runtime, and what it says of files that are not models."""

from __future__ import annotations

import sys
import threading
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from reflexarc.perception import Model, load_model
from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.tasks import default_model_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the packaged digits model that a test may spoil."""
    copy = tmp_path / "digits.tflite"
    copy.write_bytes(default_model_path("digits").read_bytes())
    return copy


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(default_model_path("digits"))


def rewrite_card(path: Path, old: str, new: str) -> None:
    """Replace a text in the card, keeping flatbuffer and labels."""
    with zipfile.ZipFile(path) as archive:
        card, labels = archive.read("card.json").decode(), archive.read("labels.txt")
        start = min(info.header_offset for info in archive.infolist())
    assert old in card
    flatbuffer = path.read_bytes()[:start]
    path.write_bytes(flatbuffer)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", labels)
        archive.writestr("card.json", card.replace(old, new))


def test_scores_are_probabilities_in_the_order_of_the_labels(model: Model) -> None:
    scores = model.predict(np.zeros((28, 28), np.uint8))
    assert scores.dtype == np.float32
    assert scores.shape == (10,)
    assert scores.sum() == pytest.approx(1, abs=10 / 256)


def test_a_trailing_channel_changes_nothing(model: Model) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert np.array_equal(model.predict(image), model.predict(image[..., None]))


@pytest.mark.parametrize(
    "image", [np.zeros((28, 27), np.uint8), np.zeros((28, 28), np.float32)], ids=["shape", "type"]
)
def test_another_shape_or_type_is_refused(model: Model, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 of shape \(28, 28, 1\)"):
        model.predict(image)


def test_threads_share_a_model(model: Model) -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 28, 28), np.uint8)
    alone = [model.predict(image) for image in images]
    together: list[list[np.ndarray]] = [[], []]

    def work(into: list[np.ndarray]) -> None:
        into.extend(model.predict(image) for image in images)

    threads = [threading.Thread(target=work, args=(part,)) for part in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for part in together:
        assert all(np.array_equal(a, b) for a, b in zip(alone, part, strict=True))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="No such file.*check the path"):
        load_model(tmp_path / "none.tflite")


@pytest.mark.parametrize("content", [b"", b"PK", b"a text file, not a model"])
def test_a_file_that_is_not_tflite(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="TFL3.*starts with.*reflexarc export"):
        load_model(path)


@pytest.mark.parametrize("keep", [0.01, 0.5, 0.99, 0.9999])
def test_a_truncated_file(path: Path, keep: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(ModelFileError, match=r"card.json.*truncated: copy it again"):
        load_model(path)


def test_a_flatbuffer_that_is_damaged_behind_its_head(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[0:4] = b"\xff\xff\xff\x7f"  # the root table's offset points outside
    path.write_bytes(whole)
    with pytest.raises(ModelFileError, match="interpreter accepts"):
        load_model(path)


def test_a_card_that_is_not_one(path: Path) -> None:
    rewrite_card(path, '"task"', '"tusk"')
    with pytest.raises(ModelFileError, match="card of version 1; found .*: t[au]sk: "):
        load_model(path)


def test_a_card_of_another_model(path: Path) -> None:
    rewrite_card(path, '"width": 28', '"width": 32')
    with pytest.raises(ModelFileError, match="do not belong together"):
        load_model(path)


def test_an_unknown_device(path: Path) -> None:
    with pytest.raises(BackendError, match=r"auto, cpu, .*litert.*; found 'tpu'"):
        load_model(path, device="tpu")


def test_a_model_whose_input_byte_is_not_its_tensor_is_quantised(path: Path, model: Model) -> None:
    """With another normalisation on the card, the table maps bytes to the same tensors."""
    rewrite_card(path, '"std": 255.0', '"std": 127.5')
    other = load_model(path)
    image = np.random.default_rng(0).integers(0, 128, (28, 28), np.uint8)
    assert np.array_equal(other.predict(image), model.predict(image * 2))


def test_tflite_runtime_serves_where_litert_is_missing(
    monkeypatch: pytest.MonkeyPatch, model: Model
) -> None:
    """Both packages have the same Interpreter; here the newer one stands in for the older."""
    import ai_edge_litert.interpreter as newer

    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", newer)
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert np.array_equal(load_model(model.path).predict(image), model.predict(image))


def test_without_any_runtime_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(ModelFileError, match="found neither; pip install ai-edge-litert"):
        load_model(path)
