"""The pose task: where the 17 keypoints of each body are."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reflexarc.perception.frame import Frame
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.observation import Box, Detection, Keypoint, Observation
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.pose.blazepose import BlazePose
from reflexarc.perception.tasks.pose.bodies import Bodies, Body, OneBody
from reflexarc.perception.tasks.pose.movenet import MoveNet

TASK = "pose"
LABEL = "person"
MIN_SCORE = 0.2
"""Keypoints below are guesses: the box does not reach for them."""

_BLAZE_DETECTOR = "pose_detection.tflite"
_BLAZE_LANDMARKS = "pose_landmark_*.tflite"


class Follower(Protocol):
    """What follows bodies: `Bodies` or `OneBody`."""

    def update(self, image: npt.NDArray[np.uint8], stamp_ns: int, /) -> list[Body]:
        """The bodies in the next frame."""
        ...


class PoseTask:
    """Poses as observations: label "person", keypoints in the order of COCO_KEYPOINTS."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def process(self, frame: Frame) -> Observation:
        """Look at one frame; the score is the mean of the five surest keypoints."""
        bodies = self._follower.update(frame.image, frame.stamp_ns)
        found = sorted((detection(b.pose, b.track) for b in bodies), key=lambda d: -d.score)
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, tuple(found))


def open_pose(
    model: str | Path | None = None, device: str = "auto", *, people: int = 1
) -> PoseTask:
    """The task ready to look, see `reflexarc.perception.tasks.open_task`.

    Args:
        model: a MoveNet file, or a folder with BlazePose's files
            (``reflexarc assets path blazepose``).
        device: for MoveNet; BlazePose runs on the CPU.
        people: follow so many bodies at most. MoveNet only.
    """
    return PoseTask(follower(model, device, people))


def follower(model: str | Path | None, device: str, people: int) -> Follower:
    """What `open_pose` follows bodies with.

    Raises:
        TaskError: people is not at least 1, or more than BlazePose follows.
    """
    if people < 1:
        raise TaskError(
            expected="at least 1 in people", found=str(people), remedy="say how many to follow"
        )
    if model is None or not Path(model).is_dir():
        net = MoveNet(load_model(model or default_model_path(TASK), device))
        return Bodies(net, people)
    if people > 1:
        raise TaskError(
            expected="people: 1 with BlazePose",
            found=str(people),
            remedy="leave model out: MoveNet follows several",
        )
    landmarks = sorted(Path(model).glob(_BLAZE_LANDMARKS))
    return OneBody(
        BlazePose(
            Path(model) / _BLAZE_DETECTOR,
            landmarks[0] if landmarks else Path(model) / "pose_landmark_full.tflite",
            track=True,
        )
    )


def detection(
    pose: Pose, track: int, label: str = LABEL, values: dict[str, float] | None = None
) -> Detection:
    """A body as a detection."""
    sure = pose.scores >= min(MIN_SCORE, float(pose.scores.max()))
    low, high = pose.points[sure].min(axis=0), pose.points[sure].max(axis=0)
    return Detection(
        label,
        pose.sureness,
        Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])),
        track,
        tuple(
            Keypoint(float(x), float(y), float(score))
            for (x, y), score in zip(pose.points, pose.scores, strict=True)
        ),
        values or {},
    )
