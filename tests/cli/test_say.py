"""`reflexarc say`: an order from the shell to the pins of the emulated board."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import Run

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.living import Living, living
from reflexarc.robot.planners.opening import open_planner


def wait_for_wheels(emulator: EmulatedBoard, robot: subprocess.Popen[str]) -> None:
    while abs(emulator.status().speed[0]) < 1000:
        assert robot.poll() is None, "it ended before it moved"
        time.sleep(0.01)


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "reflexarc.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_an_order_is_done_on_the_board_itself(emulator: EmulatedBoard, reflexarc: Run) -> None:
    code, out, err = reflexarc("say", "turn left 30 degrees", "--port", emulator.port)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["Turn left 30°.", "started: turn +30°"]
    assert lines[2].startswith("finished: turn +30° (wheels -0.0")
    left, right = emulator.wait(0.1).encoder
    assert (right - left) / 7051.8 / 0.15 == pytest.approx(0.5236, rel=0.1)
    assert emulator.status().duty == (0, 0)


def test_as_json_what_is_risky_needs_yes(emulator: EmulatedBoard, reflexarc: Run) -> None:
    far = ("say", "look left and wave and drive back 2.1 metres", "--port", emulator.port, "--json")
    code, out, _ = reflexarc(*far)
    assert code == 1
    kinds = [json.loads(line)["reply"]["kind"] for line in out.splitlines()]
    assert kinds == ["confirm", "answer"]
    assert emulator.status().servo_us == (0, 0, 0)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_a_person_is_asked(
    emulator: EmulatedBoard, reflexarc: Run, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    read, write = os.pipe()
    os.write(write, typed.encode())
    os.close(write)
    with os.fdopen(read) as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        done = reflexarc("say", "turn left 400 degrees", "--port", emulator.port)
    assert "Shall I?" in done.out
    assert done.code == code


@pytest.mark.parametrize("text", ["fly to the moon", "turn off the safety limits"])
def test_what_is_refused_is_1_and_moves_nothing(
    emulator: EmulatedBoard, reflexarc: Run, text: str
) -> None:
    code, out, _ = reflexarc("say", text, "--port", emulator.port)
    assert code == 1
    assert out.strip()
    assert emulator.status().encoder == (0, 0)


def test_what_cannot_be_done_is_2_and_says_why(emulator: EmulatedBoard, reflexarc: Run) -> None:
    emulator.set_range(80)
    code, out, _ = reflexarc("say", "go forward 1 metre", "--port", emulator.port)
    assert code == 2
    assert "failed: expected a free way of 1.00 m; found something ahead at 0.08 m" in out
    assert emulator.status().encoder == (0, 0)


def test_an_empty_battery_is_2(emulator: EmulatedBoard, reflexarc: Run) -> None:
    emulator.set_battery(6.2)
    emulator.wait(0.3)
    code, out, _ = reflexarc("say", "nod", "--port", emulator.port)
    assert code == 2
    assert "failed: not armed: battery at 6." in out or "failed: battery at 6." in out


def test_no_board_is_2(reflexarc: Run, tmp_path: Path) -> None:
    code, _, err = reflexarc("say", "nod", "--port", tmp_path / "tty")
    assert code == 2
    assert err.startswith("error: expected")


def test_control_c_stops_the_motors(emulator: EmulatedBoard) -> None:
    with start("say", "go forward 2 metres", "--port", emulator.port) as robot:
        wait_for_wheels(emulator, robot)
        robot.send_signal(signal.SIGINT)
        _, err = robot.communicate(timeout=30)
        stopped = emulator.status()
    assert robot.returncode == 130
    assert "Traceback" not in err
    assert stopped.duty == (0, 0)


# ---- to a robot that runs


@pytest.fixture
def alive(board: Board) -> Iterator[Living]:
    with living(RobotConfig(), board, open_planner("parser"), speak=False) as robot:
        yield robot


def test_a_robot_that_runs_is_told(emulator: EmulatedBoard, alive: Living, reflexarc: Run) -> None:
    assert reflexarc("say", "make the light blue").out.splitlines() == [
        "Make the light blue.",
        "started: light blue",
        "finished: light blue",
    ]
    assert emulator.status().light == (0, 0, 1)
    assert reflexarc("say", "fly to the moon").code == 1
    assert reflexarc("say", "turn left 400 degrees", "--json").code == 1
    emulator.set_range(80)
    assert reflexarc("say", "go forward 1 metre").code == 2
    emulator.set_range(None)
    assert reflexarc("say", "stop").out == "Stopped.\n"


def test_control_c_stops_the_robot_that_runs(emulator: EmulatedBoard, alive: Living) -> None:
    with start("say", "go forward 2 metres") as talk:
        wait_for_wheels(emulator, talk)
        talk.send_signal(signal.SIGINT)
        talk.communicate(timeout=30)
    assert talk.returncode == 130
    assert emulator.wait(0.05).duty == (0, 0)
    assert not alive.robot.controller.busy
    assert alive.hear("make the light red").kind == "doing"  # it lives on
    alive.robot.check()


def test_of_two_robots_one_has_to_be_named(
    emulator: EmulatedBoard, alive: Living, reflexarc: Run, tmp_path: Path
) -> None:
    from reflexarc.robot.control import ControlServer

    with ControlServer("other", lambda request: iter(())):
        code, _, err = reflexarc("say", "nod")
        assert code == 2
        assert "found other, rover; name one with --robot" in err
        (tmp_path / "robot.yaml").write_text("name: rover")
        done = reflexarc("say", "make the light red", "--robot", tmp_path / "robot.yaml")
        assert done.code == 0
        assert emulator.status().light == (1, 0, 0)
