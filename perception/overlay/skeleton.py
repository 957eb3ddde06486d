"""Bodies as sticks: COCO's 17 keypoints and what joins them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import KEYPOINT

MIN_SCORE = 0.2
"""Keypoints below are guesses and are left out."""

# Left in blue, right in orange, the middle in green (RGB).
_LEFT, _RIGHT, _MIDDLE = (60, 160, 255), (255, 140, 30), (60, 220, 90)
_WHITE = (255, 255, 255)
_LIMBS = tuple(
    (KEYPOINT[a], KEYPOINT[b], color)
    for color, pairs in (
        (
            _LEFT,
            "left_eye left_ear, left_shoulder left_elbow, left_elbow left_wrist, "
            "left_shoulder left_hip, left_hip left_knee, left_knee left_ankle, nose left_eye",
        ),
        (
            _RIGHT,
            "right_eye right_ear, right_shoulder right_elbow, right_elbow right_wrist, "
            "right_shoulder right_hip, right_hip right_knee, right_knee right_ankle, "
            "nose right_eye",
        ),
        (_MIDDLE, "left_shoulder right_shoulder, left_hip right_hip"),
    )
    for a, b in (pair.split() for pair in pairs.split(", "))
)


def draw_body(
    canvas: npt.NDArray[np.uint8],
    points: Sequence[tuple[float, float]],
    scores: Sequence[float],
    min_score: float = MIN_SCORE,
    *,
    dots: bool = True,
) -> None:
    """Draw a skeleton into a picture (uint8 RGB).

    Limbs are drawn where both ends score at least `min_score`: the person's own left in
    blue, right in orange, what joins the two in green. Points that are not COCO's 17 are
    drawn as dots only; without `dots` only limbs are drawn.
    """
    line = max(1, round(max(canvas.shape[:2]) / 200))
    reach = 4 * max(canvas.shape[:2])
    sure = [
        score >= min_score and abs(x) < reach and abs(y) < reach
        for (x, y), score in zip(points, scores, strict=True)
    ]
    ends = [
        (round(x), round(y)) if seen else (0, 0) for (x, y), seen in zip(points, sure, strict=True)
    ]
    if len(ends) == len(KEYPOINT):
        for a, b, color in _LIMBS:
            if sure[a] and sure[b]:
                cv2.line(canvas, ends[a], ends[b], color, line, cv2.LINE_AA)
    for end, seen in zip(ends, sure, strict=True):
        if seen and dots:
            cv2.circle(canvas, end, line + 1, _WHITE, cv2.FILLED, cv2.LINE_AA)
