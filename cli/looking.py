"""Tasks over the frames of a camera, with everything that was asked for beside."""

from __future__ import annotations

import time
from collections.abc import Sequence, Sized
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reflexarc.cli.frames import Frames
from reflexarc.cli.output import err, out, table
from reflexarc.core import quiet
from reflexarc.perception.blur import FaceBlur
from reflexarc.perception.cameras import Camera, CameraError
from reflexarc.perception.cameras.video import VideoFile
from reflexarc.perception.overlay import marks_of
from reflexarc.perception.pipeline import Pipeline, Slot, SlotStatistics
from reflexarc.perception.preview import View
from reflexarc.perception.recording.encoders import frames_in
from reflexarc.perception.tasks import open_task

if TYPE_CHECKING:
    from reflexarc.cli.outputs import Outputs
    from reflexarc.cli.task_options import Chosen
    from reflexarc.perception.frame import Frame
    from reflexarc.perception.observation import Observation
    from reflexarc.perception.recording import Recorder
    from reflexarc.perception.tasks import Task

_FRESH_NS = 2_000_000_000
"""An observation is drawn on later frames for so long, until its task has a new one."""
_MEASURED_S = 0.5


class Looking:
    """One run of `reflexarc see`.

    Attributes:
        kept: all observations as plain data, if they are to be kept.
    """

    def __init__(
        self,
        chosen: Sequence[Chosen],
        tasks: dict[str, Task],
        outputs: Outputs,
        *,
        blur: FaceBlur | None = None,
        recorder: Recorder | None = None,
        prints: bool = False,
        keeps: bool = False,
    ) -> None:
        """Put the parts together.

        Args:
            chosen: rates of the tasks.
            tasks: by name.
            outputs: where things go.
            blur: hides faces in what is shown, saved or recorded; tasks see them.
            recorder: records everything.
            prints: write observations to stdout for people.
            keeps: collect observations in `kept`.
        """
        self.kept: list[dict[str, Any]] = []
        self._order = list(tasks)
        self._outputs, self._blur, self._recorder = outputs, blur, recorder
        self._prints, self._keeps = prints, keeps
        self._tasks = tasks
        self._slots = [
            Slot(
                one.name,
                recorder.listen(one.name, tasks[one.name]) if recorder else tasks[one.name],
                one.every_n,
                one.max_ms,
            )
            for one in chosen
        ]
        self._frames = Frames()
        self._live = False
        self._heard: list[Observation] = []
        self._latest: dict[str, Observation] = {}
        self._found: dict[str, int] = dict.fromkeys(tasks, 0)
        self._measured: dict[str, Any] = {}
        self._measured_at = 0.0
        self._end: tuple[dict[str, SlotStatistics], dict[str, Any]] = ({}, {})

    def run(self, camera: Camera, most: int | None = None, seconds: float | None = None) -> None:
        """Look until the source ends, enough was seen, or somebody ends it.

        Raises:
            ReflexarcError: an output has failed. What the source raises waits for
                `raise_failure`.
        """
        self._live = camera.live
        self._frames = Frames(most, seconds)
        bar = progress(self._prints or self._outputs.prints, self._outputs.takes_screen)
        with Pipeline(self._slots, self._hear) as pipeline, self._frames, bar:
            shown = bar.add_task("", total=most or length(camera))
            for frame in self._frames.of(camera):
                self._look(frame, pipeline, camera)
                bar.advance(shown)
                if self._outputs.ended:
                    break
            pipeline.wait()
            self._tell()
            self._end = (dict(pipeline.statistics()), camera.statistics().as_dict())

    def summary(self, notes: Sequence[str]) -> None:
        """What became of all frames, to stderr."""
        tasks, camera = self._end
        rate = "" if camera["fps"] is None else f", {camera['fps']:.1f} frames/s"
        line = f"{self._frames.count} frames{rate}, {camera['dropped']} dropped"
        line += f", {camera['bad']} bad" * bool(camera["bad"])
        if camera["failures"]:
            line += f", {camera['failures']} outages ({camera['recoveries']} over)"
        err.print(f"{line}; camera {camera['health']}", highlight=False)
        rows = [
            (
                name,
                str(task.seen),
                str(self._found.get(name, 0)),
                str(task.dropped),
                str(task.failed),
                *("–" if task.look_ms is None else f"{ms:.1f}" for ms in task.look_ms or (0, 0)),
            )
            for name, task in tasks.items()
        ]
        err.print(table(("task", "looks", "found", "dropped", "failed", "p50 ms", "p99 ms"), rows))
        for name, task in tasks.items():
            if task.error:
                err.print(f"{name} failed, the last time: {escape(task.error)}", highlight=False)
        if self._blur is not None and self._blur.failures:
            err.print(f"{self._blur.failures} frames blurred whole: faces could not be looked for")
        for note in notes:
            err.print(escape(note), highlight=False, soft_wrap=True)

    def raise_failure(self) -> None:
        """Raise what has ended it, if it was not the source's end.

        Raises:
            ReflexarcError: the source's own error, or it had no frame.
            KeyboardInterrupt: Ctrl-C.
        """
        if self._frames.failure is not None:
            raise self._frames.failure
        if self._frames.interrupted:
            raise KeyboardInterrupt
        if not self._frames.count:
            raise CameraError(
                expected="at least one frame", found="none", remedy="check the source"
            )

    def _look(self, frame: Frame, pipeline: Pipeline, camera: Camera) -> None:
        leaves = self._outputs.shows or self._recorder is not None
        shown = self._blur.blur(frame) if self._blur and leaves else frame
        pipeline.put(self._recorder.frame(frame, shown) if self._recorder else frame)
        if not self._live:
            pipeline.wait()
            self._tell()
        if self._outputs.shows:
            self._outputs.show(self._view(shown, pipeline, camera))

    def _hear(self, frame: Frame, observation: Observation) -> None:
        task = observation.task
        self._found[task] = self._found.get(task, 0) + bool(observation.detections)
        self._latest[task] = observation
        self._heard.append(observation)
        if self._live:
            self._tell()

    def _tell(self) -> None:
        """Say what was heard; of a file always in the same order, whichever task was faster."""
        heard, self._heard = self._heard, []
        for observation in sorted(heard, key=self._place):
            self._outputs.say(observation)
            if self._keeps:
                self.kept.append(observation.as_dict())
            if self._prints:
                print_observation(observation, named=len(self._order) > 1)

    def _place(self, observation: Observation) -> int:
        # A task may call itself otherwise than its plug-in is called.
        task = observation.task
        return self._order.index(task) if task in self._order else len(self._order)

    def _view(self, frame: Frame, pipeline: Pipeline, camera: Camera) -> View:
        now = time.monotonic()
        if now >= self._measured_at:
            self._measured_at = now + _MEASURED_S
            self._measured = {
                "camera": camera.statistics().as_dict(),
                "tasks": {name: asdict(task) for name, task in pipeline.statistics().items()},
            }
        latest = sorted(self._latest.copy().values(), key=self._place)
        said = tuple(observation for observation in latest if _is_of(observation, frame))
        times = {
            name: task["look_ms"][0]
            for name, task in self._measured["tasks"].items()
            if task["look_ms"]
        }
        # Asked each time: fractions become pixels at the first frame.
        marks = marks_of(self._tasks.values())
        return View(frame, said, marks, times, self._measured)


def _is_of(observation: Observation, frame: Frame) -> bool:
    age_ns = frame.stamp_ns - observation.stamp_ns
    return observation.source == frame.source and age_ns <= _FRESH_NS


def open_blur(device: str) -> FaceBlur:
    """What hides faces, with a task of its own: tasks remember, and this one sees every frame.

    Raises:
        ReflexarcError: the task cannot be opened.
    """
    # Rather a thing too many than a face too few, and none a frame late.
    with quiet():
        faces = open_task("faces", device=device, search_every=1, min_score=0.3, people=50)
    return FaceBlur(faces)


def print_observation(observation: Observation, named: bool) -> None:
    """A line for people."""
    found = ", ".join(
        f"[bold]{escape(d.label)}[/] {100 * d.score:.0f} % at "
        f"{d.box.x:.0f},{d.box.y:.0f} {d.box.width:.0f}x{d.box.height:.0f}"
        for d in observation.detections
    )
    counts = ", ".join(f"{escape(name)} {count}" for name, count in observation.counts.items())
    where = escape(f"{Path(observation.source).name} #{observation.seq}")
    task = f" {escape(observation.task)}" if named else ""
    said = "; ".join(filter(None, (found or "nothing", counts)))
    out.print(f"{where}{task}: {said}", highlight=False)


def progress(stdout_is_used: bool, screen_is_used: bool) -> Progress:
    """A bar on stderr, where a person looks at it and nothing else is written there."""
    hidden = screen_is_used or not err.is_terminal or (stdout_is_used and out.is_terminal)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=hidden,
    )


def length(camera: Camera) -> int | None:
    """How many frames there will be, where that can be known."""
    if isinstance(camera, Sized):
        return len(camera)
    if isinstance(camera, VideoFile):
        return frames_in(Path(camera.source).expanduser()) or None
    return None
