"""The Edge TPU's way through LiteRT: a real compiled file, a stub for the device."""

from __future__ import annotations

import logging
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from reflexarc.perception import load_model
from reflexarc.perception.backends import edgetpu, litert
from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.tasks import default_model_path

STUB = Path(__file__).parents[2] / "support" / "edgetpu_stub.c"
NAME = "mobilenet_v1_0.25_128_quant"


@dataclass
class Device:
    """The stub's two ends."""

    calls: Path
    gone: Path

    @property
    def count(self) -> int:
        return len(self.calls.read_text()) if self.calls.exists() else 0

    def unplug(self) -> None:
        self.gone.touch()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stub") / "libedgetpu.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(path), str(STUB)], check=True)
    return path


@pytest.fixture
def device(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    plugged = Device(tmp_path / "calls", tmp_path / "gone")
    monkeypatch.setenv("EDGETPU_STUB_CALLS", str(plugged.calls))
    monkeypatch.setenv("EDGETPU_STUB_GONE", str(plugged.gone))
    monkeypatch.setenv(edgetpu.LIBRARY, str(library))
    return plugged


@pytest.fixture
def compiled(shared_data: Path, tmp_path: Path) -> Path:
    """A file of Google's, compiled, with a card of ours; what it was made from beside it."""
    card = read_card(default_model_path("digits"))
    values = card.model_dump() | {
        "input": InputSpec(width=128, height=128, color="rgb", mean=127.5, std=127.5),
        "labels": tuple(str(i) for i in range(1001)),
    }
    for name in (f"{NAME}_edgetpu.tflite", f"{NAME}.tflite"):
        copy = tmp_path / name
        copy.write_bytes((shared_data / "coral" / name).read_bytes())
        with zipfile.ZipFile(copy, "a") as archive:
            archive.writestr("card.json", Card.model_validate(values).model_dump_json())
    return tmp_path / f"{NAME}_edgetpu.tflite"


PICTURE = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)


def test_a_compiled_file_runs_on_the_device(compiled: Path, device: Device) -> None:
    model = load_model(compiled, "edgetpu")
    before = device.count
    assert model.predict(PICTURE).shape == (1001,)
    assert device.count == before + 1


def test_auto_takes_the_device_for_a_compiled_file_and_the_cpu_for_another(
    compiled: Path, device: Device
) -> None:
    model = load_model(compiled)
    assert model.choice is not None
    assert (model.choice.backend, model.choice.why) == ("edgetpu", "the file is compiled for it")
    other = load_model(compiled.with_name(f"{NAME}.tflite"))
    assert other.choice is not None
    assert other.choice.backend == "litert"


def test_an_unplugged_device_goes_on_on_the_cpu_with_a_warning(
    compiled: Path, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_model(compiled, "edgetpu")
    device.unplug()
    with caplog.at_level(logging.WARNING):
        scores = model.predict(PICTURE)
    assert f"{NAME}.tflite goes on on the CPU" in caplog.text
    on_cpu = load_model(compiled.with_name(f"{NAME}.tflite"), "cpu")
    np.testing.assert_array_equal(scores, on_cpu.predict(PICTURE))
    np.testing.assert_array_equal(model.predict(PICTURE), scores)


def test_an_unplugged_device_without_a_way_out_is_named(compiled: Path, device: Device) -> None:
    compiled.with_name(f"{NAME}.tflite").unlink()
    model = load_model(compiled, "edgetpu")
    device.unplug()
    with pytest.raises(BackendError, match=r"Edge TPU to answer; found .*plug it in"):
        model.predict(PICTURE)


def test_no_device_at_all(compiled: Path, device: Device) -> None:
    device.unplug()
    with pytest.raises(BackendError, match=r"an Edge TPU and its library.*libedgetpu1-std"):
        load_model(compiled, "edgetpu")


def test_no_library(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(edgetpu.LIBRARY, "libedgetpu-nowhere.so.1")
    with pytest.raises(BackendError, match=r"libedgetpu-nowhere.*install libedgetpu1-std"):
        load_model(compiled, "edgetpu")
    monkeypatch.delenv(edgetpu.LIBRARY)
    monkeypatch.setattr(edgetpu.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(
        BackendError, match=r"runs .* here; found the file is compiled for the Edge"
    ):
        load_model(compiled)


def test_a_file_that_is_not_compiled(device: Device) -> None:
    with pytest.raises(BackendError, match=r"compiled for the Edge TPU.*edgetpu_compiler"):
        load_model(default_model_path("digits"), "edgetpu")


def test_a_compiled_file_is_no_cpu_s(compiled: Path) -> None:
    assert litert.is_compiled(compiled)
    with pytest.raises(BackendError, match="compiled for the Edge TPU"):
        load_model(compiled, "cpu")
