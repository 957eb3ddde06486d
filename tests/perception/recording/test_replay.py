"""The same tasks say the same of a recording again, to the last bit; or it is said how not."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from recorded import Counts, frames

from reflexarc.perception import Frame, Observation
from reflexarc.perception.cameras import open_camera
from reflexarc.perception.pipeline import Pipeline, Slot
from reflexarc.perception.recording import (
    Recorder,
    Recording,
    RecordingError,
    Replay,
    TaskRun,
    open_run,
    other_models,
)
from reflexarc.perception.tasks import Task, default_model_path, tasks

INSTALLED = sorted({"digits", "classify", "pose", "situps", "faces", "mask", "people"} & {*tasks()})


def scene(seq: int) -> Frame:
    """Digits on paper that move from frame to frame."""
    image = np.full((240, 320, 3), 205, np.uint8)
    for at, digit in enumerate("1749"):
        place = (30 + 70 * at + seq % 3, 130 + 2 * seq)
        cv2.putText(image, digit, place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (30, 30, 40), 4)
    return Frame(image, seq * 100_000_000, seq, "paper")


def bodies(shared_data: Path) -> list[Frame]:
    with open_camera(shared_data / "situps" / "sport_with_ai_situp.gif") as camera:
        return [frame for frame, _ in zip(camera, range(20), strict=False)]


def record(path: Path, source: Iterable[Frame], task: Task, run: TaskRun, **options: str) -> int:
    found = 0
    with Recorder(path, [run], **options) as recorder:
        listened = recorder.listen(run.task, task)
        for frame in source:
            found += len(listened.process(recorder.frame(frame)).detections)
    return found


def replayed(path: Path, task: str, again: Task) -> Replay:
    replay = Replay(Recording(path), {task: again})
    for _ in replay:
        pass
    return replay


@pytest.mark.parametrize("name", INSTALLED)
def test_every_task_says_the_same_again(name: str, tmp_path: Path, shared_data: Path) -> None:
    if name == "digits":
        seen = [scene(seq) for seq in range(6)]
    elif name in ("faces", "mask"):
        photos = sorted((shared_data / "mask" / "with_mask").iterdir())[:6]
        seen = [next(iter(open_camera(photo))) for photo in photos]
        seen = [replace(frame, seq=seq, source="photos") for seq, frame in enumerate(seen)]
    elif name == "people":
        with open_camera(shared_data / "people" / "pets09_s2l1_view001.mp4") as camera:
            seen = [frame for frame, _ in zip(camera, range(12), strict=False)]
    else:
        seen = bodies(shared_data)
    task, run = open_run(name)
    found = record(tmp_path / "run.mcap", seen, task, run)
    assert found >= 4, "nothing was found: the comparison would say little"
    again, now = open_run(name)
    assert other_models(run, now) == []
    replay = replayed(tmp_path / "run.mcap", name, again)
    report = replay.reports[name]
    assert (report.looks, report.different, report.first) == (len(seen), 0, "")
    assert replay.other_pixels == 0


def test_what_was_dropped_then_is_not_shown_now(tmp_path: Path) -> None:
    """A live camera and tasks of different speed, one with a memory and no time."""
    gate = threading.Event()

    class Slow(Counts):
        def process(self, frame: Frame) -> Observation:
            gate.wait()
            return super().process(frame)

    runs = [TaskRun("fast"), TaskRun("slow"), TaskRun("third")]
    with Recorder(tmp_path / "run.mcap", runs) as recorder:
        slots = [
            Slot("fast", recorder.listen("fast", Counts())),
            Slot("slow", recorder.listen("slow", Slow())),
            Slot("third", recorder.listen("third", Counts()), every_n=3),
        ]
        with Pipeline(slots, lambda frame, observation: None) as pipeline:
            for frame in frames(60):
                pipeline.put(recorder.frame(frame))
                if frame.seq == 40:
                    gate.set()
            pipeline.wait()
            counts = pipeline.statistics()
    assert counts["slow"].dropped > 30
    replay = Replay(Recording(tmp_path / "run.mcap"), {run.task: Counts() for run in runs})
    for _ in replay:
        pass
    for name, report in replay.reports.items():
        assert (report.looks, report.different) == (counts[name].seen, 0)


class Picky(Counts):
    """Fails at every fifth frame, after it has changed."""

    def process(self, frame: Frame) -> Observation:
        observation = super().process(frame)
        if frame.seq % 5 == 3:
            raise ValueError(f"frame {frame.seq}")
        return observation


def test_a_look_that_failed_is_a_look_too(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.mcap", [TaskRun("counts")]) as recorder:
        task = recorder.listen("counts", Picky())
        for frame in frames(12):
            seen = recorder.frame(frame)
            if frame.seq % 5 == 3:
                with pytest.raises(ValueError, match="frame"):
                    task.process(seen)
            else:
                task.process(seen)
    assert replayed(tmp_path / "run.mcap", "counts", Picky()).reports["counts"].different == 0
    report = replayed(tmp_path / "run.mcap", "counts", Counts()).reports["counts"]
    assert report.different == 2
    assert report.first == "frame 3: failed then: ValueError: frame 3"


def test_the_first_difference_is_named_by_its_place(tmp_path: Path) -> None:
    class OneBit(Counts):
        def process(self, frame: Frame) -> Observation:
            said = super().process(frame)
            if frame.seq < 7:
                return said
            (found,) = said.detections
            box = replace(found.box, y=float(np.nextafter(found.box.y, 1.0)))
            return replace(said, detections=(replace(found, box=box),))

    record(tmp_path / "run.mcap", frames(12), Counts(), TaskRun("counts"))
    report = replayed(tmp_path / "run.mcap", "counts", OneBit()).reports["counts"]
    assert report.different == 5
    assert report.first == "frame 7: detections[0].box.y: 0.1 then, 0.10000000000000002 now"


def test_another_model_is_told_by_its_bytes(tmp_path: Path) -> None:
    other = tmp_path / "classify.tflite"
    shutil.copy(default_model_path("classify"), other)
    _, then = open_run("classify", other)
    # The same bytes are the same model, wherever they lie.
    assert other_models(then, open_run("classify")[1]) == []
    different = replace(then, files=(replace(then.files[0], sha256="0" * 64),))
    assert other_models(then, different) == [
        f"classify.tflite ({then.files[0].sha256[:12]}) then only",
        "classify.tflite (000000000000) now only",
    ]


def test_without_frames_there_is_nothing_to_replay(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.mcap", [TaskRun("counts")], image_format=None) as recorder:
        recorder.listen("counts", Counts()).process(recorder.frame(frames(1)[0]))
    with pytest.raises(RecordingError, match="without frames"):
        Replay(Recording(tmp_path / "run.mcap"), {"counts": Counts()})
