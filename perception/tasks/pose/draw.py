"""Draw poses onto pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import Pose
from reflexarc.perception.overlay.skeleton import MIN_SCORE, draw_body


def draw_pose(
    image: npt.NDArray[np.uint8], pose: Pose | None, min_score: float = MIN_SCORE
) -> npt.NDArray[np.uint8]:
    """Give a copy of a picture (uint8 RGB) with the skeleton on it, see `draw_body`."""
    canvas = image.copy()
    if pose is not None:
        points = [(float(x), float(y)) for x, y in pose.points]
        draw_body(canvas, points, [float(score) for score in pose.scores], min_score)
    return canvas
