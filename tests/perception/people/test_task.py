"""The people task on real frames: options, sizes, repetition, zones, marks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from reflexarc.perception.frame import Frame
from reflexarc.perception.overlay import draw
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import TaskError, default_model_path, open_task, task_options
from reflexarc.perception.tasks.people.detector import Detector, parts

ROAD = [[0.3, 0.2], [0.99, 0.2], [0.99, 0.8], [0.3, 0.8]]


def play(shots: list[Frame], **options: Any) -> list[Any]:
    task = open_task("people", device="cpu", **options)
    return [task.process(shot) for shot in shots]


def resized(shot: Frame, width: int, height: int) -> Frame:
    image = cv2.resize(shot.image, (width, height)).astype(np.uint8, copy=False)
    return replace(shot, image=image)


def test_the_task_is_installed_with_its_options() -> None:
    assert set(task_options("people")) == {"lines", "zones", "tiles", "min_score"}


def test_people_are_found_with_tracks_and_counts(beginning: list[Frame]) -> None:
    last = play(beginning)[-1]
    assert last.task == "people"
    assert len(last.detections) == last.counts["people"] >= 4
    assert {found.label for found in last.detections} == {"person"}
    tracks = [found.track for found in last.detections]
    assert len(set(tracks)) == len(tracks)
    scores = [found.score for found in last.detections]
    assert scores == sorted(scores, reverse=True)
    assert 3 <= last.counts["unique"] <= 8


def test_equal_frames_give_equal_observations(beginning: list[Frame]) -> None:
    options = {"lines": {"a": [[0.5, 0], [0.5, 1]]}, "zones": {"road": ROAD}}
    assert play(beginning, **options) == play(beginning, **options)


def test_time_in_a_zone_and_how_many_are_in_it(beginning: list[Frame]) -> None:
    seen = play(beginning, zones={"road": ROAD, "sky": [[0, 0], [1, 0], [1, 0.02]]})
    last = seen[-1]
    inside = [found for found in last.detections if "dwell_s_road" in found.values]
    assert last.counts["road_now"] == len(inside) >= 3
    assert last.counts["sky_now"] == 0
    longest = max(found.values["dwell_s_road"] for found in inside)
    assert 3 < longest <= 60 / 7


def test_a_frame_without_anybody_says_so(beginning: list[Frame]) -> None:
    empty = [Frame(np.full((480, 640, 3), 90, np.uint8), i * 10**8, i, "wall") for i in range(6)]
    for observation in play(empty):
        assert observation.detections == ()
        assert observation.counts == {"people": 0, "unique": 0}


def test_who_is_not_found_is_believed_for_a_moment_and_says_so(beginning: list[Frame]) -> None:
    task = open_task("people", device="cpu")
    for shot in beginning:
        before = task.process(shot)
    wall = np.full_like(beginning[-1].image, 90)
    moment, second = (
        task.process(Frame(wall, beginning[-1].stamp_ns + wait, 99, "wall"))
        for wait in (10**8, 10**9)
    )
    assert len(moment.detections) >= len(before.detections) - 1
    assert all(found.values["unseen_s"] >= 0.1 for found in moment.detections)
    assert second.detections == ()
    assert second.counts["unique"] == before.counts["unique"]


def test_a_camera_that_changes_its_resolution_keeps_tracks_and_lines(
    beginning: list[Frame],
) -> None:
    task = open_task("people", device="cpu", lines={"a": [[384, 0], [384, 576]]})
    sizes = [(768, 576)] * 30 + [(640, 480)] * 30
    seen = [task.process(resized(f, *s)) for f, s in zip(beginning, sizes, strict=True)]
    before, after = ({d.track: d.box for d in seen[i].detections} for i in (29, 32))
    both = before.keys() & after.keys()
    assert len(both) >= 3
    for track in both:
        assert after[track].x == pytest.approx(before[track].x * 640 / 768, abs=25)
        assert after[track].height == pytest.approx(before[track].height * 480 / 576, rel=0.2)
    assert task.marks.lines["a"] == [(320, 0), (320, 480)]


def test_marks_are_there_from_the_first_frame_on_and_can_be_drawn(beginning: list[Frame]) -> None:
    task = open_task(
        "people", device="cpu", lines={"a": [[0.5, 0], [0.5, 1]]}, zones={"road": ROAD}
    )
    assert not task.marks.lines
    observation = task.process(beginning[0])
    assert task.marks.lines["a"] == [(384, 0), (384, 576)]
    assert len(task.marks.zones["road"]) == 4
    drawn = draw(beginning[0].image, [observation], marks=task.marks)
    assert (drawn[:, 384] != beginning[0].image[:, 384]).any()


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (7, 5, 3), (0, 0, 3)])
def test_pictures_of_any_size_are_looked_at(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    shots = [Frame(rng.integers(0, 256, shape, np.uint8), i * 10**8, i, "noise") for i in range(3)]
    for observation in play(shots, tiles=2):
        assert observation.counts["people"] == 0


def test_tiles_find_people_who_are_small(beginning: list[Frame]) -> None:
    # The street as a ninth of the picture: people are 28 pixels high in 768 x 576.
    detector = Detector(load_model(default_model_path("people"), "cpu"))
    found = {1: 0, 3: 0}
    for shot in beginning[30:45:3]:
        image = np.full((576, 768, 3), 128, np.uint8)
        image[20:212, 20:276] = resized(shot, 256, 192).image
        for tiles in found:
            found[tiles] += len(detector.find(image, 0.5, tiles=tiles)[0])
    assert found[3] >= 1.5 * found[1]
    assert found[3] >= 10


def test_tiles_overlap_and_cover_the_picture() -> None:
    found = parts(640, 480, 3)
    assert found[0] == parts(640, 480, 1)[0]
    assert len(found) == 10
    covered = np.zeros((480, 640), int)
    for tile in found[1:]:
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert covered.min() >= 1
    assert covered.max() == 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lines": {"a": [[1, 2]]}}, "two points"),
        ({"zones": {"a": [[0, 0], [9, 9], [9, 0], [0, 9]]}}, "do not cross"),
        ({"lines": [[1, 2], [3, 4]]}, "a mapping"),
        (
            {"lines": {"a": [[1, 2], [3, 4]]}, "zones": {"a_in": ROAD, "b": ROAD}, "tiles": 0},
            "tiles",
        ),
        ({"lines": {"": [[1, 2], [3, 4]], "a": [[1, 2], [3, 4]]}, "tiles": 9}, "from 1 to 8"),
        ({"tiles": True}, "a whole number"),
        ({"tiles": 2.0}, "a whole number"),
        ({"min_score": 0}, "between 0 and 1"),
        ({"min_score": 1}, "between 0 and 1"),
        ({"min_score": float("nan")}, "between 0 and 1"),
        ({"min_score": "high"}, "between 0 and 1"),
        ({"line": {}}, "did you mean lines"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        open_task("people", device="cpu", **options)


def test_a_line_outside_of_the_first_picture_is_refused(beginning: list[Frame]) -> None:
    task = open_task("people", device="cpu", lines={"a": [[2000, 10], [2000, 500]]})
    with pytest.raises(TaskError, match="'a' is outside"):
        task.process(beginning[0])


def test_a_model_for_another_task_is_refused() -> None:
    with pytest.raises(TaskError, match='a model for the task "people"'):
        open_task("people", model=default_model_path("pose"), device="cpu")
