from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.tasks.situps.features import (
    FEATURES,
    HEAD,
    HIP,
    LIMIT,
    PERIOD_NS,
    STEPS,
    Resampler,
    Window,
    merge,
    normalize,
    windows,
)


def moved(pose: Pose, scale: float, by: tuple[float, float], mirror: bool) -> Pose:
    flip = np.array([-1.0 if mirror else 1.0, 1.0])
    return replace(pose, points=(pose.points * flip * scale + by).astype(np.float32))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("scale", [0.2, 5.0])
def test_place_size_and_side_do_not_matter(perform: Any, scale: float, mirror: bool) -> None:
    take = perform((80,))
    other = [moved(pose, scale, (123.0, -77.0), mirror) for pose in take.poses]
    here, there = (normalize(windows(poses, take.stamps_ns)[1]) for poses in (take.poses, other))
    assert here.dtype == np.float32
    assert here.shape[1:] == (STEPS, len(FEATURES))
    assert np.allclose(here, there, atol=2e-3)
    assert np.abs(here).max() <= LIMIT


def test_what_the_device_computes_is_what_was_trained_on_bit_for_bit(perform: Any) -> None:
    take = perform((80, 30), fps=23)
    _, series = windows(take.poses, take.stamps_ns)
    together = normalize(series)
    resampler, window, one_by_one = Resampler(), Window(), []
    for pose, stamp in zip(take.poses, take.stamps_ns, strict=True):
        for _, body in resampler.push(pose, stamp)[0]:
            one_by_one.append(normalize(window.push(body)))
    assert np.array_equal(together, np.stack(one_by_one))


def test_the_better_seen_side_decides() -> None:
    points, scores = np.zeros((17, 2), np.float32), np.full(17, 0.01, np.float32)
    points[KEYPOINT["left_hip"]] = 100
    scores[KEYPOINT["left_hip"]] = 0.9
    scores[KEYPOINT["nose"]] = 0.6
    body = merge(Pose(points, scores))
    assert np.allclose(body[HIP], [100, 100, 0.9], atol=0.1)
    assert body[HEAD, 2] == np.float32(0.6)


def test_the_series_is_steady_whatever_the_camera_does(perform: Any) -> None:
    take = perform((80,), fps=37)
    times, _ = windows(take.poses, take.stamps_ns)
    assert set(np.diff(times)) == {PERIOD_NS}
    # Half the frames: the same times, and nearly the same body.
    slower, series = windows(take.poses[::2], take.stamps_ns[::2])
    assert np.array_equal(times[: len(slower)], slower)
    whole = windows(take.poses, take.stamps_ns)[1][: len(series)]
    assert np.abs(series - whole).max() < 3.0  # px


def test_an_unseen_joint_stays_where_it_was(perform: Any) -> None:
    first, second = perform((80,)).poses[:2]
    points, scores = second.points.copy(), second.scores.copy()
    ankles = [KEYPOINT["left_ankle"], KEYPOINT["right_ankle"]]
    points[ankles] += 500
    scores[ankles] = 0.02
    resampler = Resampler()
    (_, before), *_ = resampler.push(first, 0)[0]
    ((_, after),), broken = resampler.push(Pose(points, scores), PERIOD_NS)
    assert not broken
    assert np.allclose(after[-1, :2], before[-1, :2])
    assert after[-1, 2] == pytest.approx(0.02)


def test_a_body_of_no_size_gives_numbers() -> None:
    pose = Pose(np.zeros((17, 2), np.float32), np.ones(17, np.float32))
    _, series = windows([pose] * 5, [i * PERIOD_NS for i in range(5)])
    assert np.isfinite(normalize(series)).all()
