"""What a stranger gets: the wheel in an empty environment, without TensorFlow and the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: setuptools leaves build/ and egg-info beside what it builds.
    source = folder / "source"
    subprocess.run(["git", "init", "--quiet", str(source)], check=True)
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, files):
        target = source / name.decode()
        if (ROOT / name.decode()).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name.decode()).read_bytes())
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source)
    (built,) = folder.glob("reflexarc-*.whl")
    return built


@pytest.fixture(scope="module")
def bin_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(sys.executable, "-m", "venv", venv)
    lock = ROOT / "requirements" / "lock.txt"
    run(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "-c", lock, wheel)
    return venv / "bin"


def run(*command: object, cwd: Path | None = None) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "reflexarc/perception/weights/digits.tflite",
        "reflexarc/models/assets.yaml",
        "reflexarc/cli/demo/templates/report.html",
        "reflexarc/firmware_bridge/firmware/app/main.c",
        "reflexarc/firmware_bridge/firmware/chips/atmega328p/uart.c",
        "reflexarc/firmware_bridge/firmware/chips/atmega328p/chip.mk",
        "reflexarc/firmware_bridge/firmware/hal/hal.h",
        "reflexarc/firmware_bridge/firmware/generated/schema_hash.h",
        "reflexarc/firmware_bridge/emulator/wheel.c",
        "reflexarc/perception/py.typed",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith(("tests/", "reflexarc/tests"))]


@pytest.mark.timeout(600)
def test_it_installs_and_works_in_an_empty_environment(bin_folder: Path, tmp_path: Path) -> None:
    wall = np.full((240, 320, 3), 120, np.uint8)
    wall[60:180, 100:220] = 0
    cv2.line(wall, (160, 85), (160, 155), (240, 240, 240), 9, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "one.png"), wall)
    reflexarc = bin_folder / "reflexarc"
    seen = json.loads(run(reflexarc, "see", tmp_path / "one.png", "--jsonl", cwd=tmp_path))
    assert [d["label"] for d in seen["detections"]] == ["1"]
    checks = {c["name"]: c["found"] for c in json.loads(run(reflexarc, "doctor", "--json"))}
    assert checks["digits model"] and checks["runtime"] and not checks["training"]
    drive = (
        "from reflexarc.firmware_bridge import Board\n"
        "from reflexarc.firmware_bridge.emulator import EmulatedBoard\n"
        "with EmulatedBoard() as e, Board.connect(e.port) as b:\n"
        "    b.drive(1000, 1000); e.wait(0.2); print(e.status().speed[0] > 500)\n"
    )
    assert run(bin_folder / "python", "-c", drive, cwd=tmp_path).strip() == "True"


def test_every_task_looks_and_an_order_is_understood_there(
    bin_folder: Path, tmp_path: Path
) -> None:
    """With the base install alone: no TensorFlow, no embedding, no LLM."""
    reflexarc = bin_folder / "reflexarc"
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 120, np.uint8))
    names = ["classify", "digits", "faces", "mask", "people", "pose", "situps"]
    lines = run(
        reflexarc, "see", tmp_path / "wall.png", "--task", ",".join(names), "--jsonl", cwd=tmp_path
    )
    assert sorted(json.loads(line)["task"] for line in lines.splitlines()) == names
    plan = json.loads(run(reflexarc, "plan", "看到数字三就左转", "--json", cwd=tmp_path))
    (rule,) = plan["actions"]
    assert (rule["event"], rule["value"]) == ("digit_seen", 3)
    assert rule["actions"] == [{"do": "turn", "angle_deg": 90.0}]


def test_training_without_its_libraries_names_the_remedy(bin_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(bin_folder / "reflexarc"), "demo"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "pip install 'reflexarc[train]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
