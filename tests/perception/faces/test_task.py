"""The faces task on real portraits: where faces are, whatever the picture is like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.perception import Frame, Observation
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.tasks import TaskError, default_model_path, open_task
from reflexarc.perception.tasks.faces.face import KEYPOINTS

Image = npt.NDArray[np.uint8]


def still(image: Image) -> Frame:
    return Frame(image, 0, 0, "photo")


@pytest.mark.parametrize("range", ["short", "full", "auto"])
def test_faces_are_found_where_they_are(
    portraits: list[Image], scene: Callable[..., Frame], range: str
) -> None:
    task = open_task("faces", range=range)
    for seq, portrait in enumerate(portraits):
        frame = scene(seq, (portrait, 190, 110, 260), source=f"{seq}.jpg")
        (face,) = task.process(frame).detections
        assert (face.label, face.track, len(face.keypoints)) == ("face", seq + 1, len(KEYPOINTS))
        box = face.box
        assert box.x > 190 and box.x + box.width < 450
        assert box.y > 110 and box.y + box.height < 380
        right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
        # Who faces the camera has the right eye on the left of the picture.
        assert right_eye.x < left_eye.x and right_ear.x < left_ear.x
        assert max(right_eye.y, left_eye.y) < nose.y < mouth.y
        assert all(type(value) is float for point in face.keypoints for value in point)


def test_an_observation_is_plain_and_survives_json(
    portraits: list[Image], scene: Callable[..., Frame]
) -> None:
    said = open_task("faces").process(scene(0, (portraits[0], 100, 100, 200)))
    assert Observation.from_dict(said.as_dict()) == said
    assert (said.task, said.source) == ("faces", "clip")


def test_a_portrait_that_fills_the_picture(portraits: list[Image]) -> None:
    task = open_task("faces")
    for seq, image in enumerate(portraits):
        said = task.process(Frame(image[16:112, 16:112], 0, seq, f"{seq}.jpg"))
        assert len(said.detections) == 1


@pytest.mark.parametrize("factor", [0.5, 6])
def test_size_does_not_matter(
    portraits: list[Image], scene: Callable[..., Frame], factor: float
) -> None:
    frame = scene(0, (portraits[0], 220, 140, 200))
    (face,) = open_task("faces").process(frame).detections
    resized = cv2.resize(frame.image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (other,) = open_task("faces").process(still(resized.astype(np.uint8))).detections
    points, others = np.array(face.keypoints)[:, :2], np.array(other.keypoints)[:, :2]
    assert np.abs(others / factor - points).max() < 0.1 * face.box.width


@pytest.mark.parametrize("shape", [(480, 1280), (960, 300)])
def test_pictures_that_are_no_squares(portraits: list[Image], shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 120, np.uint8)
    image[100:300, 60:260] = cv2.resize(portraits[0], (200, 200))
    (face,) = open_task("faces").process(still(image)).detections
    assert face.box.x > 60 and face.box.x + face.box.width < 260


@pytest.mark.parametrize("angle", [-40, -20, 20, 40])
def test_tilted_heads_have_tilted_points(
    portraits: list[Image], scene: Callable[..., Frame], angle: int
) -> None:
    frame = scene(0, (portraits[0], 220, 140, 200))
    (upright,) = open_task("faces").process(frame).detections
    turn = cv2.getRotationMatrix2D((320, 240), angle, 1)
    tilted = cv2.warpAffine(frame.image, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    (face,) = open_task("faces").process(still(tilted.astype(np.uint8))).detections
    expected = np.array(upright.keypoints)[:, :2] @ turn[:, :2].T + turn[:, 2]
    apart = np.linalg.norm(np.array(face.keypoints)[:, :2] - expected, axis=1)
    assert apart.mean() < 0.12 * upright.box.width


def test_no_face_is_an_answer(wall: Image) -> None:
    task = open_task("faces")
    for image in (wall, np.zeros((480, 640, 3), np.uint8), np.full((90, 30, 3), 255, np.uint8)):
        assert task.process(still(image)).detections == ()


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3), (2, 2)])
def test_pictures_too_small_for_a_face(shape: tuple[int, int]) -> None:
    task = open_task("faces")
    for value in (0, 128):
        image = np.full((*shape, 3), value, np.uint8)
        for _ in range(3):
            task.process(still(image))


def test_a_file_of_our_own_export_does_as_well(
    portraits: list[Image], scene: Callable[..., Frame]
) -> None:
    task = open_task("faces", default_model_path("faces_full"), "cpu")
    assert len(task.process(scene(0, (portraits[0], 220, 140, 200))).detections) == 1


def test_another_task_s_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match='a BlazeFace model for the task "faces"; found .*digits'):
        open_task("faces", default_model_path("digits"))
    with pytest.raises(ModelFileError, match="No such file"):
        open_task("faces", tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"range": "long"}, "range \"auto\", 'short', 'full'; found 'long'"),
        ({"people": 0}, "people and search_every of at least 1"),
        ({"search_every": 0}, "people and search_every of at least 1"),
        ({"min_score": 1.5}, "min_score between 0 and 1"),
        ({"min_scor": 0.5}, "did you mean min_score"),
    ],
)
def test_options_that_are_none(options: dict[str, object], words: str) -> None:
    with pytest.raises(TaskError, match=words):
        open_task("faces", **options)
