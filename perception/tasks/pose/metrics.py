"""How far two models' poses of the same pictures lie apart.

A keypoint counts if the reference is sure of it: score at least MIN_SCORE, which is
the threshold of MoveNet's own examples. A body counts if the reference is sure of
both shoulders and both hips, and its torso is at least MIN_TORSO_PX long, because the
torso is the yardstick: PCK is the share of keypoints that lie within a fraction of
the torso's length (Sapp and Taskar 2013; the torso runs from the middle of the
shoulders to the middle of the hips). A body that the other model does not see at all
counts with all its keypoints as wrong.

Poses are compared in pixels of MoveNet's input, 192 x 192.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reflexarc.perception.keypoints import KEYPOINT, Pose

MIN_SCORE = 0.2
FRACTION = 0.5
MIN_TORSO_PX = 12.0
"""Three cells of MoveNet's maps. Below, half a torso is about one cell, and what was
found was mostly no person: phantoms of 6 pixels at the edges of things."""

_TORSO = [KEYPOINT[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]


@dataclass(frozen=True)
class PoseParity:
    """Poses against reference poses.

    Attributes:
        pck: share of counted keypoints within FRACTION of the torso, 0..1.
        mean_px: mean distance of those that both models give, in pixels.
        bodies, keypoints: how many counted.
        missed: bodies of these that the other model did not see.
    """

    pck: float
    mean_px: float
    bodies: int
    keypoints: int
    missed: int


def counted(reference: Pose | None) -> npt.NDArray[np.bool_]:
    """Which keypoints count, bool (17,): none where there is no sure torso."""
    if (
        reference is None
        or (reference.scores[_TORSO] < MIN_SCORE).any()
        or reference.torso_px < MIN_TORSO_PX
    ):
        return np.zeros(len(KEYPOINT), bool)
    sure: npt.NDArray[np.bool_] = reference.scores >= MIN_SCORE
    return sure


def distances(reference: Pose, other: Pose) -> npt.NDArray[np.float32]:
    """Distance of each keypoint to its counterpart in pixels, float32 (17,)."""
    apart: npt.NDArray[np.float32] = np.linalg.norm(reference.points - other.points, axis=1)
    return apart


def pck(reference: Pose, other: Pose | None, fraction: float = FRACTION) -> float:
    """Share of counted keypoints within `fraction` of the torso; nan where none counts."""
    counts = counted(reference)
    if not counts.any():
        return float("nan")
    if other is None:
        return 0.0
    near = distances(reference, other) <= fraction * reference.torso_px
    return float(near[counts].mean())


def compare(
    references: Sequence[Pose | None], others: Sequence[Pose | None], fraction: float = FRACTION
) -> PoseParity:
    """Set poses of the same pictures side by side, keypoint by keypoint.

    Returns:
        nan for `pck` and `mean_px` where nothing counts.
    """
    right, apart = 0.0, []
    keypoints = bodies = missed = 0
    for reference, other in zip(references, others, strict=True):
        counts = counted(reference)
        if reference is None or not counts.any():
            continue
        bodies += 1
        keypoints += int(counts.sum())
        right += pck(reference, other, fraction) * counts.sum()
        if other is None:
            missed += 1
        else:
            apart.append(distances(reference, other)[counts])
    return PoseParity(
        pck=float(right / keypoints) if keypoints else float("nan"),
        mean_px=float(np.concatenate(apart).mean()) if apart else float("nan"),
        bodies=bodies,
        keypoints=keypoints,
        missed=missed,
    )
