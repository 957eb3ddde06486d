"""Maps in, keypoints out: what decoding and following do, on maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.tasks.pose.movenet import Region, cut, decode, region_around

CELLS = 48
NOBODY = -20.0


class Maps:
    """Maps of bodies put in by hand."""

    def __init__(self) -> None:
        self.center = np.full((1, CELLS, CELLS, 1), NOBODY, np.float32)
        self.heatmap = np.full((1, CELLS, CELLS, 17), NOBODY, np.float32)
        self.regression = np.zeros((1, CELLS, CELLS, 34), np.float32)
        self.offset = np.zeros((1, CELLS, CELLS, 34), np.float32)

    def body(self, row: int, column: int, spread: int = 1) -> None:
        """A body whose keypoint k lies k // 4 * spread below and k % 4 beside its centre."""
        self.center[0, row, column] = 3
        for k in range(17):
            down, across = k // 4 * spread, k % 4
            self.regression[0, row, column, 2 * k : 2 * k + 2] = down, across
            self.heatmap[0, row + down, column + across, k] = 2

    def decoded(self) -> np.ndarray:
        return decode((self.center, self.heatmap, self.regression, self.offset))


def test_keypoints_are_where_the_heatmaps_peak() -> None:
    maps = Maps()
    maps.body(20, 22)
    maps.offset[0, 20 + 2, 22 + 1, 18:20] = 0.5, 0.25  # keypoint 9: y, then x
    found = maps.decoded()
    assert found.shape == (17, 3)
    np.testing.assert_allclose(found[0], [22 * 4, 20 * 4, 1 / (1 + np.exp(-2))], rtol=1e-6)
    np.testing.assert_allclose(found[9, :2], [(23 + 0.25) * 4, (22 + 0.5) * 4])


def test_of_two_bodies_the_one_in_the_middle_is_taken() -> None:
    maps = Maps()
    maps.body(2, 2)
    maps.body(24, 24)
    assert maps.decoded()[0, :2].tolist() == [96, 96]


def test_a_surer_keypoint_of_another_body_does_not_count() -> None:
    maps = Maps()
    maps.body(24, 24)
    maps.heatmap[0, 2, 40, 5] = 6
    assert maps.decoded()[5, :2].tolist() == [25 * 4, 25 * 4]


def pose_at(points: dict[str, tuple[float, float]]) -> Pose:
    xy = np.zeros((17, 2), np.float32)
    scores = np.zeros(17, np.float32)
    for name, place in points.items():
        xy[KEYPOINT[name]] = place
        scores[KEYPOINT[name]] = 0.9
    return Pose(xy, scores)


TORSO = {
    "left_shoulder": (210.0, 100.0),
    "right_shoulder": (190.0, 100.0),
    "left_hip": (208.0, 150.0),
    "right_hip": (192.0, 150.0),
}


def test_the_next_look_is_around_the_hips_and_wide_enough_for_the_limbs() -> None:
    region = region_around(pose_at(TORSO), 480, 640, 0.2)
    assert region is not None
    assert (region.x + region.side / 2, region.y + region.side / 2) == (200, 150)
    assert region.side == pytest.approx(2 * 1.9 * 50)
    far = region_around(pose_at({**TORSO, "left_ankle": (200.0, 270.0)}), 480, 640, 0.2)
    assert far is not None and far.side == pytest.approx(2 * 1.2 * 120)


def test_without_hips_or_when_close_the_whole_picture_is_looked_at() -> None:
    shoulders = {name: place for name, place in TORSO.items() if "shoulder" in name}
    assert region_around(pose_at(shoulders), 480, 640, 0.2) is None
    reaching = pose_at({**TORSO, "left_wrist": (200.0, 0.0)})
    assert region_around(reaching, 170, 300, 0.2) is None


def test_a_region_beyond_the_picture_is_black_there() -> None:
    image = np.full((20, 30, 3), 200, np.uint8)
    part = cut(image, Region(-5, 10, 20))
    assert part.shape == (20, 20, 3)
    assert (part[:, :5] == 0).all() and (part[10:] == 0).all()
    assert (part[:10, 5:] == 200).all()
    assert not cut(image, Region(100, 100, 10)).any()
