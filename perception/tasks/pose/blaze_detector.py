"""BlazePose's first stage: where in the picture a person is, and how the person lies.

The constants are those of MediaPipe's graph ``pose_detection_cpu`` (0.10.21): a
single-shot detector over 2,254 anchors that finds the face and two points that say
the rest, the middle of the hips and a point on the circle around the whole body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reflexarc.perception.fit import Placement

Values = npt.NDArray[np.float32]

SIZE = 224
MIN_SCORE = 0.5
_STRIDES = (8, 16, 32, 32, 32)
_MIN_IOU = 0.3
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
    """Centres of the detector's anchors, 0..1, x and y: float32 (2254, 2).

    Each grid has two anchors a cell for each of its layers; sizes do not matter
    here, for boxes are given in pixels of the input.
    """
    grids = []
    for stride in dict.fromkeys(_STRIDES):
        cells = SIZE // stride
        y, x = np.mgrid[:cells, :cells]
        centers = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        grids.append(centers.repeat(2 * _STRIDES.count(stride), axis=0))
    return np.concatenate(grids).astype(np.float32)


def best_person(boxes: Values, logits: Values, centers: Values, where: Placement) -> Person | None:
    """The surest person, or None.

    Detections that overlap the best one are averaged with it, weighted by their
    scores (MediaPipe's weighted non-maximum suppression).

    Args:
        boxes: (2254, 12): x, y, width and height of the face, then x and y of four
            points, in pixels of the detector's input from the anchor.
        logits: (2254,).
        centers: what `anchors` gave.
        where: how the picture lies in the detector's input.
    """
    scores = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    sure = scores >= MIN_SCORE
    if not sure.any():
        return None
    found, scores = boxes[sure].reshape(-1, 6, 2), scores[sure]
    # Row 1 is the size, all others are places.
    found[:, [0, 2, 3, 4, 5]] += (centers[sure] * SIZE)[:, None]
    best = int(scores.argmax())
    together = _iou(found[best], found) > _MIN_IOU
    weights = scores[together] / scores[together].sum()
    hips, around = np.einsum("n,nij->ij", weights, found[together])[2:4]
    hips = (hips - (where.left, where.top)) / (where.scale_x, where.scale_y)
    around = (around - (where.left, where.top)) / (where.scale_x, where.scale_y)
    return person_at(hips, around, float(scores[best]))


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


def _iou(one: Values, many: Values) -> Values:
    """Intersection over union of faces, rows (centre, size)."""
    low = np.maximum(one[0] - one[1] / 2, many[:, 0] - many[:, 1] / 2)
    high = np.minimum(one[0] + one[1] / 2, many[:, 0] + many[:, 1] / 2)
    shared = (high - low).clip(0).prod(axis=1)
    union = one[1].prod() + many[:, 1].prod(axis=1) - shared
    iou: Values = shared / np.maximum(union, 1e-9)
    return iou
