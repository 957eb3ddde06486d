"""How a camera is doing: frames, rate, losses, and what went wrong and right again."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from reflexarc.perception.frame import Frame

Health = Literal["opening", "ok", "stalled", "reopening", "failed", "ended", "closed"]
"""opening: no frame yet. stalled: it gives nothing, another opening is tried beside it.
reopening: it broke, and is opened again. failed: given up. ended: nothing more to come."""

_RATE_OF = 30  # frames over which the rate is measured
_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without frames.

    Attributes:
        began_ns: on the monotonic clock.
        what: went wrong first.
        attempts: openings that it took, or has taken so far.
        lasted_s: until the first frame came again; None while none has.
    """

    began_ns: int
    what: str
    attempts: int
    lasted_s: float | None


@dataclass(frozen=True, slots=True)
class CameraStatistics:
    """What became of a camera's frames.

    Attributes:
        health: see `Health`.
        captured: frames that the source gave, whole ones.
        given: of those, the ones that were iterated over.
        dropped: of those, the ones that a newer frame replaced.
        bad: frames that were corrupt or empty; they are left out.
        fps: frames a second by the stamps of the last 30 captured, None before the second.
        size: width and height of the last frame.
        outages: the last 1,000, the oldest first.
        failures, recoveries: how many outages began and ended.
    """

    health: Health
    captured: int = 0
    given: int = 0
    dropped: int = 0
    bad: int = 0
    fps: float | None = None
    size: tuple[int, int] | None = None
    outages: tuple[Outage, ...] = ()
    failures: int = 0
    recoveries: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Meter:
    """Counts frames and measures their rate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamps: deque[int] = deque(maxlen=_RATE_OF)
        self.captured = 0
        self.size: tuple[int, int] | None = None

    def count(self, frame: Frame) -> None:
        """A frame was captured."""
        with self._lock:
            self.captured += 1
            self.size = (frame.image.shape[1], frame.image.shape[0])
            self._stamps.append(frame.stamp_ns)

    def interrupted(self) -> None:
        """What comes next is no measure of the rate so far."""
        with self._lock:
            self._stamps.clear()

    def fps(self) -> float | None:
        """Frames a second."""
        with self._lock:
            if len(self._stamps) < 2 or self._stamps[-1] == self._stamps[0]:
                return None
            return (len(self._stamps) - 1) * 1e9 / (self._stamps[-1] - self._stamps[0])


class OutageLog:
    """The outages of a camera, and the one that lasts. Not thread-safe.

    Attributes:
        failures, recoveries: how many began, and ended.
    """

    def __init__(self) -> None:
        self._past: deque[Outage] = deque(maxlen=_KEPT)
        self._now: Outage | None = None
        self.failures = self.recoveries = 0

    @property
    def attempts(self) -> int:
        """Of the outage that lasts."""
        return 0 if self._now is None else self._now.attempts

    def began(self, now_ns: int, what: str) -> bool:
        """Something failed; gives whether it worked before."""
        if self._now is not None:
            self._now = replace(self._now, attempts=self._now.attempts + 1)
            return False
        self._now = Outage(now_ns, what, 1, None)
        self.failures += 1
        return True

    def lasting_s(self, now_ns: int) -> float:
        """How long the outage that lasts has lasted."""
        return 0.0 if self._now is None else (now_ns - self._now.began_ns) * 1e-9

    def ended(self, now_ns: int) -> float | None:
        """It works; gives how long it did not, None if it did before."""
        if self._now is None:
            return None
        lasted_s = self.lasting_s(now_ns)
        self._past.append(replace(self._now, lasted_s=lasted_s))
        self._now = None
        self.recoveries += 1
        return lasted_s

    def list(self) -> tuple[Outage, ...]:
        """The last 1,000, the oldest first."""
        running = () if self._now is None else (self._now,)
        return (*self._past, *running)[-_KEPT:]
