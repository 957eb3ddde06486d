"""What varies from sequence to sequence, and how far.

Training draws from the inner range only. A held-out sequence draws some of its
parameters from the margin around it, which training never saw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OUTSIDE = 0.35
"""A held-out sequence takes each parameter from the margin with this probability."""


@dataclass(frozen=True)
class Range:
    """Training: low..high. Held out also: least..low and high..most."""

    low: float
    high: float
    least: float
    most: float


RANGES = {
    # Body: lengths differ from the mean proportions by this share.
    "spread": Range(0.05, 0.12, 0.0, 0.18),
    # Camera: degrees, metres, frames per second.
    "yaw": Range(-34, 34, -42, 42),
    "tilt": Range(-3, 22, -6, 28),
    "roll": Range(-6, 6, -9, 9),
    "distance": Range(2.5, 6, 2.0, 9),
    "fps": Range(8, 35, 5, 60),
    # Sit-ups: seconds.
    "rise": Range(0.6, 2.0, 0.5, 3.0),
    "hold": Range(0.0, 0.8, 0.0, 2.0),
    "fall": Range(0.6, 2.0, 0.5, 3.0),
    "rest": Range(0.1, 1.2, 0.1, 3.0),
    # Sit-ups: degrees. Nobody can say whether 40 to 60 is a whole one: not drawn.
    "peak": Range(66, 95, 60, 105),
    "half": Range(26, 38, 23, 40),
    "knee": Range(6, 62, 0, 74),
    "curl": Range(5, 35, 0, 45),
    # Pose net: shares of the trunk's length; scores; probabilities.
    "jitter": Range(0.01, 0.05, 0.0, 0.06),
    "drift": Range(0.01, 0.06, 0.0, 0.08),
    "hip_slip": Range(0.0, 0.4, 0.0, 0.5),
    "score": Range(0.45, 0.95, 0.38, 1.0),
    "lost": Range(0.0, 0.05, 0.0, 0.08),
}


class Draw:
    """Parameters by name from RANGES, each drawn anew at every call."""

    def __init__(self, rng: np.random.Generator, *, held_out: bool) -> None:
        self.rng = rng
        # The choice of side is the sequence's, not the call's: all its repetitions are slow.
        self._outside = {name: held_out and rng.random() < OUTSIDE for name in RANGES}

    def __call__(self, name: str) -> float:
        """A value of the parameter `name`."""
        r = RANGES[name]
        if not self._outside[name]:
            return float(self.rng.uniform(r.low, r.high))
        # One number over both margins, so that each is as likely as it is wide.
        value = self.rng.uniform(0, (r.low - r.least) + (r.most - r.high))
        below = r.low - r.least
        return float(r.least + value if value < below else r.high + value - below)
