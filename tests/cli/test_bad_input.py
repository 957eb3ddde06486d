"""Every kind of bad input: one line that helps, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from shell import Run

from reflexarc.core import ReflexarcError
from reflexarc.perception.tasks import default_model_path

Make = Callable[[Path], list[object]]


def png() -> bytes:
    return cv2.imencode(".png", np.full((60, 80, 3), 90, np.uint8))[1].tobytes()


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def model_for_another_task(folder: Path) -> Path:
    source = default_model_path("digits")
    with zipfile.ZipFile(source) as archive:
        card = archive.read("card.json").decode()
        start = min(info.header_offset for info in archive.infolist())
    path = file(folder, "mask.tflite", source.read_bytes()[:start])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("card.json", card.replace('"task": "digits"', '"task": "mask"'))
    return path


def model_without_card(folder: Path) -> Path:
    source = default_model_path("digits")
    with zipfile.ZipFile(source) as archive:
        start = min(info.header_offset for info in archive.infolist())
    return file(folder, "bare.tflite", source.read_bytes()[:start])


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


CASES: dict[str, tuple[Make, str]] = {
    "no such source": (lambda d: ["see", d / "none"], "no file or folder"),
    "empty folder": (lambda d: ["see", empty(d)], "empty"),
    "unreadable picture": (lambda d: ["see", file(d, "a.png", b"not a picture")], "a.png"),
    "truncated picture": (lambda d: ["see", file(d, "a.png", png()[:-30])], "a.png"),
    "zero-size picture": (lambda d: ["see", file(d, "a.jpg", b"")], "a.jpg"),
    "unreadable video": (lambda d: ["see", file(d, "a.mp4", b"\0" * 500)], "a.mp4"),
    "unknown ending": (lambda d: ["see", file(d, "a.docx", b"x")], "a.docx"),
    "unknown task": (lambda d: ["see", file(d, "a.png", png()), "--task", "cats"], "digits"),
    "no such model": (
        lambda d: ["see", file(d, "a.png", png()), "--model", d / "m.tflite"],
        "reflexarc export",
    ),
    "model not TFLite": (
        lambda d: ["see", file(d, "a.png", png()), "--model", file(d, "m.tflite", b"GIF89a....")],
        "TFL3",
    ),
    "model without card": (
        lambda d: ["see", file(d, "a.png", png()), "--model", model_without_card(d)],
        "card.json",
    ),
    "model for another task": (
        lambda d: ["see", file(d, "a.png", png()), "--model", model_for_another_task(d)],
        "mask",
    ),
    "no robot.yaml": (lambda d: ["run", d / "robot.yaml"], "robot.yaml"),
    "unknown key": (
        lambda d: ["run", file(d, "robot.yaml", b"limits: {sped_mps: 1}")],
        "did you mean speed_mps?",
    ),
    "limit above the hard maximum": (
        lambda d: ["run", file(d, "robot.yaml", b"limits: {speed_mps: 9}")],
        "hard maxima",
    ),
    "no source": (lambda d: ["run", file(d, "robot.yaml", b"")], "--source"),
    "absent port": (
        lambda d: [
            "run",
            file(d, "robot.yaml", b""),
            "--source",
            file(d, "a.png", png()),
            "--port",
            "/dev/ttyNONE",
        ],
        "/dev/ttyNONE",
    ),
    "unknown family": (lambda d: ["train", "resnet"], "mnist-cnn"),
    "missing data folder": (
        lambda d: ["train", "mnist-cnn", "--data", empty(d), "--out", d / "out"],
        "train-images-idx3-ubyte",
    ),
    "nothing to export": (lambda d: ["export", d / "model.keras"], "reflexarc train"),
    "not a Keras file": (lambda d: ["export", file(d, "model.keras", b"PK")], "reflexarc train"),
    "unknown format": (
        lambda d: ["export", file(d, "model.keras", b"PK"), "--to", "int4"],
        "float32",
    ),
    "unknown asset": (lambda d: ["assets", "fetch", "minst"], "mnist-5k"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_explained_in_one_line(case: str, tmp_path: Path, reflexarc: Run) -> None:
    make, hint = CASES[case]
    arguments = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = reflexarc(*arguments)
    (line,) = (text for text in err.splitlines() if text.startswith("error: "))
    assert code == 2
    assert line.count("; ") >= 2 and line.startswith("error: expected ")
    assert hint in line
    assert "Traceback" not in out + err
    assert sorted(tmp_path.rglob("*")) == before


def test_json_gives_the_error_in_parts(reflexarc: Run, tmp_path: Path) -> None:
    code, out, _ = reflexarc("export", tmp_path / "m.keras", "--json")
    assert code == 2
    assert set(json.loads(out)) == {"error", "expected", "found", "remedy"}


def test_debug_shows_the_traceback(reflexarc: Run, tmp_path: Path) -> None:
    with pytest.raises(ReflexarcError):
        reflexarc("--debug", "see", tmp_path / "none")
