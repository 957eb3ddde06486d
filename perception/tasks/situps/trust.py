"""Which poses a counter may believe: those about as sure as this body's poses usually are.

Where a picture jumps, or half of a body leaves it, a pose net still answers, with points that
lie anywhere and scores that are low, but not low for every camera: in poor light all are as low.
So a pose is held against its own body's last ones.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from reflexarc.perception.keypoints import Pose

SHARE = 0.75
"""At 0.75 the film's cut shows a wrong phase 8 times in 72 plays, 28 times without this; from
0.9 on a right count is lost (`python -m benchmarks.sureness`)."""
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
        return pose.sureness >= SHARE * usual
