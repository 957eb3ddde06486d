"""Body keypoints: the one pose type that every pose model gives and every user takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# The COCO keypoint task's order (Lin et al. 2014). Left and right are the person's own.
COCO_KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)

_SURE = 5

KEYPOINT = {name: index for index, name in enumerate(COCO_KEYPOINTS)}
"""Keypoint name -> row of `Pose.points`."""


def sureness(scores: npt.NDArray[np.float32]) -> float:
    """Mean of the five best of a body's scores (17,): a face and shoulders do for a body."""
    return float(np.sort(scores)[-_SURE:].mean())


@dataclass(frozen=True, eq=False)
class Pose:
    """One body.

    Attributes:
        points: float32, shape (17, 2), x and y in pixels of the frame (origin
            top-left, x right, y down), rows as in COCO_KEYPOINTS. A point may lie
            outside the frame.
        scores: float32, shape (17,), 0..1, how sure each point is.
    """

    points: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]

    @property
    def sureness(self) -> float:
        """See `sureness`."""
        return sureness(self.scores)

    @property
    def torso_px(self) -> float:
        """Distance between the middle of the shoulders and the middle of the hips."""
        shoulders = self.points[[KEYPOINT["left_shoulder"], KEYPOINT["right_shoulder"]]]
        hips = self.points[[KEYPOINT["left_hip"], KEYPOINT["right_hip"]]]
        return float(np.linalg.norm(shoulders.mean(axis=0) - hips.mean(axis=0)))
