"""What turns pixels into a video file: PyAV, or OpenCV."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.core import quiet

Image = npt.NDArray[np.uint8]

_OPENCV = {".mp4": "mp4v", ".webm": "VP80"}


class Encoder(Protocol):
    """Writes frames of one size into a file."""

    def write(self, image: Image) -> None:
        """Add a frame of the right size; OSError where that fails."""

    def finish(self) -> None:
        """End the file; OSError where that fails."""

    def stop(self) -> None:
        """End at once, whatever the file is like; after `finish` it is nothing."""


class H264:
    """H.264 by PyAV, which brings FFmpeg's libraries along (pip install av)."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        import av

        self._av = av
        # Browsers and phones want 4:2:0 and the index in front; -crf 20 leaves thin lines sharp.
        with self._as_os_error():
            self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
            self._stream = self._file.add_stream(
                "libx264",
                rate=Fraction(fps).limit_denominator(1000),
                options={"preset": "veryfast", "crf": "20"},
            )
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._closed = False

    def write(self, image: Image) -> None:
        """See `Encoder`."""
        with self._as_os_error():
            frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            self._file.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """See `Encoder`."""
        with self._as_os_error():
            self._file.mux(self._stream.encode(None))
            self._closed = True
            self._file.close()

    def stop(self) -> None:
        """See `Encoder`."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, self._av.error.FFmpegError):
                self._file.close()

    @contextlib.contextmanager
    def _as_os_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except self._av.error.FFmpegError as error:
            raise OSError(error.errno or errno.EIO, f"FFmpeg: {error.strerror}") from error


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


def has_h264() -> bool:
    """Whether `H264` can be used here."""
    return importlib.util.find_spec("av") is not None
