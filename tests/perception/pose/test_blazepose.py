"""BlazePose from its packaged files: the same body, wherever and however it lies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.models import assets
from reflexarc.perception.keypoints import KEYPOINT, Pose
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.tasks.pose.blaze_detector import Person, anchors
from reflexarc.perception.tasks.pose.blazepose import BlazePose, crop

Image = npt.NDArray[np.uint8]


def fetched(name: str) -> Path:
    try:
        return assets.fetch(name)
    except assets.AssetError as error:
        pytest.skip(f"{name} cannot be fetched: {error}")


@pytest.fixture(scope="module")
def folder() -> Path:
    return fetched("blazepose")


@pytest.fixture(scope="module")
def eye(folder: Path) -> BlazePose:
    return BlazePose(folder / "pose_detection.tflite", folder / "pose_landmark_full.tflite")


@pytest.fixture(scope="module")
def photo() -> Image:
    """A person who stands on a roof, 550 x 761, seen from the front."""
    image = cv2.imread(str(fetched("people-photos") / "studio-2.jpg"))
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8)


@pytest.fixture(scope="module")
def upright(eye: BlazePose, photo: Image) -> Pose:
    pose = eye.pose(photo)
    assert pose is not None
    return pose


def test_a_standing_body_is_the_right_way_up(upright: Pose) -> None:
    y = upright.points[:, 1]
    chain = ("nose", "left_shoulder", "left_hip", "left_knee", "left_ankle")
    assert list(np.diff([y[KEYPOINT[name]] for name in chain]) > 0) == [True] * 4
    # Seen from the front, the person's left is on the right of the picture.
    x = upright.points[:, 0]
    assert x[KEYPOINT["left_shoulder"]] > x[KEYPOINT["right_shoulder"]]
    assert upright.scores.mean() > 0.7


@pytest.mark.parametrize("angle", [-90, -30, 45, 180])
def test_a_turned_picture_gives_the_turned_pose(
    eye: BlazePose, photo: Image, upright: Pose, angle: int
) -> None:
    size = 1000
    turn = cv2.getRotationMatrix2D((photo.shape[1] / 2, photo.shape[0] / 2), angle, 1)
    turn[:, 2] += size / 2 - np.array([photo.shape[1], photo.shape[0]]) / 2
    turned = cv2.warpAffine(photo, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    pose = eye.pose(turned.astype(np.uint8))
    assert pose is not None
    expected = upright.points @ turn[:, :2].T + turn[:, 2]
    apart = np.linalg.norm(pose.points - expected, axis=1)
    assert np.median(apart) < 0.1 * upright.torso_px
    assert apart.max() < 0.5 * upright.torso_px


def test_size_does_not_matter(eye: BlazePose, photo: Image, upright: Pose) -> None:
    for factor in (0.4, 4):
        resized = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        pose = eye.pose(resized.astype(np.uint8))
        assert pose is not None
        apart = np.linalg.norm(pose.points / factor - upright.points, axis=1)
        assert np.median(apart) < 0.1 * upright.torso_px


def test_nobody_is_an_answer(eye: BlazePose) -> None:
    assert eye.pose(np.zeros((100, 300, 3), np.uint8)) is None


def test_the_anchors_fill_the_input() -> None:
    centers = anchors()
    assert centers.shape == (2254, 2)
    np.testing.assert_allclose(centers.mean(axis=0), 112, atol=1e-3)
    np.testing.assert_allclose(centers[[0, -1]], [[4] * 2, [208] * 2])


def test_a_crop_and_its_way_back_fit_together() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(image, (250, 120), 6, (255, 255, 255), cv2.FILLED)
    upright, back = crop(image, Person(x=230, y=140, side=128, angle=0.7, score=1))
    y, x = np.argwhere(upright[..., 0] > 128).mean(axis=0)
    np.testing.assert_allclose(back[:, :2] @ (x, y) + back[:, 2], (250, 120), atol=1)


def test_files_in_the_wrong_order_or_absent_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="give the detector first"):
        BlazePose(folder / "pose_landmark_full.tflite", folder / "pose_detection.tflite")
    with pytest.raises(ModelFileError, match="assets fetch blazepose"):
        BlazePose(tmp_path / "none.tflite", folder / "pose_landmark_full.tflite")
