"""Between ROS time and the monotonic clock that everything below the nodes lives by."""

from __future__ import annotations

import time

from builtin_interfaces.msg import Time
from rclpy.clock import Clock

_SAME_NS = 50_000_000
"""Simulated time comes a hundred times a second, and a process may be held up."""


class Stamps:
    """Converts stamps by comparing both clocks at each call: a clock that jumps is followed.

    Args:
        clock: of the node; simulated time too.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def to_ros(self, monotonic_ns: int) -> Time:
        """ROS time of a monotonic time; never before zero, which messages cannot say."""
        return self._message(self._clock.now().nanoseconds - (time.monotonic_ns() - monotonic_ns))

    def to_monotonic(self, stamp: Time) -> int:
        """Monotonic time of a ROS time. An unset stamp (zero) is now."""
        now = time.monotonic_ns()
        at = stamp.sec * 1_000_000_000 + stamp.nanosec
        return now if at == 0 else now - (self._clock.now().nanoseconds - at)

    def captured(self, monotonic_ns: int, stamp: Time) -> int:
        """When something was captured, monotonic here, never later than now.

        Args:
            monotonic_ns: as its machine's monotonic clock had it; 0: unknown.
            stamp: the same in ROS time.

        The first is exact, and true if that machine is this one: if both agree.
        """
        at = self.to_monotonic(stamp)
        if monotonic_ns and abs(at - monotonic_ns) < _SAME_NS:
            at = monotonic_ns
        return min(at, time.monotonic_ns())

    def now(self) -> Time:
        """ROS time, now."""
        return self._message(self._clock.now().nanoseconds)

    @staticmethod
    def _message(nanoseconds: int) -> Time:
        sec, nanosec = divmod(max(0, nanoseconds), 1_000_000_000)
        return Time(sec=sec, nanosec=nanosec)
