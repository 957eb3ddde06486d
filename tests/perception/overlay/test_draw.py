"""What is drawn on a frame: read back from its pixels."""

from __future__ import annotations

import math
import sys

import cv2
import numpy as np
import pytest

from reflexarc.perception import Box, Detection, Keypoint, Observation
from reflexarc.perception.overlay import Marks, draw, draw_body, marks_of
from reflexarc.perception.overlay import text as lettering

GREY = 100


def frame(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def said(*found: Detection, counts: dict[str, int] | None = None) -> Observation:
    return Observation(0, 0, "test", "task", found, counts or {})


def changed(image: np.ndarray) -> np.ndarray:
    return np.any(image != GREY, axis=2)


def test_nothing_said_nothing_drawn_and_the_frame_stays_as_it_is() -> None:
    image = frame()
    assert (draw(image, [said()]) == image).all()
    draw(image, [said(Detection("a", 1, Box(20, 30, 50, 60)))])
    assert (image == GREY).all()


def test_a_box_is_drawn_on_its_edges() -> None:
    drawn = changed(draw(frame(), [said(Detection("a", 0.9, Box(100, 80, 60, 50)))]))
    for y, x in ((80, 130), (130, 130), (105, 100), (105, 160)):
        assert drawn[y, x]
    assert not drawn[90:120, 110:150].any()


def test_each_track_has_a_colour_and_its_number() -> None:
    box = Box(100, 80, 60, 50)
    one, same, other = (
        draw(frame(), [said(Detection("a", 0.9, box, track))]) for track in (1, 1, 2)
    )
    assert (one == same).all()
    assert (one[105, 100] != other[105, 100]).any()
    # The tags above the boxes say "#1" and "#2": their letters have other shapes.
    letters = [(image[60:80].max(axis=2) > GREY).sum() for image in (one, other)]
    assert letters[0] != letters[1]


def test_labels_that_differ_look_different_in_any_script() -> None:
    tags = [
        draw(frame(), [said(Detection(label, 0.9, Box(20, 80, 60, 50)))])
        for label in ("mask", "口罩", "没戴口罩", "маска", "😷")
    ]
    for i, one in enumerate(tags):
        for other in tags[:i]:
            assert (one != other).any()


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV 4 has ASCII strokes only")
def test_chinese_is_drawn_as_strokes_not_as_boxes() -> None:
    pictures = []
    for letter in "口罩人":
        image = np.zeros((60, 60, 3), np.uint8)
        lettering.put(image, letter, 5, 5, 40, (255, 255, 255))
        assert 100 < (image.max(axis=2) > 128).sum() < 1500
        pictures.append(image)
    # A font without them draws the same box for each.
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[1] != pictures[2]).any()


def test_without_the_font_each_character_is_written_by_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lettering, "_FACE", None)
    assert lettering.ascii_only("口罩 a") == "\\u53e3\\u7f69 a"
    image = frame()
    lettering.put(image, "口罩", 10, 10, 14, (255, 255, 255))
    assert changed(image).any()
    assert lettering.measure("口罩", 14)[0] > lettering.measure("口", 14)[0]


def test_counts_and_times_stand_in_the_corner() -> None:
    drawn = changed(draw(frame(), [said(counts={"sit_ups": 12})], latency_ms={"situps": 7.1}))
    rows, columns = np.nonzero(drawn)
    assert rows.max() < 60
    assert columns.max() < 160
    more = draw(frame(), [said(counts={"sit_ups": 13})], latency_ms={"situps": 7.1})
    assert (more != draw(frame(), [said(counts={"sit_ups": 12})], latency_ms={"situps": 7.1})).any()


def test_lines_and_zones_with_their_names() -> None:
    marks = Marks({"门": [(20, 200), (300, 150)]}, {"mat": [(50, 20), (150, 20), (150, 100)]})
    drawn = changed(draw(frame(), [], marks=marks))
    assert drawn[199:202, 20:24].any()
    assert drawn[20, 100]
    assert drawn[60, 150]
    assert drawn[60, 100]  # a zone is closed
    wordless = changed(draw(frame(), [], marks=marks, words=False))
    assert wordless.sum() < drawn.sum()


def test_marks_of_several_tasks_are_put_together() -> None:
    class Watches:
        def __init__(self, **lines: list[tuple[float, float]]) -> None:
            self.marks = Marks(lines)

    together = marks_of([Watches(a=[(0, 0)]), object(), Watches(b=[(1, 1)])])
    assert together == Marks({"a": [(0, 0)], "b": [(1, 1)]})


def test_a_body_has_its_left_in_blue_and_its_right_in_orange() -> None:
    points = [(160.0, 20.0)] * 17
    points[5], points[7] = (200.0, 60.0), (200.0, 120.0)  # left shoulder, elbow
    points[6], points[8] = (100.0, 60.0), (100.0, 120.0)
    image = frame()
    draw_body(image, points, [0.9] * 17)
    red, _, blue = (int(v) for v in image[90, 200])
    assert blue > red
    red, _, blue = (int(v) for v in image[90, 100])
    assert red > blue
    hidden = frame()
    draw_body(hidden, points, [0.1] * 17)
    assert not changed(hidden).any()


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e300, -1e300, sys.float_info.min]
)
def test_no_number_breaks_it(value: float) -> None:
    point = Keypoint(value, value, 0.9)
    for box in (Box(value, 1, 2, 3), Box(1, 1, value, 5), Box(value, value, value, value)):
        found = Detection("a", 0.5, box, 1, (point,) * 17, {"v": value})
        draw(frame(), [said(found)], latency_ms={"a": 1.0})
        draw(frame(7, 3), [said(found)], words=False)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (1920, 1080)])
def test_frames_of_any_size(size: tuple[int, int]) -> None:
    found = Detection("a long label", 0.5, Box(0, 0, 2, 2), 1, values={"dwell_s": 3.14})
    drawn = draw(frame(*size), [said(found, counts={"n": 1})], latency_ms={"task": 1.0})
    assert drawn.shape == (size[1], size[0], 3)
