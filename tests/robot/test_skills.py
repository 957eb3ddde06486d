"""The rolling skill against a plain model of two wheels; time is simulated."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.actions import Move, Turn
from reflexarc.robot.config import Geometry, Limits
from reflexarc.robot.gate import Gate
from reflexarc.robot.skills import Roll, SkillError, skill_for

GEOMETRY = Geometry()
LIMITS = Limits()
PERIOD_S = 0.01


class Rover:
    """Two wheels that follow a speed order with a lag of 60 ms, each in its own way."""

    def __init__(self, gain: tuple[float, float] = (1.0, 1.0)) -> None:
        self.gain = gain
        self.order = (0.0, 0.0)
        self.speed = [0.0, 0.0]
        self.position = [0.0, 0.0]
        self.now_ns = 0
        self.fastest = 0.0

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self.order = (left, right)
        return left, right

    def stop(self) -> None:
        self.order = (0.0, 0.0)

    def step(self) -> BoardState:
        share = 1 - math.exp(-PERIOD_S / 0.06)
        for i in (0, 1):
            self.speed[i] += share * (self.order[i] * self.gain[i] - self.speed[i])
            self.position[i] += self.speed[i] * PERIOD_S
            self.fastest = max(self.fastest, abs(self.speed[i]) / GEOMETRY.counts_per_m)
        self.now_ns += round(PERIOD_S * 1e9)
        return BoardState(
            stamp_ns=self.now_ns,
            measured_ns=self.now_ns,
            chip_us=self.now_ns // 1000,
            encoder=(math.floor(self.position[0]), math.floor(self.position[1])),
            speed=(round(self.speed[0]), round(self.speed[1])),
            duty=(0, 0),
            battery_v=7.4,
            motors_on=True,
            host_timed_out=False,
            watchdog_reset=False,
            saturated=False,
            bump=False,
            emergency_stop=False,
            servos_moving=False,
            saving=False,
            faults=frozenset(),
            range_m=None,
            servos={},
            rx_errors=0,
            longest_period_us=0,
            stack_free=0,
        )


def roll(rover: Rover, skill: Roll, seconds: float = 40.0) -> None:
    gate = Gate(rover, LIMITS, GEOMETRY)
    gate.arm(0)
    for _ in range(round(seconds / PERIOD_S)):
        state = rover.step()
        wheels = skill.step(state)
        if wheels is None:
            return
        gate.drive(wheels, state.stamp_ns)
    pytest.fail("the skill did not end")


@given(st.floats(-5, 5).filter(lambda d: d == 0 or abs(d) >= 0.05))
@settings(max_examples=40)
def test_move_ends_at_its_distance_within_the_limits(distance: float) -> None:
    rover = Rover()
    skill = skill_for(Move(distance_m=distance), LIMITS, GEOMETRY)
    roll(rover, skill)
    assert skill.travel.distance_m == pytest.approx(distance, abs=0.0025)
    assert rover.fastest <= LIMITS.speed_mps * 1.01


@given(st.floats(-720, 720).filter(lambda a: abs(a) >= 20))
@settings(max_examples=40)
def test_turn_rolls_the_wheels_apart_by_the_arc(angle: float) -> None:
    rover = Rover()
    skill = skill_for(Turn(angle_deg=angle), LIMITS, GEOMETRY)
    roll(rover, skill)
    turned = (skill.travel.right - skill.travel.left) / GEOMETRY.wheel_separation_m
    assert math.degrees(turned) == pytest.approx(angle, abs=2)
    assert abs(skill.travel.distance_m) < 0.002


def test_a_weak_wheel_is_helped_so_that_both_arrive_together() -> None:
    rover = Rover(gain=(1.0, 0.85))
    skill = skill_for(Move(distance_m=1.0), LIMITS, GEOMETRY)
    roll(rover, skill)
    assert skill.travel.left == pytest.approx(1.0, abs=0.01)
    assert skill.travel.left - skill.travel.right == pytest.approx(0, abs=0.01)


def test_wheels_that_do_not_turn_are_given_up() -> None:
    rover = Rover(gain=(0.0, 0.0))
    with pytest.raises(SkillError, match=r"no progress for 1.0 s after 0.000 m; free the wheels"):
        roll(rover, skill_for(Move(distance_m=1.0), LIMITS, GEOMETRY))
    assert rover.now_ns < 1.2e9


def test_wheels_that_turn_the_wrong_way_are_given_up() -> None:
    rover = Rover(gain=(-1.0, -1.0))
    with pytest.raises(SkillError, match="no progress"):
        roll(rover, skill_for(Move(distance_m=1.0), LIMITS, GEOMETRY))
    assert rover.now_ns < 1.2e9
