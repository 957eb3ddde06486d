"""Between ROS time and the monotonic clock."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from rclpy.clock import ROSClock
from rclpy.time import Time as RosTime

from reflexarc.robot.nodes.stamps import Stamps

S = 1_000_000_000
CLOSE = 20_000_000


@pytest.fixture
def clock() -> ROSClock:
    """Simulated time, 100 s since its start."""
    clock = ROSClock()
    clock._set_ros_time_is_active(True)
    set_to(clock, 100.0)
    return clock


def set_to(clock: ROSClock, seconds: float) -> None:
    clock.set_ros_time_override(RosTime(seconds=seconds, clock_type=clock.clock_type))


def test_there_and_back(clock: ROSClock) -> None:
    stamps = Stamps(clock)
    at = time.monotonic_ns() - S
    stamp = stamps.to_ros(at)
    assert 98 <= stamp.sec <= 99
    assert abs(stamps.to_monotonic(stamp) - at) < CLOSE


def test_the_exact_time_holds_where_it_is_of_this_machine(clock: ROSClock) -> None:
    stamps = Stamps(clock)
    at = time.monotonic_ns() - S // 10
    # Simulated time comes in steps: the stamp is 10 ms off.
    assert stamps.captured(at, stamps.to_ros(at + 10_000_000)) == at


def test_another_machines_clock_is_not_believed(clock: ROSClock) -> None:
    stamps = Stamps(clock)
    at = time.monotonic_ns() - S // 10
    stamp = stamps.to_ros(at)
    for strange in (0, at - 2 * S, at + 3600 * S):
        assert abs(stamps.captured(strange, stamp) - at) < CLOSE


def test_nothing_was_captured_in_the_future(clock: ROSClock) -> None:
    stamps = Stamps(clock)
    future = stamps.to_ros(time.monotonic_ns() + 50 * S)
    assert stamps.captured(time.monotonic_ns() + 50 * S, future) <= time.monotonic_ns()
    stamp = stamps.to_ros(time.monotonic_ns())
    set_to(clock, 1.0)  # the simulation began anew
    assert stamps.captured(0, stamp) <= time.monotonic_ns()


def test_an_unset_stamp_is_now(clock: ROSClock) -> None:
    before = time.monotonic_ns()
    assert before <= Stamps(clock).captured(0, Time()) <= time.monotonic_ns()
