"""The rolling skill against a plain model of two wheels; time is simulated."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_board import ModelBoard

from reflexarc.robot.actions import Move, Turn
from reflexarc.robot.config import Geometry, Limits
from reflexarc.robot.gate import Gate, GateState
from reflexarc.robot.skills import Roll, Senses, SkillError, roll_for

GEOMETRY = Geometry()
LIMITS = Limits()
PERIOD_S = 0.01


def roll(board: ModelBoard, skill: Roll, seconds: float = 40.0) -> float:
    """Until it is done; gives the fastest that a wheel was, m/s."""
    gate = Gate(board, LIMITS, GEOMETRY)
    gate.arm(0)
    fastest = 0.0
    for _ in range(round(seconds / PERIOD_S)):
        state = board.step()
        fastest = max(fastest, *(abs(speed) / GEOMETRY.counts_per_m for speed in board.speed))
        wish = skill.step(Senses(state.stamp_ns, state, blocked=gate.blocked))
        if wish is None:
            return fastest
        assert wish.wheels is not None
        gate.watch(state.stamp_ns, state, by_eye=False)
        gate.drive(wish.wheels, state.stamp_ns)
    pytest.fail("the skill did not end")


@given(st.floats(-5, 5).filter(lambda d: d == 0 or abs(d) >= 0.05))
@settings(max_examples=40)
def test_move_ends_at_its_distance_within_the_limits(distance: float) -> None:
    skill = roll_for(Move(distance_m=distance), LIMITS, GEOMETRY)
    fastest = roll(ModelBoard(GEOMETRY), skill)
    assert skill.travel.distance_m == pytest.approx(distance, abs=0.0025)
    assert fastest <= LIMITS.speed_mps * 1.01


@given(st.floats(-720, 720).filter(lambda a: abs(a) >= 20))
@settings(max_examples=40)
def test_turn_rolls_the_wheels_apart_by_the_arc(angle: float) -> None:
    skill = roll_for(Turn(angle_deg=angle), LIMITS, GEOMETRY)
    roll(ModelBoard(GEOMETRY), skill)
    turned = (skill.travel.right - skill.travel.left) / GEOMETRY.wheel_separation_m
    assert math.degrees(turned) == pytest.approx(angle, abs=2)
    assert abs(skill.travel.distance_m) < 0.002


def test_a_weak_wheel_is_helped_so_that_both_arrive_together() -> None:
    skill = roll_for(Move(distance_m=1.0), LIMITS, GEOMETRY)
    roll(ModelBoard(GEOMETRY, gain=(1.0, 0.85)), skill)
    assert skill.travel.left == pytest.approx(1.0, abs=0.01)
    assert skill.travel.left - skill.travel.right == pytest.approx(0, abs=0.01)


def test_wheels_that_do_not_turn_are_given_up() -> None:
    board = ModelBoard(GEOMETRY, gain=(0.0, 0.0))
    with pytest.raises(SkillError, match=r"no progress for 1.0 s after 0.000 m; free the wheels"):
        roll(board, roll_for(Move(distance_m=1.0), LIMITS, GEOMETRY))
    assert board.now_ns < 1.2e9


def test_wheels_that_turn_the_wrong_way_are_given_up() -> None:
    board = ModelBoard(GEOMETRY, gain=(-1.0, -1.0))
    with pytest.raises(SkillError, match="no progress"):
        roll(board, roll_for(Move(distance_m=1.0), LIMITS, GEOMETRY))
    assert board.now_ns < 1.2e9


def test_something_in_the_way_is_what_it_says(  # and not the motor's wires
) -> None:
    board = ModelBoard(GEOMETRY, range_m=0.1)
    with pytest.raises(SkillError, match=r"a free way of 1.00 m; found something ahead at 0.10 m"):
        roll(board, roll_for(Move(distance_m=1.0), LIMITS, GEOMETRY))
    assert board.metres() == pytest.approx((0.0, 0.0), abs=0.001)


@pytest.mark.parametrize(
    ("limits", "action"),
    [
        (Limits(distance_m=0.4), Move(distance_m=0.4)),
        (Limits(distance_m=0.4, speed_mps=0.8, acceleration_mps2=3.0), Move(distance_m=-0.4)),
        (Limits(angle_deg=90.0), Turn(angle_deg=90)),
        (Limits(angle_deg=45.0, speed_mps=0.1), Turn(angle_deg=-45)),
    ],
)
def test_what_the_plan_check_allows_the_gate_does_not_cut_off(
    limits: Limits, action: Move | Turn
) -> None:
    board = ModelBoard(GEOMETRY)
    gate = Gate(board, limits, GEOMETRY)
    gate.arm(0)
    skill = roll_for(action, limits, GEOMETRY)
    while (wish := skill.step(Senses(board.now_ns, board.step()))) is not None:
        assert wish.wheels is not None
        gate.drive(wish.wheels, board.now_ns)
        assert gate.state is GateState.ARMED, gate.reason
