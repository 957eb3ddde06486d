"""`reflexarc stop`: from any terminal, every robot, at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from shell import Run

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.control import ControlServer
from reflexarc.robot.gate import GateState
from reflexarc.robot.living import Living, living
from reflexarc.robot.planners.opening import open_planner


@pytest.fixture
def alive(board: Board) -> Iterator[Living]:
    with living(RobotConfig(), board, open_planner("parser"), speak=False) as robot:
        yield robot


def test_a_robot_in_mid_move_stops_and_stays_stopped(
    emulator: EmulatedBoard, alive: Living, reflexarc: Run
) -> None:
    alive.hear("go forward 2 metres")
    while emulator.status().speed[0] < 1000:
        time.sleep(0.01)
    assert reflexarc("stop") == (0, "rover: stopped\n", "")
    assert emulator.wait(0.05).duty == (0, 0)
    assert alive.robot.gate.state is GateState.STOPPED
    alive.hear("nod")
    assert not alive.robot.controller.busy
    assert emulator.status().servo_us == (0, 0, 0)

    assert reflexarc("stop", "--release") == (0, "rover: armed\n", "")
    assert alive.robot.gate.state is GateState.ARMED
    alive.hear("nod")
    assert alive.robot.controller.busy


def test_no_robot_is_1(reflexarc: Run) -> None:
    assert reflexarc("stop") == (1, "", "no robot runs\n")


def test_all_are_stopped_and_one_that_hangs_keeps_none(reflexarc: Run) -> None:
    asked = []

    def good(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        asked.append(request)
        yield {"done": True}

    def bad(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        time.sleep(3)
        yield {"done": True}

    with ControlServer("a-hangs", bad), ControlServer("b", good), ControlServer("c", good):
        code, out, err = reflexarc("stop")
    assert (code, out) == (2, "b: stopped\nc: stopped\n")
    assert err.startswith("a-hangs: expected the robot to go on; found timed out")
    assert asked == [{"stop": "emergency stop"}] * 2
