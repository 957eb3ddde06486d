"""Time that passes only when a camera sleeps, or when a test says so."""

from __future__ import annotations

import threading
import time

from reflexarc.perception.cameras import Clock


class SimClock(Clock):
    """Sleeping advances it at once; who waits for news looks again every millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now_ns = 1_000_000_000_000
        self.slept: list[float] = []

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._now_ns += max(0, round(seconds * 1e9))

    def sleep(self, seconds: float, unless: threading.Event) -> bool:
        if not unless.is_set():
            self.slept.append(seconds)
            self.advance(seconds)
            time.sleep(0)  # let others see the new time
        return unless.is_set()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(0.001)
