"""Where things are that move: along a path of the scenario, or to where an event sends them."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

from reflexarc.sim.scenario import Move
from reflexarc.sim.things import Board, Box, Cylinder


@dataclass(frozen=True)
class Place:
    """x, y in metres, yaw in radians."""

    x: float
    y: float
    yaw: float


class Mover:
    """One thing's way through time."""

    def __init__(self, thing: Board | Box | Cylinder) -> None:
        first = Place(*thing.at, math.radians(thing.yaw_deg))
        times, places = [0.0], [first]
        for point in thing.path:
            yaw = places[-1].yaw if point.yaw_deg is None else math.radians(point.yaw_deg)
            if point.t == 0:
                times, places = [], []
            times.append(point.t)
            places.append(Place(*point.at, yaw))
        self._times, self._places = times, places
        self._loop = thing.loop and len(times) > 1
        self._sent: tuple[float, Place, float, Place] | None = None

    def at(self, t: float) -> Place:
        """Where it is."""
        if self._sent is not None:
            begin, start, end, goal = self._sent
            return goal if t >= end else _between(start, goal, (t - begin) / (end - begin))
        if self._loop:
            t %= self._times[-1]
        later = bisect.bisect_right(self._times, t)
        if later == len(self._times):
            return self._places[-1]
        if later == 0:
            return self._places[0]
        begin, end = self._times[later - 1 : later + 1]
        return _between(self._places[later - 1], self._places[later], (t - begin) / (end - begin))

    def send(self, move: Move, t: float) -> None:
        """Send it somewhere, from where it is now; it leaves its path for good."""
        now = self.at(t)
        yaw = now.yaw if move.yaw_deg is None else math.radians(move.yaw_deg)
        self._sent = (t, now, t + move.seconds, Place(*move.to, yaw))


def _between(a: Place, b: Place, share: float) -> Place:
    return Place(
        a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share, a.yaw + (b.yaw - a.yaw) * share
    )
