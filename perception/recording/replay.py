"""Run the same tasks on the same frames again, and compare what they say to the last bit."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.recording import messages
from reflexarc.perception.recording.errors import RecordingError
from reflexarc.perception.recording.provenance import TaskRun, tools
from reflexarc.perception.recording.reader import Look, Recording
from reflexarc.perception.tasks.base import Task


@dataclass
class TaskReport:
    """How a task's replay compares.

    Attributes:
        looks: frames that it saw in the recording, and now again.
        different: looks that ended differently.
        first: where and how the first of them differs; empty if none does.
    """

    task: str
    looks: int = 0
    different: int = 0
    first: str = ""


class Replay:
    """A recording shown to tasks again.

    Each task sees the frames that it saw then, in the same order: what was dropped then is
    left out now. Iterate to run it, then read `reports`::

        replay = Replay(recording, {"pose": open_task("pose")})
        for frame in replay:
            print(replay.said)

    Attributes:
        said: of the last frame, now.
        reports: for each task; whole after the last frame.
        other_pixels: frames that do not decode to the pixels that were seen then.
    """

    def __init__(self, recording: Recording, tasks: Mapping[str, Task]) -> None:
        """Take tasks that have seen nothing yet, by the names of their runs.

        Raises:
            RecordingError: there are no frames in the recording.
        """
        if not recording.frames:
            kept = recording.image_format is not None
            raise RecordingError(
                expected=f"frames in {recording.path}",
                found="none" if kept else "none: it was recorded without frames",
                remedy="record again" if kept else "record again with --record-frames jpeg",
            )
        self._recording = recording
        self._tasks = tasks
        self.said: list[Observation] = []
        self.reports = {task: TaskReport(task) for task in tasks}
        self.other_pixels = 0

    def __iter__(self) -> Generator[Frame, None, None]:
        """Each frame of the recording, when every task has looked at it."""
        expected = {task: deque(self._recording.looks[task]) for task in self._tasks}
        for stored in self._recording.read_frames():
            frame = stored.frame()
            self.other_pixels += not stored.is_as_seen(frame)
            self.said = []
            for name, task in self._tasks.items():
                looks = expected[name]
                if looks and looks[0].seq == frame.seq % 2**32:
                    observation, difference = _again(task, frame, looks.popleft())
                    self._count(name, frame, difference)
                    if observation is not None:
                        self.said.append(observation)
            yield frame
        for name, looks in expected.items():
            for look in looks:
                self._count(name, None, f"frame {look.seq} is not in the recording")

    def _count(self, task: str, frame: Frame | None, difference: str) -> None:
        report = self.reports[task]
        report.looks += 1
        report.different += bool(difference)
        if difference and not report.first:
            where = "" if frame is None else f"frame {frame.seq}: "
            report.first = where + difference


def _again(task: Task, frame: Frame, look: Look) -> tuple[Observation | None, str]:
    try:
        observation = task.process(frame)
    # Recorded as a failure, whatever it was.
    except Exception as error:
        if look.failed:
            return None, ""
        return None, f"fails now: {type(error).__name__}: {error}"
    if look.failed:
        return observation, f"failed then: {json.loads(look.message)['error']}"
    message = messages.observation_message(observation)
    if message == look.message:
        return observation, ""
    return observation, _difference(json.loads(look.message), json.loads(message))


def _difference(then: Any, now: Any, where: str = "") -> str:
    """The first value that differs, by its path."""
    if isinstance(then, dict) and isinstance(now, dict) and then.keys() == now.keys():
        pairs = [(f"{where}.{key}", then[key], now[key]) for key in then]
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = [(f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(then, now, strict=True))]
    elif isinstance(then, list) and isinstance(now, list):
        return f"{where.lstrip('.')}: {len(then)} then, {len(now)} now"
    else:
        same = json.dumps(then) == json.dumps(now)
        return (
            "" if same else f"{where.lstrip('.')}: {json.dumps(then)} then, {json.dumps(now)} now"
        )
    return next(filter(None, (_difference(a, b, path) for path, a, b in pairs)), "")


def other_models(then: TaskRun, now: TaskRun) -> list[str]:
    """How a task's model files differ from those that were recorded, in words."""
    old, new = ({f.sha256: f.name for f in run.files} for run in (then, now))
    return [f"{name} ({sha[:12]}) then only" for sha, name in old.items() if sha not in new] + [
        f"{name} ({sha[:12]}) now only" for sha, name in new.items() if sha not in old
    ]


def other_tools(recording: Recording, runs: Mapping[str, TaskRun]) -> list[str]:
    """What may round differently now: libraries, the kind of machine, backends, in words."""
    now = tools()
    changed = [
        f"{name} {recording.tools.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in sorted(recording.tools.keys() | now.keys())
        if recording.tools.get(name) != now.get(name)
    ]
    for task, run in runs.items():
        backends = {file.sha256: file.backend for file in recording.runs[task].files}
        changed += [
            f"{file.name} on {backends[file.sha256]} then, on {file.backend} now"
            for file in run.files
            if backends.get(file.sha256, file.backend) != file.backend
        ]
    return changed
