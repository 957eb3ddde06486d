"""Which poses a counter may believe: those about as sure as this body's poses usually are.

Where a picture jumps, or half of a body leaves it, a pose net still answers, with points that
lie anywhere and scores that are low, but not low for every camera: in poor light all are as low.
So a pose is held against its own body's last ones.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from reflexarc.perception.keypoints import Pose

_SHARE = 0.75
"""Measured on the sit-up film in the box with frames dropped and moved (72 plays): nothing is
counted at its cut, where 1 play in 72 was counted without this; at 0.7 a wrong phase is still
seen four times as often."""
_USUAL = 30
"""Poses: two to three seconds. Light that stays poor is the usual then."""
_FIRST = 5


class Trust:
    """Of one body, pose by pose."""

    def __init__(self) -> None:
        """Nothing is usual yet: the first poses are believed."""
        self._sureness: deque[float] = deque(maxlen=_USUAL)

    def believes(self, pose: Pose) -> bool:
        """Take the next pose; is it about as sure as the last ones?"""
        usual = float(np.median(self._sureness)) if len(self._sureness) >= _FIRST else 0.0
        self._sureness.append(pose.sureness)
        return pose.sureness >= _SHARE * usual
