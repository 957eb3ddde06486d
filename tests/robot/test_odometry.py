"""Encoder counts to a pose: geometry that must come out, and how sure it claims to be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_board import ModelBoard

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.config import Geometry
from reflexarc.robot.odometry import WHEEL_NOISE_M, Odometry, Pose

GEOMETRY = Geometry()
PER_M = GEOMETRY.counts_per_m
BLANK = ModelBoard(GEOMETRY).state()
ways = st.lists(st.tuples(st.integers(-400, 400), st.integers(-400, 400)), min_size=1, max_size=60)


def state(
    left: float, right: float, chip_us: int = 0, speed: tuple[int, int] = (0, 0)
) -> BoardState:
    return replace(BLANK, encoder=(round(left), round(right)), chip_us=chip_us, speed=speed)


def driven(steps: list[tuple[int, int]], start: tuple[int, int] = (0, 0)) -> Odometry:
    odometry = Odometry(GEOMETRY)
    left, right = start
    odometry.take(state(left, right))
    for number, (dl, dr) in enumerate(steps, 1):
        left, right = left + dl, right + dr
        odometry.take(state(left, right, number * 10_000))
    return odometry


def test_straight_ahead_is_x() -> None:
    pose = driven([(round(PER_M), round(PER_M))]).pose
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((1.0, 0.0, 0.0), abs=1e-3)


def test_a_left_turn_on_the_spot_is_a_positive_yaw() -> None:
    quarter = round(math.pi / 2 * GEOMETRY.wheel_separation_m / 2 * PER_M)
    pose = driven([(-quarter, quarter)]).pose
    assert (pose.x, pose.y) == (0.0, 0.0)
    assert pose.yaw == pytest.approx(math.pi / 2, abs=1e-3)


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_an_arc_comes_out_exactly_in_however_many_steps(steps: int) -> None:
    """A quarter of a circle of 1 m to the left."""
    inner, outer = (math.pi / 2 * (1 + side * 0.075) * PER_M for side in (-1, 1))
    odometry = Odometry(GEOMETRY)
    for i in range(steps + 1):
        odometry.take(state(inner * i / steps, outer * i / steps, i))
    pose = odometry.pose
    assert (pose.x, pose.y) == pytest.approx((1.0, 1.0), abs=2e-3)
    assert pose.yaw == pytest.approx(math.pi / 2, abs=2e-3)


@given(ways)
def test_driving_back_the_same_way_comes_back(steps: list[tuple[int, int]]) -> None:
    back = [(-dl, -dr) for dl, dr in reversed(steps)]
    pose = driven(steps + back).pose
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


@given(ways, st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_only_differences_count_also_over_the_wrap_of_32_bits(
    steps: list[tuple[int, int]], left: int, right: int
) -> None:
    expected = driven(steps).pose
    odometry = Odometry(GEOMETRY)
    odometry.take(state(left, right))
    for number, (dl, dr) in enumerate(steps, 1):
        left, right = left + dl, right + dr
        wrapped = [(count + 2**31) % 2**32 - 2**31 for count in (left, right)]
        odometry.take(state(*wrapped, number))
    assert odometry.pose == expected


@given(ways, ways)
def test_a_chip_that_starts_anew_moves_nothing(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    """Noticed by its clock alone; then it goes on from where it was."""
    odometry = driven(before)
    at = odometry.pose
    assert odometry.take(state(0, 0, chip_us=5)) == at
    left = right = 0
    for number, (dl, dr) in enumerate(after, 1):
        left, right = left + dl, right + dr
        odometry.take(state(left, right, 5 + number))
    ahead = driven(after).pose
    cos, sin = math.cos(at.yaw), math.sin(at.yaw)
    assert (odometry.pose.x, odometry.pose.y, odometry.pose.yaw) == pytest.approx(
        (
            at.x + cos * ahead.x - sin * ahead.y,
            at.y + sin * ahead.x + cos * ahead.y,
            at.yaw + ahead.yaw,
        ),
        abs=1e-9,
    )


def test_a_restart_that_is_told_is_one_even_if_the_clock_has_gone_on() -> None:
    odometry = driven([(1000, 1000)])
    at = odometry.pose
    odometry.restart()
    assert odometry.take(state(0, 0, chip_us=90_000_000)) == at


def test_what_was_rolled_uncounted_at_a_restart_makes_it_less_sure() -> None:
    odometry = driven([(1000, 1000)])
    odometry.take(state(1000, 1000, 20_000, speed=(2000, 2000)))
    before = odometry.covariance.copy()
    odometry.restart()
    assert (np.diag(odometry.covariance) >= np.diag(before)).all()
    assert odometry.covariance[0, 0] > before[0, 0] + 0.05**2


@given(ways)
def test_the_covariance_is_one_and_never_shrinks_in_yaw(steps: list[tuple[int, int]]) -> None:
    odometry = Odometry(GEOMETRY)
    odometry.take(state(0, 0))
    left = right = 0
    yaw = 0.0
    for number, (dl, dr) in enumerate(steps, 1):
        left, right = left + dl, right + dr
        odometry.take(state(left, right, number))
        assert odometry.covariance[2, 2] >= yaw
        yaw = odometry.covariance[2, 2]
    assert odometry.covariance == pytest.approx(odometry.covariance.T, abs=1e-15)
    assert (np.linalg.eigvalsh(odometry.covariance) >= -1e-15).all()
    if all(step == (0, 0) for step in steps):
        assert not odometry.covariance.any()


def test_it_claims_what_wheels_with_that_noise_really_do() -> None:
    """Five hundred robots with noisy wheels along an S; their spread is the covariance."""
    rng = np.random.default_rng(7)
    steps = [(200, 260)] * 15 + [(260, 200)] * 15
    claimed = driven(steps)
    ends = []
    for _ in range(500):
        odometry = Odometry(GEOMETRY)
        at = np.zeros(2)
        for number, step in enumerate([(0, 0), *steps]):
            sigma = np.sqrt(WHEEL_NOISE_M * np.abs(step) / PER_M) * PER_M
            at = at + step + rng.normal(0, 1, 2) * sigma
            odometry.take(replace(BLANK, encoder=tuple(at), chip_us=number))  # type: ignore[arg-type]
        ends.append([odometry.pose.x, odometry.pose.y, odometry.pose.yaw])
    real = np.cov(np.array(ends).T)
    assert np.sqrt(np.diag(claimed.covariance)) == pytest.approx(np.sqrt(np.diag(real)), rel=0.1)
    assert claimed.covariance[1, 2] == pytest.approx(real[1, 2], rel=0.2)


def test_speeds_become_a_velocity_in_si() -> None:
    odometry = Odometry(GEOMETRY)
    odometry.take(state(0, 0, speed=(1000, 2000)))
    assert odometry.velocity.ahead == pytest.approx(1500 / PER_M)
    assert odometry.velocity.turning == pytest.approx(1000 / PER_M / 0.15)
    ahead, turning = odometry.velocity_variance(0.02)
    assert 0 < ahead < 0.02**2
    assert 0 < turning < 0.3**2
    assert odometry.pose == Pose()
