"""What a repetition is: the cycle that both counters turn.

A full repetition: the trunk (the line from hip to shoulder) lies within DOWN_DEG of
the floor, rises to UP_DEG or more, and comes back to within DOWN_DEG. It counts when
it is back. An attempt that turns back before UP_DEG is partial. Getting up from the
floor, or lying down, is half a cycle and counts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from reflexarc.perception.keypoints import Pose

Phase = Literal["down", "rising", "up", "falling", "other"]
PHASES: tuple[Phase, ...] = get_args(Phase)
"""The labels of the net, in order. The fifth says that this body does no sit-ups: a
standing trunk is as upright as one at the top, and four phases alone would have to
call it "up"."""

DOWN_DEG = 20.0
UP_DEG = 50.0
"""Between a crunch, which lifts the shoulder blades (30 to 40 degrees at most), and a
whole sit-up, whose trunk comes near the upright."""


@dataclass(frozen=True, slots=True)
class Count:
    """What has been counted so far.

    Attributes:
        full: whole repetitions.
        partial: attempts from the floor that turned back before the top.
        phase: what the body does now.
        confidence: 0..1, how sure the phase is.
    """

    full: int
    partial: int
    phase: Phase
    confidence: float


class SitUpCounter(Protocol):
    """Counts one person's sit-ups, pose by pose."""

    def update(self, pose: Pose | None, stamp_ns: int) -> Count:
        """Take the pose seen at `stamp_ns` (monotonic), or None if nobody was seen.

        Frames may be dropped and the rate may change. A gap, or a clock that goes
        back, starts the cycle anew and keeps the counts.
        """
        ...


class Cycle:
    """Turns phases at a steady rate into counts.

    A phase must hold for `settle` steps before it moves the cycle, and "other" for
    `lost` steps (two seconds at 15 Hz: nobody stands up and lies down again sooner)
    before it breaks it: noise does neither.
    """

    def __init__(self, *, settle: int = 2, lost: int = 30) -> None:
        self._settle = settle
        self._lost = lost
        self.full = 0
        self.partial = 0
        self.restart()

    def restart(self) -> None:
        """Forget where in the cycle the body is; keep the counts."""
        self._stage: Literal["unknown", "down", "tried", "up"] = "unknown"
        self._phase: Phase = "other"
        self._held = 0

    def step(self, phase: Phase) -> None:
        """One more step of the steady rate."""
        self._held = self._held + 1 if phase == self._phase else 1
        self._phase = phase
        if self._held < (self._lost if phase == "other" else self._settle):
            return
        if phase == "other":
            self._stage = "unknown"
        elif phase == "down":
            self.full += self._stage == "up"
            self.partial += self._stage == "tried"
            self._stage = "down"
        elif phase == "rising" and self._stage == "down":
            self._stage = "tried"
        elif phase == "up" and self._stage != "unknown":
            self._stage = "up"
