"""A face in a picture, and where to look for one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

TASK = "faces"
LABEL = "face"
KEYPOINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
"""The order of keypoints. Right and left are the person's: of somebody who faces the
camera, the right eye is on the left of the picture."""
RIGHT_EYE, LEFT_EYE, NOSE, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)


@dataclass(frozen=True, slots=True)
class Square:
    """A part of a picture to look at; it may reach out of it.

    Attributes:
        x, y: its middle, pixels.
        side: pixels.
        angle: by which it is turned clockwise from upright, radians.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0


@dataclass(frozen=True)
class Face:
    """A face, in pixels of the picture.

    Attributes:
        left, top, right, bottom: from the brows to the chin; may reach out of the picture.
        points: float32 (6, 2), in the order of KEYPOINTS.
        score: how sure it is that this is a face, 0..1.
        has_ears: the detector knows where they are; else their places are guesses.
    """

    left: float
    top: float
    right: float
    bottom: float
    points: npt.NDArray[np.float32]
    score: float
    has_ears: bool = True

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

    def moved(self, x: float, y: float) -> Face:
        """The same face, so many pixels farther right and down."""
        return replace(
            self,
            left=self.left + x,
            right=self.right + x,
            top=self.top + y,
            bottom=self.bottom + y,
            points=self.points + np.array((x, y), np.float32),
        )

    def square(self, factor: float) -> Square:
        """A square around the face, turned with it, `factor` times as large."""
        return Square(self.x, self.y, factor * self.side, self.angle)


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of the boxes."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    union = _area(one) + _area(other) - shared
    return shared / union if union > 0 else 0.0


def _area(face: Face) -> float:
    return max(0.0, face.right - face.left) * max(0.0, face.bottom - face.top)
