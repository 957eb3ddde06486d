from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reflexarc.models.situps.body import TOUCHING_M, Body, Camera, inclination, joints
from reflexarc.models.situps.motions import NEGATIVES, Mover, sample
from reflexarc.models.situps.ranges import RANGES, Draw
from reflexarc.perception.keypoints import KEYPOINT


@pytest.fixture
def mover() -> Mover:
    return Mover(Body(), Draw(np.random.default_rng(3), held_out=False))


def test_limbs_keep_their_lengths_whatever_the_body_does(mover: Mover) -> None:
    for motion in NEGATIVES:
        keys = motion(mover)
        points = joints(mover.body, sample(keys, np.linspace(0, 5, 40)))
        for a, b, length in (("hip", "knee", mover.body.thigh), ("knee", "ankle", mover.body.shin),
                             ("shoulder", "elbow", mover.body.upper_arm)):  # fmt: skip
            for side in ("left", "right"):
                found = np.linalg.norm(
                    points[:, KEYPOINT[f"{side}_{a}"]] - points[:, KEYPOINT[f"{side}_{b}"]], axis=-1
                )
                assert np.allclose(found, length), motion.__name__


def test_on_the_floor_hip_and_feet_touch_it(mover: Mover) -> None:
    track = np.stack([mover.floor(angle).vector() for angle in (0, 30, 60, 90)])
    points = joints(mover.body, track)
    for joint in ("hip", "ankle"):
        height = points[:, [KEYPOINT[f"left_{joint}"], KEYPOINT[f"right_{joint}"]], 2]
        assert np.allclose(height, TOUCHING_M, atol=0.01)


def test_the_trunk_is_as_inclined_as_asked(mover: Mover) -> None:
    asked = np.array([0.0, 15, 30, 50, 70, 90])
    track = np.stack([mover.floor(angle).vector() for angle in asked])
    assert np.abs(inclination(mover.body, track) - asked).max() < 3


def test_the_camera_sees_the_feet_on_the_side_that_it_should(mover: Mover) -> None:
    points = joints(mover.body, mover.lying().vector()[None])
    ankle, nose = KEYPOINT["left_ankle"], KEYPOINT["nose"]
    for left in (True, False):
        seen = Camera(left=left).project(points)[0]
        # Who lies with the feet forward shows them on the left to who stands at the left side.
        assert (seen[ankle, 0] < seen[nose, 0]) == left


def test_a_metre_is_as_many_pixels_as_the_pinhole_says() -> None:
    camera = Camera(yaw=0, tilt=0, roll=0, distance=4.0, focal_px=600, target=(0, 0, 0))
    a, b = camera.project(np.array([[0.0, 0, 0], [0.0, 0, 1.0]]))
    assert np.allclose(a, camera.centre_px)
    assert np.allclose(a - b, [0, 150])
    rolled = replace(camera, roll=90).project(np.array([[0.0, 0, 1.0]]))[0]
    assert np.allclose(np.abs(rolled - a), [150, 0])


def test_held_out_parameters_leave_the_training_ranges_and_others_never_do() -> None:
    inside = [Draw(np.random.default_rng(s), held_out=False) for s in range(30)]
    outside = [Draw(np.random.default_rng(s), held_out=True) for s in range(60)]
    for name, r in RANGES.items():
        assert all(r.low <= draw(name) <= r.high for draw in inside)
        drawn = [draw(name) for draw in outside]
        assert all(r.least <= value <= r.most for value in drawn)
        assert any(not r.low <= value <= r.high for value in drawn), name
