"""The time that cameras live by, so that a test can hold it, hasten it and let it stand."""

from __future__ import annotations

import threading
import time


class Clock:
    """The monotonic clock of this machine."""

    def now_ns(self) -> int:
        """Now, as `time.monotonic_ns` tells it."""
        return time.monotonic_ns()

    def sleep(self, seconds: float, unless: threading.Event) -> bool:
        """Let time pass until `unless` is set; gives whether it is."""
        return unless.wait(max(0.0, seconds))

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait for news of a condition that the caller holds, or until time is over."""
        condition.wait(seconds)


CLOCK = Clock()

_OLDEST_NS = 10_000_000_000


def as_monotonic(stamp_ns: int, now_ns: int) -> int:
    """A driver's capture time on the monotonic clock; `now_ns` where that cannot be.

    Drivers stamp by CLOCK_MONOTONIC or by CLOCK_BOOTTIME, which counts the time that the
    machine slept too. What is neither a moment ago is a clock of the driver's own.
    """
    asleep_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    for at in (stamp_ns, stamp_ns - asleep_ns):
        if now_ns - _OLDEST_NS <= at <= now_ns:
            return at
    return now_ns
