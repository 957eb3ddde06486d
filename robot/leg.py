"""How far one movement has gone, from rest to rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reflexarc.robot.body import Wheels
from reflexarc.robot.config import Limits

_SLACK = 1.1
"""Speeds sent and speeds rolled differ by a few per cent: a movement of just the limit ends."""


@dataclass
class Leg:
    """One movement: since when, and what the wheels were told so far."""

    since_ns: int = 0
    distance_m: float = 0.0
    angle_rad: float = 0.0

    def add(self, speeds: Wheels, seconds: float, wheel_separation_m: float) -> None:
        """The wheels went at these speeds for a time."""
        self.distance_m += abs(speeds.left + speeds.right) / 2 * seconds
        self.angle_rad += abs(speeds.right - speeds.left) / wheel_separation_m * seconds

    def excess(self, now_ns: int, limits: Limits) -> str:
        """Which limit it has passed, in words; empty: none."""
        for measure, most, slack, unit in (
            (self.distance_m, limits.distance_m, _SLACK, "m"),
            (math.degrees(self.angle_rad), limits.angle_deg, _SLACK, "degrees"),
            ((now_ns - self.since_ns) * 1e-9, limits.duration_s, 1.0, "s"),
        ):
            if measure > most * slack:
                return f"more than {most:g} {unit} without a rest"
        return ""
