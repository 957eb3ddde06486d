"""A recording as a camera: its frames again, for any task."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reflexarc.perception.cameras import CLOCK, CameraError, Clock, FileCamera
from reflexarc.perception.frame import Frame
from reflexarc.perception.recording.reader import Recording


class RecordedFrames(FileCamera):
    """The frames of a recording that `see --record` made; nothing is lost.

    They have their numbers and their distances in time; the first is stamped now.
    """

    USAGE: ClassVar[str] = "mcap:run.mcap"

    def __init__(
        self,
        source: str,
        *,
        pace: Annotated[
            Literal["fast", "real"],
            Field(description="real: no faster than it was recorded; fast: as fast as it is taken"),
        ] = "fast",
        clock: Clock = CLOCK,
    ) -> None:
        """Read the recording, but not yet its frames.

        Raises:
            RecordingError: it is none.
            CameraError: it has no frames.
        """
        super().__init__(source, paced=pace == "real", clock=clock)
        self._recording = Recording(Path(source).expanduser())
        if not self._recording.frames:
            raise CameraError(
                expected=f"frames in {source}",
                found="none",
                remedy="record with --record-frames jpeg",
            )

    def __len__(self) -> int:
        """How many frames there are."""
        return self._recording.frames

    def frames(self) -> Generator[Frame, None, None]:
        """All of them.

        Raises:
            RecordingError: one that cannot be decoded.
        """
        offset_ns: int | None = None
        for stored in self._recording.read_frames():
            if offset_ns is None:
                offset_ns = self._clock.now_ns() - stored.stamp_ns
            yield replace(stored.frame(), stamp_ns=stored.stamp_ns + offset_ns)
