"""A face in a picture, and how sure it is one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

KEYPOINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
"""The order of keypoints. Right and left are the person's: of somebody who faces the
camera, the right eye is on the left of the picture."""
RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)


@dataclass(frozen=True)
class Face:
    """A face, in pixels of the picture.

    Attributes:
        left, top, right, bottom: from the brows to the chin; may reach out of the picture.
        points: float32 (6, 2), in the order of KEYPOINTS.
        score: how sure it is that this is a face, 0..1.
    """

    left: float
    top: float
    right: float
    bottom: float
    points: npt.NDArray[np.float32]
    score: float

    @property
    def x(self) -> float:
        """Middle of the box."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        """Middle of the box."""
        return (self.top + self.bottom) / 2

    @property
    def side(self) -> float:
        """The longer side of the box."""
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def angle(self) -> float:
        """By which the head is tilted clockwise from upright, by its eyes, radians."""
        across, down = self.points[LEFT_EYE] - self.points[RIGHT_EYE]
        return math.atan2(down, across)


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of the boxes."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(face: Face) -> float:
    return max(0.0, face.right - face.left) * max(0.0, face.bottom - face.top)
