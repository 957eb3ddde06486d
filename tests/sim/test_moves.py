"""Moves and turns under the real firmware: where they end, and what odometry makes of it.

All times are simulated, all places true.
"""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
from riding import Odometer, Ride, riding

pytest.importorskip("mujoco")

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.robot.actions import Action, Move, Repeat, Turn
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.plan import Plan
from reflexarc.robot.robot import Robot


def ordered(ride: Ride, *actions: Action, seconds: float = 30.0, **settings: Any) -> None:
    """A robot in this process does it, and comes to rest."""
    with (
        Board.connect(ride.plant.board.port) as board,
        Robot(RobotConfig(**settings), board) as robot,
    ):
        robot.controller.order(Plan(status="ok", actions=actions))
        ride.until(lambda: not robot.controller.busy, seconds)
        robot.check()
        ride.wait(0.4)


@pytest.mark.parametrize("distance", [0.5, -0.3, 1.0])
def test_a_move_ends_where_it_should(firmware: FirmwareImage, distance: float) -> None:
    with riding(firmware, start=(0.3, -0.2, math.radians(30))) as ride:
        ordered(ride, Move(distance_m=distance))
        x, y, yaw = ride.plant.pose
    there = (0.3 + distance * math.cos(math.radians(30)), -0.2 + distance * 0.5)
    assert math.dist((x, y), there) < 0.02
    assert math.degrees(yaw) == pytest.approx(30, abs=1)


@pytest.mark.parametrize("angle", [90, -45])
def test_a_turn_ends_where_it_should(firmware: FirmwareImage, angle: float) -> None:
    with riding(firmware) as ride:
        ordered(ride, Turn(angle_deg=angle))
        x, y, yaw = ride.plant.pose
    assert math.degrees(yaw) == pytest.approx(angle, abs=2)
    assert math.hypot(x, y) < 0.01


def test_wheel_odometry_around_a_square(firmware: FirmwareImage) -> None:
    """10 m of way; `SQUARE_SIDE_M=10 pytest -s` drives another."""
    side_m = float(os.environ.get("SQUARE_SIDE_M", "2.5"))
    with riding(firmware) as ride:
        odometer = Odometer(ride.plant)
        ride.watchers.append(odometer)
        half = Move(distance_m=side_m / 2)  # an order may say 5 m at most
        side = (half, half, Turn(angle_deg=90))
        ordered(ride, Repeat(times=4, actions=side), seconds=120.0, limits={"speed_mps": 0.6})
        x, y, yaw = ride.plant.pose
    off_m = math.dist((x, y), (odometer.x, odometer.y))
    turned_off_deg = math.degrees(math.remainder(odometer.yaw - yaw, 2 * math.pi))
    print(
        f"\n{odometer.way_m:.2f} m: odometry is {off_m * 100:.1f} cm "
        f"({100 * off_m / odometer.way_m:.2f} %) and {turned_off_deg:+.2f} degrees off"
    )
    assert odometer.way_m == pytest.approx(4 * side_m, rel=0.01)
    assert off_m < 0.03 * odometer.way_m
    assert abs(turned_off_deg) < 0.03 * 360
