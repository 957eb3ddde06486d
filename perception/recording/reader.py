"""Read a recording: whole, unfinished, or cut off."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Footer, Message, Metadata
from mcap.stream_reader import StreamReader

from reflexarc.perception.recording import messages
from reflexarc.perception.recording.errors import RecordingError
from reflexarc.perception.recording.provenance import TaskRun
from reflexarc.perception.recording.writer import METADATA, TASK_METADATA, VERSION

# What mcap's reader raises where the file is cut off or damaged.
_DAMAGE = (McapError, ValueError, struct.error, KeyError, MemoryError, zstandard.ZstdError)
_LARGEST_RECORD = 1 << 28


@dataclass(frozen=True, slots=True)
class Look:
    """That a task looked at a frame.

    Attributes:
        seq: the frame's.
        message: what it said, see `messages.observation_message`; or what it raised.
        failed: it raised.
    """

    seq: int
    message: bytes
    failed: bool


class Recording:
    """What is in a file that `Recorder` has made.

    Attributes:
        path: of the file.
        started: when it was begun, ISO 8601.
        image_format: of its frames; None if it has none.
        blurred: its frames are not those which the tasks saw.
        tools: versions of what computed.
        runs: the tasks by name.
        looks: of each task, in their order.
        frames: how many there are.
        is_whole: it was finished properly. Otherwise all that can be read is here.
    """

    def __init__(self, path: str | Path) -> None:
        """Read everything but the pictures.

        Raises:
            RecordingError: no such file; not a recording of reflexarc's.
        """
        self.path = Path(path)
        self.frames = 0
        self.runs: dict[str, TaskRun] = {}
        self.looks: dict[str, list[Look]] = {}
        self.is_whole = False
        facts: dict[str, str] | None = None
        for record, topic in self._records():
            if isinstance(record, Footer):
                self.is_whole = True
            elif isinstance(record, Metadata) and record.name == METADATA:
                facts = record.metadata
            elif isinstance(record, Metadata) and record.name.startswith(TASK_METADATA):
                self._add_run(record)
            elif isinstance(record, Message):
                self._add_message(record, topic)
        if facts is None or facts.get("version") != VERSION:
            raise RecordingError(
                expected=f"a recording of reflexarc's, version {VERSION}",
                found=f"{self.path}: "
                + (f"version {facts.get('version')}" if facts else "no mark of reflexarc's in it"),
                remedy="make one with `reflexarc see SOURCE --record run.mcap`",
            )
        self.started = facts.get("started", "")
        named = facts.get("image_format", "none")
        self.image_format = None if named == "none" else named
        self.blurred = facts.get("blurred") == "true"
        try:
            self.tools: Mapping[str, str] = dict(json.loads(facts.get("tools", "{}")))
        except (TypeError, ValueError):
            self.tools = {}

    def read_frames(self) -> Iterator[messages.StoredFrame]:
        """The frames in their order.

        Raises:
            RecordingError: one that is not of reflexarc's.
        """
        for record, topic in self._records():
            if isinstance(record, Message) and topic == messages.CAMERA_TOPIC:
                yield messages.read_image_message(record.data)

    def _records(self) -> Iterator[tuple[object, str]]:
        """Records in the order of the file; messages with their topic."""
        topics: dict[int, str] = {}
        try:
            with self.path.open("rb") as file:
                reader = StreamReader(file, validate_crcs=True, record_size_limit=_LARGEST_RECORD)
                for record in reader.records:
                    if isinstance(record, Channel):
                        topics[record.id] = record.topic
                    elif isinstance(record, Message):
                        yield record, topics[record.channel_id]
                    else:
                        yield record, ""
        except OSError as error:
            raise RecordingError(
                expected="a recording (.mcap)",
                found=f"{self.path}: {error.strerror}",
                remedy="check the path",
            ) from error
        except _DAMAGE:
            # Up to here it was good; `is_whole` stays False.
            return

    def _add_run(self, record: Metadata) -> None:
        try:
            run = TaskRun.from_dict(
                {name: json.loads(part) for name, part in record.metadata.items()}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingError(
                expected=f"how a task was run in {record.name}",
                found=f"{type(error).__name__}: {error}",
                remedy="record again with this version of reflexarc",
            ) from error
        self.runs[run.task] = run
        self.looks.setdefault(run.task, [])

    def _add_message(self, record: Message, topic: str) -> None:
        if topic == messages.CAMERA_TOPIC:
            self.frames += 1
            return
        kind, _, task = topic.removeprefix("/").partition("/")
        if kind in (messages.OBSERVATIONS, messages.FAILURES) and task in self.looks:
            look = Look(record.sequence, record.data, kind == messages.FAILURES)
            self.looks[task].append(look)
