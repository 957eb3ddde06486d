"""What both counters promise. The net's place is taken by a rule on the same features:
this is about the counter around it; `tests/models/situps` is about the net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps import (
    PHASES,
    Count,
    GeometricCounter,
    PhaseCounter,
    SitUpCounter,
)
from reflexarc.perception.tasks.situps.features import FEATURES

SINE = FEATURES.index("trunk_sin")


class Rule:
    """The phase by the trunk's sine now and three steps ago."""

    def predict(self, series: np.ndarray) -> np.ndarray:
        now, before = series[-1, SINE], series[-4, SINE]
        if now < np.sin(np.radians(20)):
            name = "down"
        elif now > np.sin(np.radians(50)):
            name = "up"
        else:
            name = "rising" if now > before else "falling"
        scores = np.full(len(PHASES), 0.05, np.float32)
        scores[PHASES.index(name)] = 0.8
        return scores


@pytest.fixture(params=["geometric", "phases"])
def make(request: pytest.FixtureRequest) -> Callable[[], SitUpCounter]:
    return {"geometric": GeometricCounter, "phases": lambda: PhaseCounter(Rule())}[request.param]


def run(counter: SitUpCounter, poses: list[Pose | None], stamps_ns: list[int]) -> Count:
    for pose, stamp in zip(poses, stamps_ns, strict=True):
        count = counter.update(pose, stamp)
    return count


@pytest.mark.parametrize("fps", [5, 10, 24, 60])
@pytest.mark.parametrize("side", [1, -1])
def test_whole_and_half_ones_at_any_frame_rate_from_either_side(
    make: Any, perform: Any, fps: float, side: int
) -> None:
    take = perform((80, 35, 75, 90), fps=fps, side=side)
    count = run(make(), take.poses, take.stamps_ns)
    assert (count.full, count.partial, count.phase) == (3, 1, "down")


@pytest.mark.parametrize(("px", "knee_deg"), [(20, 45), (400, 45), (100, 10), (100, 65)])
def test_distance_and_knees_do_not_matter(
    make: Any, perform: Any, px: float, knee_deg: float
) -> None:
    take = perform((80, 80), px=px, knee_deg=knee_deg)
    assert run(make(), take.poses, take.stamps_ns).full == 2


def test_lost_frames_do_not_matter(make: Any, perform: Any) -> None:
    take = perform((80, 35, 80), fps=30)
    rng = np.random.default_rng(4)
    poses = [pose if rng.random() > 0.5 else None for pose in take.poses]
    count = run(make(), poses, take.stamps_ns)
    assert (count.full, count.partial) == (2, 1)


def test_frames_that_never_come_are_as_good_as_nones(make: Any, perform: Any) -> None:
    take = perform((80, 80), fps=30)
    kept = [i for i in range(len(take.poses)) if i % 7 in (0, 3)]
    some = [take.poses[i] for i in kept], [take.stamps_ns[i] for i in kept]
    assert run(make(), *some).full == 2


def test_a_gap_in_the_middle_breaks_that_repetition_only(make: Any, perform: Any) -> None:
    take = perform((80, 80, 80), fps=15)
    middle = 1.0 + 3.5 + 1.25  # seconds: the top of the second one
    stamps = [s if s < middle * 1e9 else s + 5_000_000_000 for s in take.stamps_ns]
    assert run(make(), take.poses, stamps).full == 2


def test_a_clock_that_goes_back_keeps_the_count(make: Any, perform: Any) -> None:
    take = perform((80, 80))
    counter = make()
    first = run(counter, take.poses, take.stamps_ns)
    again = run(counter, take.poses, take.stamps_ns)
    assert (first.full, again.full) == (2, 4)


def test_the_same_frame_twice_changes_nothing(make: Any, perform: Any) -> None:
    take = perform((80, 35))
    twice = [i for i in range(len(take.poses)) for _ in range(2)]
    count = run(make(), [take.poses[i] for i in twice], [take.stamps_ns[i] for i in twice])
    assert count == run(make(), take.poses, take.stamps_ns)


def test_nobody_is_no_sit_up(make: Any) -> None:
    count = run(make(), [None] * 30, [i * 66_000_000 for i in range(30)])
    assert count == Count(0, 0, "other", 0.0)


def test_points_that_are_not_numbers_are_unseen(make: Any, perform: Any) -> None:
    take = perform((80, 80))
    poses = []
    for i, pose in enumerate(take.poses):
        points = pose.points.copy()
        points[i % 17 :: 9] = np.nan
        poses.append(replace(pose, points=points))
    assert run(make(), poses, take.stamps_ns).full == 2


def test_the_far_side_may_be_hidden(make: Any, perform: Any) -> None:
    take = perform((80, 80))
    rng = np.random.default_rng(0)
    poses = []
    for pose in take.poses:
        points, scores = pose.points.copy(), pose.scores.copy()
        points[6::2] += rng.normal(0, 60, points[6::2].shape)
        scores[6::2] = 0.08
        poses.append(Pose(points.astype(np.float32), scores))
    assert run(make(), poses, take.stamps_ns).full == 2


def test_geometry_sees_that_the_legs_are_not_on_the_floor(perform: Any) -> None:
    take = perform((80, 80))
    standing = []
    for pose in take.poses:
        points = pose.points.copy()
        points[13:15] = [330, 385]
        points[15:17] = [320, 470]
        standing.append(replace(pose, points=points))
    count = run(GeometricCounter(), standing, take.stamps_ns)
    assert (count.full, count.phase) == (0, "other")


def test_geometry_asks_for_joints_that_are_seen(perform: Any) -> None:
    take = perform((80, 80))
    dim = [replace(pose, scores=np.full(17, 0.15, np.float32)) for pose in take.poses]
    assert run(GeometricCounter(), dim, take.stamps_ns).full == 0
