"""BlazePose's first stage: where in the picture a person is, and how the person lies.

The constants are those of MediaPipe's graph ``pose_detection_cpu`` (0.10.21): a
single-shot detector over 2,254 anchors that finds the face and two points that say
the rest, the middle of the hips and a point on the circle around the whole body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from reflexarc.perception.fit import Placement
from reflexarc.perception.tasks.blaze import Values, anchor_centers, decode, merge

SIZE = 224
MIN_SCORE = 0.5
_STRIDES = (8, 16, 32, 32, 32)
_SCALE = 1.25
"""The region is this much larger than the circle around the body."""


@dataclass(frozen=True, slots=True)
class Person:
    """A body in the picture: a square turned with it.

    Attributes:
        x, y: middle of the hips, pixels.
        side: of the square, pixels.
        angle: by which the body is turned clockwise from upright, radians.
        score: 0..1.
    """

    x: float
    y: float
    side: float
    angle: float
    score: float


def anchors() -> Values:
    """Centres of the detector's anchors in pixels of its input: float32 (2254, 2)."""
    return anchor_centers(SIZE, _STRIDES)


def best_person(boxes: Values, logits: Values, centers: Values, where: Placement) -> Person | None:
    """The surest person, or None.

    Args:
        boxes: (2254, 12): x, y, width and height of the face, then x and y of four
            points, in pixels of the detector's input from the anchor.
        logits: (2254,).
        centers: what `anchors` gave.
        where: how the picture lies in the detector's input.
    """
    people = merge(*decode(boxes, logits, centers, MIN_SCORE))
    if not people:
        return None
    found, score = people[0]
    hips, around = (found[2:4] - (where.left, where.top)) / (where.scale_x, where.scale_y)
    return person_at(hips, around, score)


def person_at(hips: npt.NDArray[Any], around: npt.NDArray[Any], score: float) -> Person:
    """From the middle of the hips and a point on the circle around the body, in pixels."""
    across, down = around - hips
    return Person(
        x=float(hips[0]),
        y=float(hips[1]),
        side=2 * math.hypot(across, down) * _SCALE,
        # Upright, the second point is straight above the hips.
        angle=math.atan2(down, across) + math.pi / 2,
        score=score,
    )
