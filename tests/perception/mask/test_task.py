"""The mask task: photos that nothing was trained or tuned on, and faces in videos."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.models import assets
from reflexarc.perception import Frame, Observation
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.tasks import TaskError, default_model_path, open_task
from reflexarc.perception.tasks.faces.face import Face
from reflexarc.perception.tasks.mask.crop import AROUND, crop

Image = npt.NDArray[np.uint8]
PERIOD_NS = 33_000_000
HELD_OUT = 150


def held_out(folder: Path) -> list[Path]:
    """As `reflexarc.models.mask` says it: the lowest sha256 of the names."""

    def digest(path: Path) -> str:
        return hashlib.sha256(path.name.encode()).hexdigest()

    return sorted(folder.iterdir(), key=digest)[:HELD_OUT]


def test_photos_that_were_never_trained_or_tuned_on(shared_data: Path) -> None:
    task = open_task("mask", people=1)
    found = right = photos = 0
    for folder, label in (("with_mask", "mask"), ("without_mask", "no_mask")):
        for path in held_out(shared_data / "mask" / folder):
            said = task.process(Frame(read_picture(path), 0, photos, str(path)))
            photos += 1
            found += len(said.detections)
            right += [face.label for face in said.detections] == [label]
    print(f"\nmask: faces found in {found} of {photos} photos, {right} of them answered right")
    assert photos == 300
    assert found / photos >= 0.97
    assert right / found >= 0.97


def test_low_resolution_is_no_mask_and_high_no_face(shared_data: Path) -> None:
    """A shortcut that the data offers: the photos of the classes differ in size."""
    for side in (48, 96):
        task = open_task("mask", people=1)
        right = {"mask": 0, "no_mask": 0}
        found = dict(right)
        for folder, label in (("with_mask", "mask"), ("without_mask", "no_mask")):
            for seq, path in enumerate(held_out(shared_data / "mask" / folder)[:60]):
                image = read_picture(path)
                scale = side / max(image.shape)
                small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                said = task.process(Frame(small.astype(np.uint8), 0, seq, str(path)))
                found[label] += len(said.detections)
                right[label] += [face.label for face in said.detections] == [label]
        print(f"\nmask: photos scaled to {side} px: found {found}, right {right}")
        assert all(right[label] / found[label] >= 0.9 for label in right)


@pytest.fixture(scope="module")
def portrait() -> Image:
    try:
        folder = assets.fetch("portraits")
    except assets.AssetError as error:
        pytest.skip(f"portraits cannot be fetched: {error}")
    return read_picture(sorted(folder.iterdir())[0])


def frame(portrait: Image, seq: int, x: int = 200, y: int = 120) -> Frame:
    image = np.full((480, 640, 3), 110, np.uint8)
    image[y : y + 220, x : x + 220] = cv2.resize(portrait, (220, 220))
    return Frame(image, seq * PERIOD_NS, seq, "clip")


def covered(portrait: Image) -> Image:
    """The lower half of the face behind a surgical mask, drawn."""
    image = portrait.copy()
    height, width = image.shape[:2]
    corners = np.array(
        [[0.3, 0.52], [0.5, 0.47], [0.7, 0.52], [0.66, 0.74], [0.5, 0.8], [0.34, 0.74]]
    )
    points = np.rint(corners * (width, height)).astype(np.int32)
    cv2.fillPoly(image, [points], (150, 190, 215), cv2.LINE_AA)
    return image


def test_a_bare_face_in_a_video(portrait: Image) -> None:
    task = open_task("mask")
    for seq in range(12):
        said = task.process(frame(portrait, seq, x=150 + 8 * seq))
        (face,) = said.detections
        assert (face.label, face.track, face.values["votes"]) == ("no_mask", 1, seq + 1)
        assert face.score > 0.5
        assert face.values["face"] >= 0.7
        assert len(face.keypoints) == 6
    assert (said.task, Observation.from_dict(said.as_dict())) == ("mask", said)


def test_a_single_frame_with_a_mask_changes_nothing_and_many_do(portrait: Image) -> None:
    task = open_task("mask")
    masked = covered(portrait)
    labels = [
        task.process(frame(masked if seq == 10 else portrait, seq)).detections[0].label
        for seq in range(20)
    ]
    assert set(labels) == {"no_mask"}
    labels = [task.process(frame(masked, seq)).detections[0].label for seq in range(20, 50)]
    assert labels[0] == "no_mask"
    assert labels[-1] == "mask"
    assert labels == sorted(labels, reverse=True)


def test_no_face_is_an_answer() -> None:
    task = open_task("mask")
    for shape in ((480, 640, 3), (1, 1, 3), (3, 2000, 3)):
        assert task.process(Frame(np.full(shape, 90, np.uint8), 0, 0, "clip")).detections == ()


def test_the_crop_is_upright_around_the_face() -> None:
    """A face drawn tilted comes out straight, in the middle, at the same size."""
    image = np.zeros((300, 300, 3), np.uint8)
    tilt = 0.5
    across = np.array([np.cos(tilt), np.sin(tilt)])
    down = np.array([-across[1], across[0]])
    middle = np.array([140.0, 160.0])
    eyes = [middle - 20 * across - 15 * down, middle + 20 * across - 15 * down]
    for x, y in eyes:
        cv2.circle(image, (round(x), round(y)), 4, (255, 255, 255), cv2.FILLED)
    points = np.array([*eyes, middle, middle, middle, middle], np.float32)
    face = Face(100, 120, 180, 200, points, 0.9)
    out = crop(image, face, 128)
    assert out.shape == (128, 128, 3)
    spots = [np.argwhere(part > 128).mean(axis=0) for part in np.split(out[..., 0], 2, axis=1)]
    scale = 128 / (80 * AROUND)
    np.testing.assert_allclose(spots[0], [64 - 15 * scale, 64 - 20 * scale], atol=1.5)
    np.testing.assert_allclose(spots[1], [64 - 15 * scale, 20 * scale], atol=1.5)


def test_another_task_s_model_is_refused() -> None:
    with pytest.raises(TaskError, match='a model for the task "mask" .*found .*digits'):
        open_task("mask", default_model_path("digits"))
    with pytest.raises(TaskError, match='a BlazeFace model for the task "faces"'):
        open_task("mask", faces_model=default_model_path("mask"))
    with pytest.raises(TaskError, match="range"):
        open_task("mask", range="wide")
