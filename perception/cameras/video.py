"""A video file as a camera."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import cv2
from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, FileCamera
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.opencv import quiet_opencv, to_rgb
from reflexarc.perception.frame import Frame

VIDEO_ENDINGS = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".gif"}
)

_SLACK = 0.05
"""Containers round their frame count, and some only estimate it from duration
and rate: fewer frames than declared by this share (or by two) is no damage."""

_STEPPED_MS = 4000.0


class VideoFile(FileCamera):
    """The frames of a video file, upright; nothing is lost.

    Stamps start at the time of opening and advance by the video's own clock, so
    that speeds and durations come out as they were filmed.
    """

    USAGE: ClassVar[str] = "clip.mp4"

    def __init__(
        self,
        source: str,
        *,
        pace: Annotated[
            Literal["fast", "real"],
            Field(description="real: no faster than it was filmed; fast: as fast as it is taken"),
        ] = "fast",
        loop: Annotated[bool, Field(description="1: from the start again, without end")] = False,
        start: Annotated[float, Field(ge=0, description="seconds to leave out")] = 0.0,
        clock: Clock = CLOCK,
    ) -> None:
        """Open it and decode the first frame.

        Raises:
            CameraError: it is no video, its first frame cannot be decoded, or it is over
                before `start`.
        """
        super().__init__(source, paced=pace == "real", clock=clock)
        self._loop, self._start_ms = loop, start * 1e3
        self._path = Path(source).expanduser()
        self._using = threading.Lock()  # OpenCV must not close what another thread decodes
        self._capture = self._open()

    def _open(self) -> cv2.VideoCapture:
        """A capture that has grabbed its first frame at or after `start`."""
        capture = self._first_frame()
        if self._start_ms > _STEPPED_MS:
            # To near it by the file's index, which a few files have wrong: then step by step.
            capture.set(cv2.CAP_PROP_POS_MSEC, self._start_ms - _STEPPED_MS / 2)
            if not capture.grab() or capture.get(cv2.CAP_PROP_POS_MSEC) > self._start_ms:
                capture.release()
                capture = self._first_frame()
        while (at_ms := capture.get(cv2.CAP_PROP_POS_MSEC)) < self._start_ms - 1e-3:
            if not capture.grab():
                capture.release()
                raise CameraError(
                    expected=f"{self.source!r} to last longer than start={self._start_ms / 1e3:g}",
                    found=f"its last frame is at {at_ms / 1e3:.2f} s",
                    remedy="start earlier",
                )
        return capture

    def _first_frame(self) -> cv2.VideoCapture:
        with quiet_opencv():
            capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
            if capture.isOpened() and capture.grab():
                return capture
        capture.release()
        raise self._unreadable()

    def _unreadable(self) -> CameraError:
        try:
            found = f"{self._path.stat().st_size} bytes of which no frame can be decoded"
        except OSError as error:
            found = error.strerror or str(error)
        return CameraError(
            expected=f"a video in {self.source!r}",
            found=found,
            remedy="play it in a media player; if that fails too, copy or convert it again",
        )

    def frames(self) -> Generator[Frame, None, None]:
        """Every frame, from the first, or from `start`.

        Raises:
            CameraError: at the end, when clearly fewer frames came than the file
                declares: it was cut off or is damaged.
        """
        origin_ns = stamp_ns = self._clock.now_ns()
        seq = 0
        while True:
            with self._using:
                if self._closing.is_set():
                    return
                if not self._capture.isOpened():
                    self._capture = self._open()
                capture = self._capture
                declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
                first_ms = at_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
                skipped = capture.get(cv2.CAP_PROP_POS_FRAMES) - 1
                ok, image = capture.retrieve()
            first_seq = seq
            frame_ms = 0.0
            while ok:
                at_ns = origin_ns + round((at_ms - first_ms) * 1e6)
                # Some files carry no times, or times that go back.
                stamp_ns = at_ns if seq == 0 or at_ns > stamp_ns else stamp_ns + 1
                yield Frame(to_rgb(image), stamp_ns, seq, self.source)
                seq += 1
                with self._using:
                    if self._closing.is_set():
                        return
                    ok = capture.grab()
                    if ok:
                        ok, image = capture.retrieve()
                        frame_ms = capture.get(cv2.CAP_PROP_POS_MSEC) - at_ms
                        at_ms += frame_ms
            with self._using:
                capture.release()
            if skipped + seq - first_seq < declared - max(2.0, _SLACK * declared):
                raise CameraError(
                    expected=f"{declared:.0f} frames in {self.source!r}, as it declares",
                    found=f"{skipped + seq - first_seq:.0f}",
                    remedy="copy or convert the video again; what was before the damage was read",
                )
            if not self._loop:
                return
            # The last frame lasts as long as the one before it.
            origin_ns = stamp_ns + max(1, round(frame_ms * 1e6))

    def close(self) -> None:
        """End the iteration; close the file, now or with the frame that is being decoded."""
        super().close()
        if self._using.acquire(blocking=False):
            self._capture.release()
            self._using.release()
