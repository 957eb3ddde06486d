"""Follow a person or a face: keep it in the middle and at a distance.

A pinhole camera of known field of view: the bearing is the angle of the box's middle, the
distance follows from the box's height and the usual height of what is followed. Somebody
near does not fit into the picture: what is cut off above or below goes by its width. Both
are held by proportional control; the gate limits what comes of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reflexarc.perception.observation import Detection
from reflexarc.robot.actions import Follow
from reflexarc.robot.body import REST, Wheels
from reflexarc.robot.config import CameraMount, Geometry, Limits
from reflexarc.robot.skills.base import Part, Senses, SkillError, Wish


@dataclass(frozen=True)
class Target:
    """What is followed.

    Attributes:
        task: that sees it.
        height_m, width_m: of the box around one of usual size.
        distance_m: to be kept.
    """

    task: str
    height_m: float
    width_m: float
    distance_m: float


# A standing adult, arms hanging; a face from the brows to the chin.
TARGETS = {
    "person": Target("people", 1.7, 0.5, 1.2),
    "face": Target("faces", 0.16, 0.14, 0.8),
}

_TURN_PER_S = 1.5  # rad/s of turning for each rad of bearing
_CENTRED_RAD = math.radians(4)
_SPEED_PER_S = 0.8  # m/s for each metre too far
_NEAR_ENOUGH_M = 0.1
_EDGE = 0.04
"""Of the picture's height: what ends so near to its edge goes on beyond it. Nets put the edge
of somebody who is cut off up to 3 % inside."""
_STRAIGHT_DEG = 2.0
_STRAIGHTEN_S = 3.0
_MAX_TURN_RAD_S = 1.2
_STALE_S = 0.6
"""An observation older than this says nothing about where somebody is now."""
_SURE = 0.2
"""Less sure, a box may keep a track alive, but is nobody to drive after: where somebody has
been, the people task sees a ghost of 0.07 for as long as one looks there."""
_SEARCH_AFTER_S = 1.0
_SEARCH_RAD_S = 0.6
_GIVE_UP_S = 12.0
"""A whole turn at the search's rate, and a little more."""


class Following:
    """Drives after the nearest one at first, then after the same track.

    The head looks ahead first; what turns it meanwhile is taken into account.
    """

    parts: frozenset[Part] = frozenset({"wheels"})

    def __init__(
        self, action: Follow, limits: Limits, geometry: Geometry, camera: CameraMount
    ) -> None:
        self._target = TARGETS[action.target]
        self._name = action.target
        self.tasks = frozenset({self._target.task})
        self._limits = limits
        self._separation_m = geometry.wheel_separation_m
        self._camera = camera
        self._track: int | None = None
        self._seen_ns: int | None = None
        self._side = 1.0  # where it was last seen: left is positive
        self._is_lost = False
        self._is_straight = False
        self._followed_s = 0.0
        self._last_ns: int | None = None

    def step(self, senses: Senses) -> Wish | None:
        """Speeds for now; never done by itself.

        Raises:
            SkillError: it was lost, looked for all around, and not found again.
        """
        pan_deg = senses.state.servos.get("pan") or 0.0
        if self._seen_ns is None:
            self._seen_ns = senses.now_ns
        if not self._is_straight:
            lasts_s = (senses.now_ns - self._seen_ns) * 1e-9
            self._is_straight = abs(pan_deg) <= _STRAIGHT_DEG or lasts_s > _STRAIGHTEN_S
            return Wish(REST, {} if self._is_straight else {"pan": 0.0})
        found = self._find(senses)
        if found is None:
            return self._search(senses)
        news = "found again" if self._is_lost else ""
        self._is_lost = False
        bearing, distance = self._place(found, senses.picture)
        bearing += math.radians(pan_deg)
        self._side = math.copysign(1.0, bearing)
        turn = _TURN_PER_S * bearing if abs(bearing) > _CENTRED_RAD else 0.0
        turn = max(-_MAX_TURN_RAD_S, min(_MAX_TURN_RAD_S, turn))
        error = distance - self._target.distance_m
        speed = _SPEED_PER_S * error if abs(error) > _NEAR_ENOUGH_M else 0.0
        # Towards the side first: driving on while turned away would lose it.
        speed *= max(0.0, math.cos(2 * bearing))
        speed = max(-self._limits.speed_mps / 2, min(self._limits.speed_mps, speed))
        return Wish(self._wheels(speed, turn), progress=news)

    def result(self) -> dict[str, float]:
        """For how long somebody was in view."""
        return {"followed_s": self._followed_s}

    def _find(self, senses: Senses) -> Detection | None:
        seen = senses.seen.get(self._target.task)
        if seen is None or senses.now_ns - seen.stamp_ns > _STALE_S * 1e9:
            self._last_ns = None
            return None
        sure = [found for found in seen.detections if found.score >= _SURE]
        mine = [d for d in sure if d.track == self._track and d.track is not None]
        # Another one only when this one has been away for a while.
        patient = self._track is not None and (
            senses.now_ns - (self._seen_ns or 0) < _SEARCH_AFTER_S * 1e9
        )
        found = mine or sorted(sure, key=lambda d: -d.box.height)
        if not found or (patient and not mine):
            self._last_ns = None
            return None
        if self._last_ns is not None:
            self._followed_s += (senses.now_ns - self._last_ns) * 1e-9
        self._track, self._seen_ns, self._last_ns = found[0].track, senses.now_ns, senses.now_ns
        return found[0]

    def _search(self, senses: Senses) -> Wish:
        assert self._seen_ns is not None
        lost_s = (senses.now_ns - self._seen_ns) * 1e-9
        if lost_s > _GIVE_UP_S:
            raise SkillError(
                expected=f"a {self._name} to follow",
                found=f"none for {_GIVE_UP_S:g} s, all around",
                remedy="stand in front of the camera, in the light, and say it again",
            )
        if lost_s < _SEARCH_AFTER_S:
            return Wish(REST)
        news = "" if self._is_lost else "lost, looking around"
        self._is_lost = True
        return Wish(self._wheels(0.0, self._side * _SEARCH_RAD_S), progress=news)

    def _place(self, found: Detection, picture: tuple[int, int]) -> tuple[float, float]:
        """Bearing (radians, left positive) and distance (metres)."""
        width, height = picture
        focal_px = width / 2 / math.tan(math.radians(self._camera.horizontal_fov_deg) / 2)
        middle = found.box.x + found.box.width / 2
        bearing = math.atan2(width / 2 - middle, focal_px)
        box, target = found.box, self._target
        edge = _EDGE * height
        is_whole = box.y > edge and box.y + box.height < height - edge
        by_height = focal_px * target.height_m / max(box.height, 1.0)
        by_width = focal_px * target.width_m / max(box.width, 1.0)
        return bearing, by_height if is_whole else min(by_height, by_width)

    def _wheels(self, speed: float, turn: float) -> Wheels:
        """From m/s and rad/s to the wheels."""
        half = turn * self._separation_m / 2
        return Wheels(speed - half, speed + half)
