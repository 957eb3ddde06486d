"""Faces are hidden wherever they were found, for a while after, and everywhere in doubt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reflexarc.perception import Box, Detection, Frame, Observation
from reflexarc.perception.blur import HOLD, MARGIN, FaceBlur, pixelate
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.tasks import open_task

# A pattern of which nothing is left by an honest mean: any pixel far from grey is original.
CHECKERS = np.indices((240, 320)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * np.uint8(255)


def frame(seq: int = 0) -> Frame:
    return Frame(CHECKERS.astype(np.uint8), seq * 40_000_000, seq, "test")


class Finds:
    """A detector that is told what it finds."""

    def __init__(self, answer: Callable[[int], list[Box] | Exception]) -> None:
        self._answer = answer

    def process(self, frame: Frame) -> Observation:
        found = self._answer(frame.seq)
        if isinstance(found, Exception):
            raise found
        faces = tuple(Detection("face", 0.9, box) for box in found)
        return Observation(frame.stamp_ns, frame.seq, frame.source, "faces", faces)


def originals(image: np.ndarray, box: Box) -> int:
    """Pixels in the box that are still black or white."""
    left, top = max(0, int(box.x)), max(0, int(box.y))
    part = image[top : int(box.y + box.height), left : int(box.x + box.width)].astype(int)
    return int((np.abs(part - 127.5) > 60).sum())


@pytest.mark.parametrize(
    "box",
    [
        Box(100, 80, 60, 70),
        Box(100.7, 80.2, 31.5, 40.9),
        Box(-20, -30, 80, 90),
        Box(290, 200, 100, 100),
        Box(-50, -50, 1000, 1000),
    ],
)
def test_no_pixel_of_a_face_is_left(box: Box) -> None:
    blur = FaceBlur(Finds(lambda seq: [box]))
    shown = blur.blur(frame()).image
    assert originals(shown, box) == 0
    margin = MARGIN * min(box.width, box.height) * 0.9
    wider = Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin)
    assert originals(shown, wider) == 0


def test_the_rest_is_as_it_was_and_so_is_the_task_s_frame() -> None:
    given = frame()
    shown = FaceBlur(Finds(lambda seq: [Box(100, 80, 40, 40)])).blur(given)
    assert (given.image == CHECKERS).all()
    assert (shown.image[:, 200:] == CHECKERS[:, 200:]).all()
    assert (shown.stamp_ns, shown.seq, shown.source) == (given.stamp_ns, given.seq, given.source)


def test_boxes_that_overlap_bring_nothing_back() -> None:
    boxes = [Box(60, 60, 80, 80), Box(100, 90, 80, 80), Box(90, 80, 20, 20)]
    shown = pixelate(frame().image, boxes)
    assert sum(originals(shown, box) for box in boxes) == 0


def test_a_place_stays_hidden_for_a_while_after_its_face_was_lost() -> None:
    box = Box(100, 80, 60, 60)
    blur = FaceBlur(Finds(lambda seq: [box] if seq == 0 else []))
    left = [originals(blur.blur(frame(seq)).image, box) for seq in range(HOLD + 2)]
    assert left[: HOLD + 1] == [0] * (HOLD + 1)
    assert left[-1] > 1000


def test_a_face_that_moves_is_hidden_where_it_was_and_where_it_is() -> None:
    def moving(seq: int) -> list[Box]:
        return [Box(20 + 12 * seq, 80, 50, 50)]

    blur = FaceBlur(Finds(moving))
    for seq in range(15):
        assert originals(blur.blur(frame(seq)).image, moving(seq)[0]) == 0


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("device gone"), OSError("?")])
def test_what_could_not_be_looked_at_is_hidden_whole(error: Exception) -> None:
    blur = FaceBlur(Finds(lambda seq: error if seq == 1 else []))
    whole = Box(0, 0, 320, 240)
    left = [originals(blur.blur(frame(seq)).image, whole) for seq in range(3)]
    assert left[1] == 0
    assert left[0] == left[2] > 1000
    assert blur.failures == 1


def test_real_faces_are_not_found_any_more(shared_data: Path) -> None:
    """By the detector that hid them: on photos of every fourth person."""
    photos = sorted((shared_data / "mask" / "without_mask").iterdir())[::60]
    blur = FaceBlur(open_task("faces", search_every=1, min_score=0.3), hold=0)
    first, again = open_task("faces"), open_task("faces", min_score=0.8)
    hidden = found = 0
    for seq, photo in enumerate(photos):
        # Far apart in time: one photo's faces are not those of the next.
        camera = Frame(read_picture(photo), seq * 10**11, seq, str(photo))
        if first.process(camera).detections:
            found += 1
            hidden += not again.process(blur.blur(camera)).detections
    assert found >= 12
    assert hidden >= 0.8 * found
