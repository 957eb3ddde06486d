"""What turns pixels into a video file: the ffmpeg command, or OpenCV."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.core import quiet

Image = npt.NDArray[np.uint8]

# -crf 20 leaves thin lines sharp.
H264 = {
    "libx264": ("-preset", "veryfast", "-crf", "20"),
    "libopenh264": ("-b:v", "4M"),
}
_OPENCV = {".mp4": "mp4v", ".webm": "VP80"}


class Encoder(Protocol):
    """Writes frames of one size into a file."""

    def write(self, image: Image) -> None:
        """Add a frame of the right size; OSError where that fails."""

    def finish(self) -> None:
        """End the file; OSError where that fails."""

    def stop(self) -> None:
        """End at once, whatever the file is like; after `finish` it is nothing."""


class Ffmpeg:
    """The ``ffmpeg`` command, fed with pixels."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, codec: str) -> None:
        width, height = size
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        # Browsers and phones want 4:2:0 and the index in front.
        self._process = subprocess.Popen(
            [
                *("ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"),
                *("-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"),
                *("-c:v", codec, *H264[codec], "-pix_fmt", "yuv420p"),
                *("-movflags", "+faststart", "-f", "mp4", str(path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,  # Ctrl-C is for us: the video is to be finished
        )

    def write(self, image: Image) -> None:
        """See `Encoder`."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(image.data)
        except OSError as error:
            raise self._failure() from error

    def finish(self) -> None:
        """See `Encoder`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._process.wait() != 0:
            raise self._failure()

    def stop(self) -> None:
        """See `Encoder`."""
        if self._said.closed:
            return
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._said.close()

    def _failure(self) -> OSError:
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        if os.strerror(errno.ENOSPC) in said:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        last = said.splitlines()[-1] if said else f"it ended with {self._process.returncode}"
        return OSError(errno.EIO, f"ffmpeg: {last}")


class OpenCv:
    """OpenCV's own FFmpeg, which has no H.264. It does not say when a write fails: whoever
    uses it counts the frames in the file at the end."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        code = cv2.VideoWriter.fourcc(*_OPENCV[path.suffix.lower()])
        with quiet():  # FFmpeg inside OpenCV has something to say of VP8's tag
            self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, size)
        if not self._writer.isOpened():
            raise OSError(errno.EIO, "OpenCV has no encoder for it")

    def write(self, image: Image) -> None:
        """See `Encoder`."""
        with _quiet_opencv():
            self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def finish(self) -> None:
        """See `Encoder`."""
        with _quiet_opencv():
            self._writer.release()

    def stop(self) -> None:
        """See `Encoder`."""
        self.finish()


@contextlib.contextmanager
def _quiet_opencv() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def frames_in(path: Path) -> int:
    """As the file itself says; a file without its end says nonsense."""
    with _quiet_opencv():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return round(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    finally:
        capture.release()


@cache
def h264_codec() -> str | None:
    """The name of an H.264 encoder of the ffmpeg command's, if there is one."""
    try:
        listed = subprocess.run(
            ["ffmpeg", "-hide_banner", "-encoders"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return next((codec for codec in H264 if f" {codec} " in listed), None)
