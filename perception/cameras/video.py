"""A video file as a camera."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from reflexarc.perception.cameras.base import Camera, CameraError
from reflexarc.perception.frame import Frame

VIDEO_ENDINGS = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".gif"}
)

_SLACK = 0.05
"""Containers round their frame count, and some only estimate it from duration
and rate: fewer frames than declared by this share (or by two) is no damage."""

# Read once by OpenCV, when it first opens a video: what FFmpeg would print about
# a broken file is said in our own error.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from printing its guesses about a file that does not open."""
    logging = cv2.utils.logging
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        logging.setLogLevel(level)


class VideoFile(Camera):
    """The frames of a video, upright, as fast as they are asked for.

    Stamps start at the time of opening and advance by the video's own clock, so
    that speeds and durations come out as they were filmed.
    """

    @classmethod
    def recognises(cls, source: str) -> bool:
        """An existing file with a video's ending."""
        path = Path(source).expanduser()
        return path.suffix.lower() in VIDEO_ENDINGS and path.is_file()

    def __init__(self, source: str) -> None:
        """Open it and decode the first frame.

        Raises:
            CameraError: it is no video, or its first frame cannot be decoded.
        """
        self.source = source
        self._capture = self._open()

    def _open(self) -> cv2.VideoCapture:
        path = Path(self.source).expanduser()
        with _quiet():
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not capture.isOpened() or not capture.grab():
            capture.release()
            raise CameraError(
                expected=f"a video in {self.source!r}",
                found=f"{path.stat().st_size} bytes of which no frame can be decoded",
                remedy="play it in a media player; if that fails too, copy or convert it again",
            )
        return capture

    def __iter__(self) -> Iterator[Frame]:
        """Every frame, from the first.

        Raises:
            CameraError: at the end, when clearly fewer frames came than the file
                declares: it was cut off or is damaged.
        """
        if not self._capture.isOpened():
            self._capture = self._open()
        capture = self._capture
        declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        start = stamp = time.monotonic_ns()
        seq = 0
        try:
            while True:
                ok, image = capture.retrieve()
                if not ok:
                    break
                at = start + round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
                # Some files carry no times, or times that go back.
                stamp = at if seq == 0 or at > stamp else stamp + 1
                rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
                yield Frame(rgb, stamp, seq, self.source)
                seq += 1
                if not capture.grab():
                    break
        finally:
            capture.release()
        if seq < declared - max(2.0, _SLACK * declared):
            raise CameraError(
                expected=f"{declared:.0f} frames in {self.source!r}, as it declares",
                found=f"{seq}",
                remedy="copy or convert the video again; the frames before the damage were read",
            )

    def close(self) -> None:
        """Close the file."""
        self._capture.release()
