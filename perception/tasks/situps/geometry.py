"""The counter on angles alone: what the net has to beat."""

from __future__ import annotations

from collections import deque

import numpy as np

from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps.cycle import DOWN_DEG, UP_DEG, Count, Cycle, Phase
from reflexarc.perception.tasks.situps.features import (
    ANKLE,
    HIP,
    KNEE,
    SHOULDER,
    Floats,
    Resampler,
)

MARGIN_DEG = 5.0
"""Hysteresis: a phase is left this much later than it is entered."""

VISIBLE = 0.2
"""Shoulder, hip and knee must score this much for the angles to mean anything."""

FLOOR_DEG = 35.0
"""Who sits or lies on the floor has the ankles about level with the hip: the line
between them leans less than this. Who squats, stands or sits on a chair does not."""

HIP_DEG = 110.0
"""At the top the trunk is folded over the thighs by less than this."""

SMOOTH = 3
"""Angles are the median of so many steps: a single outlier does not move them."""


class GeometricCounter:
    """Counts sit-ups by trunk and hip angle with hysteresis (a `SitUpCounter`)."""

    def __init__(self) -> None:
        self._resampler = Resampler()
        self._cycle = Cycle()
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=SMOOTH)
        self._phase: Phase = "other"
        self._confidence = 0.0

    def update(self, pose: Pose | None, stamp_ns: int) -> Count:
        """See `SitUpCounter.update`."""
        due, broken = self._resampler.push(pose, stamp_ns)
        if broken:
            self._recent.clear()
            self._cycle.restart()
            self._phase, self._confidence = "other", 0.0
        for _, body in due:
            self._confidence = float(body[[SHOULDER, HIP, KNEE], 2].min())
            if self._confidence < VISIBLE:
                self._phase = "other"
            else:
                self._recent.append(angles(body))
                trunk, hip, floor = np.median(np.array(self._recent), axis=0)
                self._phase = _phase(self._phase, float(trunk), float(hip), float(floor))
            self._cycle.step(self._phase)
        return Count(self._cycle.full, self._cycle.partial, self._phase, self._confidence)


def angles(body: Floats) -> tuple[float, float, float]:
    """Trunk, hip and floor angle of a merged body (6, 3), in degrees.

    Returns:
        The trunk against the horizontal (0 lying on the back, 90 upright, more when
        bent forward), the angle between trunk and thigh at the hip, and the line from
        hip to ankle against the horizontal (-90: the ankles are straight below).
    """
    places = body[:, :2] * np.array([1, -1], np.float32)
    trunk, thigh, leg = (places[joint] - places[HIP] for joint in (SHOULDER, KNEE, ANKLE))
    feet = np.sign(leg[0] + thigh[0] - trunk[0]) or 1.0
    inclination = np.degrees(np.arctan2(trunk[1], -feet * trunk[0]))
    cosine = trunk @ thigh / max(float(np.hypot(*trunk) * np.hypot(*thigh)), 1e-6)
    folded = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    floor = np.degrees(np.arctan2(leg[1], feet * leg[0]))
    return float(inclination), float(folded), float(floor)


def _phase(last: Phase, trunk: float, hip: float, floor: float) -> Phase:
    """The phase that follows `last` at these angles."""
    if abs(floor) > FLOOR_DEG:
        return "other"
    if trunk <= DOWN_DEG + (MARGIN_DEG if last == "down" else 0):
        return "down"
    if trunk >= UP_DEG - (MARGIN_DEG if last == "up" else 0) and hip <= HIP_DEG:
        return "up"
    if last == "down":
        return "rising"
    return "falling" if last == "up" else last
