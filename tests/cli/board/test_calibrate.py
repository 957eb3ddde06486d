"""`reflexarc board calibrate` with a robot whose true measures are not the settings'."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from shell import Run

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.config import load_config

TRUE_DIAMETER, TRUE_SEPARATION = 66.4, 143.5
SHORT = ("--distance-m", 0.3, "--turns", 0.5, "--speed-mps", 0.4)


class Ruler:
    """A person who measures what the emulated wheels really did."""

    def __init__(self, emulator: EmulatedBoard) -> None:
        self.emulator = emulator
        self.before = (0, 0)

    def readline(self) -> str:
        encoder = self.emulator.status().encoder
        left, right = (now - then for now, then in zip(encoder, self.before, strict=True))
        if (left, right) == (0, 0):
            return "\n"  # Enter: it may start.
        self.before = encoder
        per_mm = 1440 / (math.pi * TRUE_DIAMETER)
        if left > 0:
            return f"{(left + right) / 2 / per_mm:.1f}\n"
        return f"{math.degrees((right - left) / per_mm / TRUE_SEPARATION):.1f}\n"


def test_wheels_find_the_true_robot_and_write_it_down(
    reflexarc: Run, emulator: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = tmp_path / "robot.yaml"
    robot.write_text("name: mine  # the red one\n")
    monkeypatch.setattr("sys.stdin", Ruler(emulator))
    code, out, err = reflexarc(
        "board", "calibrate", "wheels", emulator.port, *SHORT, "--robot", robot
    )
    assert code == 0, err
    assert emulator.status().duty == (0, 0)
    emulator.reset()
    with Board.connect(emulator.port) as board:
        assert board.info.settings_source == "saved"
        held = board.read_settings()
    # To the tenth of a millimetre or degree that the person read off.
    assert held.wheel_diameter_mm == pytest.approx(TRUE_DIAMETER, rel=1e-3)
    assert held.wheel_separation_mm == pytest.approx(TRUE_SEPARATION, rel=2e-3)
    geometry = load_config(robot).geometry
    assert geometry.wheel_diameter_m == pytest.approx(held.wheel_diameter_mm / 1000)
    assert geometry.wheel_separation_m == pytest.approx(held.wheel_separation_mm / 1000)
    assert robot.read_text().startswith("name: mine  # the red one\n")
    words = " ".join(out.split())
    assert f"wheel diameter, mm │ 65 │ {held.wheel_diameter_mm:g}" in words
    assert f"wheel separation, mm │ 150 │ {held.wheel_separation_mm:g}" in words


def test_measures_may_be_given_and_one_left_out(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, err = reflexarc(
        *("board", "calibrate", "wheels", emulator.port, *SHORT),
        *("--only", "diameter", "--measured-mm", 310, "--json"),
    )
    assert code == 0, err
    told = json.loads(out)
    counts = told["counts"]["straight"]
    assert [counts["left"], counts["right"]] == pytest.approx([2116, 2116], abs=60)
    diameter = 2 * 310 * 1440 / math.pi / (counts["left"] + counts["right"])
    assert told["old"] == {"wheel_diameter_mm": 65.0}
    assert told["new"]["wheel_diameter_mm"] == pytest.approx(diameter, abs=0.006)
    assert told["counts_per_m"] == pytest.approx(1440e3 / math.pi / diameter, rel=1e-3)


def test_a_slip_of_the_pen_changes_nothing(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, _, err = reflexarc(
        *("board", "calibrate", "wheels", emulator.port, *SHORT),
        *("--only", "diameter", "--measured-mm", 31),
    )
    assert code == 2 and "measure in millimetres" in " ".join(err.split())
    with Board.connect(emulator.port) as board:
        assert board.read_settings().wheel_diameter_mm == 65


def test_nothing_moves_for_a_robot_yaml_that_is_no_good(
    reflexarc: Run, emulator: EmulatedBoard, tmp_path: Path
) -> None:
    robot = tmp_path / "robot.yaml"
    robot.write_text("nmae: mine\n")
    code, _, err = reflexarc("board", "calibrate", "wheels", emulator.port, "--robot", robot)
    assert code == 2 and "did you mean name?" in " ".join(err.split())
    assert emulator.status().encoder == (0, 0)


def test_servo_centre_scale_and_limits(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, err = reflexarc(
        *("board", "calibrate", "servos", emulator.port, "--servo", "tilt"),
        *("--zero-deg", -4, "--measured-deg", 28, "--lowest-deg", -30, "--highest-deg", 60),
        "--json",
    )
    assert code == 0, err
    told = json.loads(out)
    assert told["new"] == {
        "tilt": {
            "lowest_deg": -30.0,
            "highest_deg": 60.0,
            # 30 degrees told, 32 done; and 4 too low.
            "scale_us": 844,
            "trim_us": 38,
            "speed_deg_s": 180,
        }
    }
    with Board.connect(emulator.port) as board:
        assert board.info.settings_source == "empty"  # as it was at the chip's start
        assert board.set_servos({"tilt": 90}) == {"tilt": 60}
        board.set_servos({"tilt": 0})
        assert emulator.wait(1.0).servo_us[1] == pytest.approx(1538, abs=4)


def test_servos_are_asked_one_by_one(
    reflexarc: Run, emulator: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["0", "30", "", "", "3", "33", "-40", "40", "0", "30", "", ""]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    code, out, err = reflexarc("board", "calibrate", "servos", emulator.port)
    assert code == 0, err
    words = " ".join(out.split())
    assert "tilt trim us │ 0 │ -30" in words and "tilt highest deg │ 90 │ 40" in words
    assert "pan" not in words and "gripper" not in words
    assert emulator.wait(0.1).servo_us == (0, 0, 0)


def test_show(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, _ = reflexarc("board", "calibrate", "show", emulator.port)
    assert code == 0 and "EEPROM is empty" in out and "7052" in out
    code, out, _ = reflexarc("board", "calibrate", "show", emulator.port, "--json")
    assert json.loads(out)["settings"]["wheel_separation_mm"] == 150


@pytest.mark.parametrize(
    "arguments",
    [
        ("wheels", "--only", "length"),
        ("servos", "--servo", "arm"),
        ("servos", "--zero-deg", 3),
    ],
)
def test_arguments_that_make_no_sense(reflexarc: Run, arguments: tuple[object, ...]) -> None:
    code, _, err = reflexarc("board", "calibrate", *arguments)
    assert code == 2 and "expected" in err
