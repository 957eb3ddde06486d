"""PCK and distances, on poses moved by known amounts; and their drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.tasks.pose.draw import draw_pose
from reflexarc.perception.tasks.pose.metrics import compare, pck


def standing(score: float = 0.9) -> Pose:
    """Shoulders at y 50, hips at y 90: a torso of 40 pixels."""
    points = np.full((17, 2), 100, np.float32)
    for name, y in (("shoulder", 50), ("hip", 90)):
        for side, x in (("left", 110), ("right", 90)):
            points[KEYPOINT[f"{side}_{name}"]] = x, y
    return Pose(points, np.full(17, score, np.float32))


def moved(pose: Pose, by: float, keypoints: slice = slice(None)) -> Pose:
    points = pose.points.copy()
    points[keypoints, 0] += by
    return Pose(points, pose.scores)


def test_half_a_torso_is_the_limit() -> None:
    assert pck(standing(), moved(standing(), 19.9)) == 1
    assert pck(standing(), moved(standing(), 20.1)) == 0
    assert pck(standing(), moved(standing(), 30, slice(0, 5))) == pytest.approx(12 / 17)


@given(st.floats(0, 100), st.floats(0.1, 1))
def test_pck_falls_as_the_limit_tightens(by: float, fraction: float) -> None:
    other = moved(standing(), by)
    assert pck(standing(), other, fraction) >= pck(standing(), other, fraction / 2)


def test_keypoints_that_the_reference_is_unsure_of_do_not_count() -> None:
    reference = standing()
    reference.scores[KEYPOINT["left_wrist"]] = 0.1
    other = moved(reference, 500, slice(KEYPOINT["left_wrist"], KEYPOINT["left_wrist"] + 1))
    assert compare([reference], [other]).keypoints == 16
    assert pck(reference, other) == 1


def test_a_body_without_a_torso_does_not_count() -> None:
    unsure = standing()
    unsure.scores[KEYPOINT["left_hip"]] = 0.1
    tiny = Pose(standing().points / 4, standing().scores)
    parity = compare([unsure, tiny, None], [standing()] * 3)
    assert (parity.bodies, parity.keypoints) == (0, 0)
    assert math.isnan(parity.pck) and math.isnan(parity.mean_px)


def test_a_body_that_is_missed_counts_as_wrong() -> None:
    parity = compare([standing(), standing()], [moved(standing(), 4), None])
    assert (parity.bodies, parity.missed, parity.keypoints) == (2, 1, 34)
    assert parity.pck == 0.5
    assert parity.mean_px == pytest.approx(4)


def test_a_skeleton_is_drawn_on_a_copy_and_only_where_it_is_sure() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    drawn = draw_pose(image, standing())
    assert drawn[90, 100].any() and not image.any()  # between the hips
    assert not draw_pose(image, standing(score=0.1)).any()
    assert not draw_pose(image, None).any()
