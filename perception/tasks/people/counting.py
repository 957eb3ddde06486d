"""Who crossed a line, and who is in a zone for how long.

A person is where its feet are: the middle of the box's lower edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reflexarc.perception.tasks.people.geometry import Point, Shape, crosses, inside, side

HYSTERESIS = 0.1
"""A person is on a side of a line only if the feet are this part of its height away from it:
one who stands on the line, or whose box trembles, crosses nothing."""
FORGET_NS = 60_000_000_000
"""What is known of a track that was not seen for so long is dropped."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a track is in a frame: feet and height, in one unit."""

    track: int
    feet: Point
    height: float


@dataclass
class _Side:
    """The side of a line that a track was last clearly on, where, and when it was seen."""

    right: bool
    feet: Point
    seen_ns: int


@dataclass
class LineCounter:
    """Counts crossings of a directed line, each way.

    In: from its left to its right, as somebody sees it who stands at its first point and
    looks to its second. A line from left to right in the picture counts those who come
    down the picture as in.

    Attributes:
        line: two points, in the unit of the steps.
        entered, left: crossings since the beginning.
    """

    line: Shape
    entered: int = 0
    left: int = 0
    _sides: dict[int, _Side] = field(default_factory=dict)

    def update(self, steps: list[Step], stamp_ns: int) -> None:
        """Take the next frame."""
        a, b = self.line
        for step in steps:
            away = side(a, b, step.feet)
            if abs(away) < HYSTERESIS * step.height:
                continue
            right = away > 0
            before = self._sides.get(step.track)
            # Who walks around an end changes sides and crosses nothing.
            if (
                before is not None
                and before.right != right
                and crosses(a, b, before.feet, step.feet)
            ):
                self.entered += right
                self.left += not right
            self._sides[step.track] = _Side(right, step.feet, stamp_ns)
        self._sides = {
            track: known
            for track, known in self._sides.items()
            if 0 <= stamp_ns - known.seen_ns <= FORGET_NS
        }


@dataclass
class _Stay:
    """Time that a track has spent in a zone, and when it was last seen there."""

    dwell_ns: int
    seen_ns: int


class ZoneTimer:
    """How long each track has been in a zone, all its visits together.

    Time counts between two frames if the track was in the zone in both.
    """

    def __init__(self, zone: Shape) -> None:
        """Take the corners, in the unit of the steps."""
        self._zone = np.asarray(zone, np.float32).reshape(-1, 1, 2)
        self._stays: dict[int, _Stay] = {}
        self._present: set[int] = set()

    def update(self, steps: list[Step], stamp_ns: int) -> dict[int, float]:
        """Take the next frame.

        Returns:
            Seconds in the zone, of each track that is in it.
        """
        present = {step.track for step in steps if inside(self._zone, step.feet)}
        for track in present:
            stay = self._stays.setdefault(track, _Stay(0, stamp_ns))
            if track in self._present:
                stay.dwell_ns += max(0, stamp_ns - stay.seen_ns)
            stay.seen_ns = stamp_ns
        self._present = present
        self._stays = {
            track: stay
            for track, stay in self._stays.items()
            if 0 <= stamp_ns - stay.seen_ns <= FORGET_NS
        }
        return {track: self._stays[track].dwell_ns / 1e9 for track in sorted(present)}
