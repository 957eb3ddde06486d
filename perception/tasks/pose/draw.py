"""Draw poses onto pictures."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import KEYPOINT, Pose

# COCO's skeleton, left in blue, right in orange, the middle in green (RGB).
_LEFT, _RIGHT, _MIDDLE = (60, 160, 255), (255, 140, 30), (60, 220, 90)
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


def draw_pose(
    image: npt.NDArray[np.uint8], pose: Pose | None, min_score: float = 0.2
) -> npt.NDArray[np.uint8]:
    """Give a copy of a picture (uint8 RGB) with the skeleton on it.

    Limbs are drawn where both ends score at least `min_score`: the person's own left
    in blue, right in orange, what joins the two in green.
    """
    canvas = image.copy()
    if pose is None:
        return canvas
    line = max(1, round(max(image.shape[:2]) / 200))
    ends = [(round(float(x)), round(float(y))) for x, y in pose.points]
    sure = pose.scores >= min_score
    for a, b, color in _LIMBS:
        if sure[a] and sure[b]:
            cv2.line(canvas, ends[a], ends[b], color, line, cv2.LINE_AA)
    for end, seen in zip(ends, sure, strict=True):
        if seen:
            cv2.circle(canvas, end, line + 1, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
    return canvas
