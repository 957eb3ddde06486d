"""Poses that are much less sure than their body's usual ones count for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from reflexarc.perception.frame import Frame
from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.tasks.pose.bodies import Body
from reflexarc.perception.tasks.situps import GeometricCounter
from reflexarc.perception.tasks.situps.task import SitUps
from reflexarc.perception.tasks.situps.trust import Trust

PICTURE = np.zeros((4, 4, 3), np.uint8)


def pose(trunk_deg: float, sure: float) -> Pose:
    """Somebody on the floor seen from the side, the trunk that far up, knees bent."""
    points = np.zeros((17, 2), np.float32)
    hip = np.array([200.0, 200.0])
    lean = np.radians(trunk_deg)
    shoulder = hip + 80 * np.array([-np.cos(lean), -np.sin(lean)])
    knee, ankle = hip + np.array([50, -50]), hip + np.array([90, 0])
    places = {"shoulder": shoulder, "hip": hip, "knee": knee, "ankle": ankle}
    for name, place in places.items():
        for side in ("left", "right"):
            points[KEYPOINT[f"{side}_{name}"]] = place
    return Pose(points, np.full(17, sure, np.float32))


class Script:
    """A follower that gives one pose after the other."""

    def __init__(self, poses: list[Pose]) -> None:
        self._poses = iter(poses)

    def update(self, image: object, stamp_ns: int) -> list[Body]:
        return [Body(1, next(self._poses), stamp_ns, None)]


def counted(poses: list[Pose]) -> int:
    task = SitUps(Script(poses), GeometricCounter)
    seen = [
        task.process(Frame(PICTURE, round(number * 1e8), number, "test"))
        for number in range(len(poses))
    ]
    return seen[-1].counts["sit_ups"]


@pytest.mark.parametrize("sure", [0.8, 0.3])
def test_a_sit_up_counts_also_where_all_is_as_unsure(sure: float) -> None:
    """Poor light: nothing is sure, and the counter has nothing better."""
    poses = [pose(angle, sure) for angle in [5] * 10 + [70] * 8 + [5] * 10]
    assert counted(poses) == 1


def test_what_a_jump_of_the_picture_shows_is_no_sit_up() -> None:
    lies, nonsense = [pose(5, 0.75)] * 10, [pose(70, 0.42)] * 5
    assert counted(lies + nonsense + lies) == 0
    assert counted(lies + [pose(70, 0.75)] * 5 + lies) == 1


def test_light_that_stays_poor_becomes_the_usual() -> None:
    trust = Trust()
    assert all(trust.believes(pose(5, 0.8)) for _ in range(30))
    believed = [trust.believes(pose(5, 0.4)) for _ in range(30)]
    assert not any(believed[:14])
    assert all(believed[16:])


def test_the_first_poses_are_believed() -> None:
    trust = Trust()
    assert [trust.believes(pose(5, sure)) for sure in (0.8, 0.3, 0.8, 0.3)] == [True] * 4
