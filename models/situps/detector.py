"""What a pose net makes of a projected body: noise, hidden sides, lost joints, lost frames.

The kinds of error were seen with MoveNet Lightning and BlazePose on `data/situps`:
joints wander and jump; at the top of a sit-up the hip slips up the trunk, hidden by
the arms; a leg is lost for a while; the far side is a guess. Sizes are shares of the
trunk's length.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reflexarc.models.situps.body import Array
from reflexarc.models.situps.ranges import Draw
from reflexarc.perception.keypoints import COCO_KEYPOINTS, KEYPOINT, Pose

WANDER_S = 0.4
"""Time constant of the slow error."""

FACE = slice(0, 5)
LEFT = np.array([name.startswith("left_") for name in COCO_KEYPOINTS])
RIGHT = np.array([name.startswith("right_") for name in COCO_KEYPOINTS])
LEGS = np.array([KEYPOINT[f"{side}_{j}"] for side in ("left", "right") for j in ("knee", "ankle")])


def observe(
    points: Array, inclination: Array, seconds: Array, near_left: bool, draw: Draw
) -> list[Pose | None]:
    """Poses as a net would give them.

    Args:
        points: shape (t, 17, 2), the true places, pixels.
        inclination: shape (t,), the trunk against the floor, degrees.
        seconds: shape (t,), when.
        near_left: the camera sees the left side well.
        draw: parameters and randomness.
    """
    rng = draw.rng
    n = len(points)
    trunks = np.linalg.norm(points[:, 5:7].mean(axis=1) - points[:, 11:13].mean(axis=1), axis=-1)
    size = float(np.median(trunks))
    far = RIGHT if near_left else LEFT
    loud = np.where(far, rng.uniform(1, 2.2), 1.0)
    loud[FACE] *= 0.5

    seen = points + _hip_slip(points, inclination, draw("hip_slip"))
    # The far side is often drawn onto the near one.
    near = seen.copy()
    near[:, 1::2], near[:, 2::2] = (
        (seen[:, 1::2], seen[:, 1::2]) if near_left else (seen[:, 2::2], seen[:, 2::2])
    )
    seen += float(rng.uniform(0, 1)) * far[:, None] * (near - seen)
    jitter = draw("jitter") * rng.normal(size=seen.shape)
    error = (jitter + draw("drift") * _wander(seconds, rng)) * loud[:, None]

    scores = draw("score") * np.where(far, rng.uniform(0.35, 1.0), 1.0)
    scores = scores + rng.normal(0, 0.07, (n, 17))
    lost = draw("lost")
    jumps = rng.random((n, 17)) < lost * 0.4
    error = np.where(jumps[..., None], rng.normal(0, 0.5, seen.shape), error)
    scores = np.where(jumps, scores * rng.uniform(0.3, 0.9, (n, 17)), scores)
    for part in (LEGS, np.arange(7, 11), np.flatnonzero(far)):
        for first, last in _blocks(seconds, 0.5 * lost, (0.2, 1.2), rng):
            error[first:last, part] += rng.normal(0, 0.25, (len(part), 2))
            scores[first:last, part] *= rng.uniform(0.1, 0.7)
    seen += error * size
    scores = np.clip(scores, 0.01, 1.0)

    gone = rng.random(n) < lost
    for first, last in _blocks(seconds, 2 * lost, (0.1, 0.5), rng):
        gone[first:last] = True
    return [
        None if gone[i] else Pose(seen[i].astype(np.float32), scores[i].astype(np.float32))
        for i in range(n)
    ]


def _hip_slip(points: Array, inclination: Array, share: float) -> Array:
    """The hips' shift towards the shoulders as the trunk comes up: (t, 17, 2)."""
    hips = [KEYPOINT["left_hip"], KEYPOINT["right_hip"]]
    shoulders = [KEYPOINT["left_shoulder"], KEYPOINT["right_shoulder"]]
    up = np.clip((inclination - 15) / 40, 0, 1)[:, None, None] * share
    shift = np.zeros_like(points)
    shift[:, hips] = up * (points[:, shoulders] - points[:, hips])
    return shift


def _wander(seconds: Array, rng: np.random.Generator) -> Array:
    """A slow error of unit variance for each coordinate: (t, 17, 2), autoregressive."""
    keep = np.exp(-np.diff(seconds, prepend=seconds[0]) / WANDER_S)
    steps = rng.normal(size=(len(seconds), 17, 2))
    out = np.empty_like(steps)
    now = steps[0]
    for i, k in enumerate(keep):
        now = k * now + np.sqrt(1 - k * k) * steps[i]
        out[i] = now
    return out


def _blocks(
    seconds: Array, per_second: float, lasting: tuple[float, float], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """First and last index of stretches of time: shape (n, 2)."""
    starts = rng.uniform(seconds[0], seconds[-1], rng.poisson(per_second * seconds[-1]))
    ends = starts + rng.uniform(*lasting, len(starts))
    return np.stack([np.searchsorted(seconds, starts), np.searchsorted(seconds, ends)], axis=-1)
