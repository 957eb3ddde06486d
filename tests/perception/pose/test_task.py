"""The pose and sit-ups tasks on real clips: who is followed, what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.models import assets
from reflexarc.perception import Frame, Observation
from reflexarc.perception.tasks import TaskError, open_task
from reflexarc.perception.tasks.base import Task

Image = npt.NDArray[np.uint8]
PERIOD_NS = 40_000_000
LOOPS = 4


def clip(path: Path, most: int = 200) -> list[Image]:
    video, frames = cv2.VideoCapture(str(path)), []
    while len(frames) < most:
        whole, frame = video.read()
        if not whole:
            break
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
    return frames


@pytest.fixture(scope="module")
def situps(shared_data: Path) -> list[Image]:
    """One loop; a full repetition and a half on each side of its seam."""
    return clip(shared_data / "situps" / "sport_with_ai_situp.gif")


@pytest.fixture(scope="module")
def two_people(situps: list[Image]) -> list[Image]:
    """The same person twice: as filmed, and in the mirror."""
    half = [cv2.resize(f, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA) for f in situps]
    return [np.concatenate([f, f[:, ::-1]], axis=1) for f in half]


def look(task: Task, frames: list[Image], loops: int = 1) -> Iterator[Observation]:
    for seq in range(loops * len(frames)):
        yield task.process(Frame(frames[seq % len(frames)], seq * PERIOD_NS, seq, "clip"))


def last(task: Task, frames: list[Image], loops: int = LOOPS) -> Observation:
    *_, observation = look(task, frames, loops)
    return observation


@pytest.mark.parametrize("counter", ["net", "geometric"])
def test_sit_ups_of_one(situps: list[Image], counter: str) -> None:
    said = last(open_task("situps", counter=counter), situps)
    # A loop and its seam are two repetitions; the first has no seam before it.
    assert said.counts == {"sit_ups": 2 * LOOPS - 1, "partial": 0}
    (body,) = said.detections
    assert body.track == 1
    assert body.values["sit_ups"] == 2 * LOOPS - 1


def test_sit_ups_of_the_mirrored(situps: list[Image]) -> None:
    mirrored = [np.ascontiguousarray(f[:, ::-1]) for f in situps]
    assert last(open_task("situps"), mirrored).counts["sit_ups"] == 2 * LOOPS - 1


def test_two_people_are_counted_each_by_itself(two_people: list[Image]) -> None:
    said = last(open_task("situps", people=2), two_people)
    assert said.counts == {"sit_ups": 2 * (2 * LOOPS - 1), "partial": 0}
    assert {body.track for body in said.detections} == {1, 2}
    assert {body.values["sit_ups"] for body in said.detections} == {2 * LOOPS - 1}


def test_of_two_people_one_alone_is_followed_if_told_so(two_people: list[Image]) -> None:
    for said in look(open_task("pose"), two_people):
        assert len(said.detections) <= 1


def test_who_leaves_keeps_the_count_and_who_comes_has_a_new_number(situps: list[Image]) -> None:
    task = open_task("situps")
    nobody = [np.full_like(situps[0], 90)] * 80
    before = last(task, situps * 2, 1)
    gap = [
        task.process(Frame(f, (200 + i) * PERIOD_NS, 200 + i, "clip")) for i, f in enumerate(nobody)
    ]
    assert not gap[-1].detections
    assert gap[-1].counts == before.counts
    again = task.process(Frame(situps[0], 280 * PERIOD_NS, 280, "clip"))
    assert [body.track for body in again.detections] == [2]


@pytest.mark.parametrize("name", ["walk.mp4", "push_up.gif", "squat.gif"])
def test_what_is_no_sit_up_is_not_counted(shared_data: Path, name: str) -> None:
    frames = clip(shared_data / "situps" / name)
    small = [cv2.resize(f, (480, 270), interpolation=cv2.INTER_AREA) for f in frames]
    assert last(open_task("situps"), small, 1).counts["sit_ups"] == 0


def test_a_pose_is_plain_numbers_and_its_box_holds_it(situps: list[Image]) -> None:
    *_, said = look(open_task("pose"), situps[:10])
    (body,) = said.detections
    assert (body.label, body.track, len(body.keypoints)) == ("person", 1, 17)
    assert all(type(value) is float for point in body.keypoints for value in point)
    assert Observation.from_dict(said.as_dict()) == said
    sure = [point for point in body.keypoints if point.score >= 0.2]
    box = body.box
    assert all(box.x <= p.x <= box.x + box.width + 1e-3 for p in sure)
    assert all(box.y <= p.y <= box.y + box.height + 1e-3 for p in sure)


def test_blazepose_counts_the_same(situps: list[Image]) -> None:
    folder = assets.path("blazepose")
    if folder is None:
        pytest.skip("needs `reflexarc assets fetch blazepose`")
    said = last(open_task("situps", pose_model=folder), situps)
    assert said.counts["sit_ups"] == 2 * LOOPS - 1
    with pytest.raises(TaskError, match="people: 1 with BlazePose"):
        open_task("pose", folder, people=2)


def test_options_that_are_none() -> None:
    with pytest.raises(TaskError, match="an option of the task pose: people; found peple; did"):
        open_task("pose", peple=2)
    with pytest.raises(TaskError, match="at least 1 in people"):
        open_task("pose", people=0)
    with pytest.raises(TaskError, match='"net" or "geometric"; found .fingers'):
        open_task("situps", counter="fingers")


def test_another_task_s_model_is_refused() -> None:
    from reflexarc.perception.tasks import default_model_path

    for task in ("pose", "situps", "classify"):
        with pytest.raises(TaskError, match=f'a model for the task "{task}"'):
            open_task(task, default_model_path("digits"))
