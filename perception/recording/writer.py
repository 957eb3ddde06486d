"""Write a recording while it happens."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from mcap.writer import Writer

from reflexarc.core import WriteError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.recording import messages
from reflexarc.perception.recording.errors import RecordingError
from reflexarc.perception.recording.growing import GrowingFile
from reflexarc.perception.recording.provenance import TaskRun, tools
from reflexarc.perception.tasks.base import Task

if TYPE_CHECKING:
    from typing_extensions import Self

METADATA = "reflexarc"
TASK_METADATA = "reflexarc/task/"
VERSION = "1"

_CHUNK = 1 << 19
_CHUNK_WITHOUT_FRAMES = 1 << 13
"""Bytes collected before they are written: a kill loses so much at most."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Recorder:
    """Records frames and what tasks say of them. Safe to share between threads.

    The file grows as ``NAME.part.mcap`` and gets its name when it is closed; `Recording`
    reads that part too, should the program be killed. When the disk is full, what was
    recorded is ended properly and kept. Without a frame no file is left.

    For an exact replay tasks look at the frames that `frame` gives, wrapped by `listen`::

        with Recorder(Path("run.mcap"), [run]) as recorder:
            task = recorder.listen(run.task, task)
            for frame in camera:
                task.process(recorder.frame(frame))

    Attributes:
        path: of the whole recording.
        frames: how many were recorded.
    """

    def __init__(
        self,
        path: Path,
        runs: Iterable[TaskRun],
        *,
        image_format: str | None = "jpeg",
        blurred: bool = False,
    ) -> None:
        """Begin.

        Args:
            path: of the file, ending in .mcap; an older one is replaced at the end.
            runs: the tasks that will look.
            image_format: "jpeg" (quality 95), "png" (lossless), or None: keep no frames.
            blurred: `frame` will be told what to keep instead of what the tasks see.

        Raises:
            RecordingError: another ending or format; an unfinished recording of that name.
            WriteError: the file cannot be written.
        """
        if path.suffix != ".mcap":
            raise RecordingError(
                expected="a name that ends in .mcap", found=str(path), remedy="change the ending"
            )
        if image_format is not None and image_format not in messages.FORMATS:
            raise RecordingError(
                expected=f"one of the formats {', '.join(messages.FORMATS)}",
                found=image_format,
                remedy="choose one",
            )
        self.path = path
        self.frames = 0
        self._format = image_format
        self._blurred = blurred
        self._lock = threading.Lock()
        self._ended: WriteError | None = None
        self._closed = False
        # Stamps are monotonic; viewers show the time of day.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._file = GrowingFile(path)
        # Pictures are compressed already, but base64 is not: zstd, mcap's default, takes it
        # back to what the picture has in bytes.
        chunk = _CHUNK_WITHOUT_FRAMES if image_format is None else _CHUNK
        self._writer = Writer(self._file, chunk_size=chunk)  # type: ignore[arg-type]
        with self._room():
            self._begin(list(runs))

    def frame(self, frame: Frame, kept: Frame | None = None) -> Frame:
        """Record a frame.

        Args:
            frame: from the camera.
            kept: what to record in its place: the frame with blurred faces.

        Returns:
            The frame for the tasks. JPEG changes pixels a little: they get what replay will
            decode. Of a blurred recording they get the camera's, and replay is not exact.

        Raises:
            WriteError: no more room, or the disk is gone. The recording has ended.
        """
        seen = frame
        if self._format is not None:
            data = messages.encode((kept or frame).image, self._format)
            if not self._blurred and self._format == "jpeg":
                seen = replace(frame, image=messages.decode(data))
            crc32 = None if self._blurred else messages.pixels_crc32(seen.image)
            message = messages.image_message(frame, data, self._format, crc32, self._epoch_ns)
            self._write("camera", frame, message)
        with self._lock:
            self.frames += 1
        return seen

    def listen(self, run: str, task: Task) -> Task:
        """The same task, whose every look is recorded under the name of its run."""
        return _Listened(self, run, task)

    def observation(self, run: str, frame: Frame, observation: Observation) -> None:
        """Record what a task said of a frame.

        Raises:
            WriteError: as for `frame`.
        """
        self._write(f"said by {run}", frame, messages.observation_message(observation))

    def failure(self, run: str, frame: Frame, error: BaseException) -> None:
        """Record that a task could not look at a frame.

        Raises:
            WriteError: as for `frame`.
        """
        self._write(f"failed by {run}", frame, messages.failure_message(frame, error))

    def close(self) -> None:
        """Finish the file and give it its name. Twice is fine.

        Raises:
            WriteError: there was no room, now or before. What was recorded is kept.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._ended is not None:
                raise self._ended
            if not self.frames:
                self._file.discard()
                return
            with self._room():
                self._writer.finish()  # type: ignore[no-untyped-call]
            self._file.finish()

    def __enter__(self) -> Self:
        """The recorder itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close it."""
        try:
            self.close()
        except WriteError:
            # What ended it has been said already.
            if error is None or error is not self._ended:
                raise

    def _begin(self, runs: list[TaskRun]) -> None:
        writer = self._writer
        writer.start(profile="", library="reflexarc")
        facts = {
            "version": VERSION,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "image_format": self._format or "none",
            "blurred": json.dumps(self._blurred),
            "epoch_ns": str(self._epoch_ns),
            "tools": json.dumps(tools()),
        }
        if self._format == "jpeg":
            facts["jpeg_quality"] = str(messages.JPEG_QUALITY)
        writer.add_metadata(METADATA, facts)
        for run in runs:
            parts = {name: json.dumps(part) for name, part in run.as_dict().items()}
            writer.add_metadata(TASK_METADATA + run.task, parts)
        kinds = [
            (messages.IMAGE_SCHEMA, messages.image_schema()),
            (messages.OBSERVATION_SCHEMA, messages.observation_schema()),
            (messages.FAILURE_SCHEMA, messages.failure_schema()),
        ]
        image, said, failed = (
            writer.register_schema(name, "jsonschema", schema) for name, schema in kinds
        )
        topics = {"camera": (messages.CAMERA_TOPIC, image)} if self._format else {}
        for run in runs:
            topics[f"said by {run.task}"] = (f"/{messages.OBSERVATIONS}/{run.task}", said)
            topics[f"failed by {run.task}"] = (f"/{messages.FAILURES}/{run.task}", failed)
        self._channels = {
            name: writer.register_channel(topic, "json", schema)
            for name, (topic, schema) in topics.items()
        }

    def _write(self, channel: str, frame: Frame, message: bytes) -> None:
        with self._lock:
            if self._ended is not None:
                raise self._ended
            if self._closed:
                raise ValueError(f"the recording {self.path} is closed")
            at = max(0, frame.stamp_ns + self._epoch_ns)
            with self._room():
                self._writer.add_message(
                    self._channels[channel], at, message, at, frame.seq % 2**32
                )

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Where a write fails, end the recording with what is there."""
        try:
            yield
        except OSError as error:
            no_room = error.errno in _NO_ROOM
            if self.frames:
                kept = f"what was recorded until then is in {self._file.end_early()}"
            else:
                self._file.discard()
                kept = "nothing was recorded"
            self._ended = WriteError(
                expected=f"room for the recording {self.path}"
                if no_room
                else f"to write the recording {self.path}",
                found=error.strerror or str(error),
                remedy=f"{'free some space' if no_room else 'check the disk'}; {kept}",
            )
            raise self._ended from error


class _Listened:
    def __init__(self, recorder: Recorder, run: str, task: Task) -> None:
        self._recorder, self._run, self._task = recorder, run, task

    def process(self, frame: Frame) -> Observation:
        try:
            observation = self._task.process(frame)
        except Exception as error:
            self._recorder.failure(self._run, frame, error)
            raise
        self._recorder.observation(self._run, frame, observation)
        return observation
