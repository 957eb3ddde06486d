"""Write frames into a video that browsers play, at a constant rate, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError, WriteError, atomic_write
from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit
from reflexarc.perception.recording.encoders import (
    H264,
    Encoder,
    OpenCv,
    frames_in,
    has_h264,
)

if TYPE_CHECKING:
    from typing_extensions import Self

Image = npt.NDArray[np.uint8]

VIDEO_ENDINGS = (".mp4", ".webm")
DEFAULT_FPS = 25.0
FPS_LIMITS = (1.0, 120.0)
_FIRST = 12
"""Frames that are held back to learn the rate from their stamps."""
_JITTER = 0.03
"""So near to a whole number, the rate is that."""
_LONGEST_GAP_S = 10.0
"""A camera that was away longer does not fill the video with its last picture."""

_LEAST_ROOM = 1 << 18
"""Bytes free on the disk below which it counts as full: OpenCV does not say."""


class VideoFileWriter:
    """A video of the frames that are put in, under its name only when it is finished.

    The rate is constant: by their stamps frames are repeated or left out, so that it plays
    as it was filmed. The first frame gives the size; later ones of another size are
    letterboxed into it.

    ``.mp4`` is H.264 by PyAV where that is installed; otherwise MPEG-4
    Part 2 by OpenCV, which players show and browsers do not (`note` says so). ``.webm`` is
    VP8 by OpenCV and plays everywhere.

    Attributes:
        frames: in the video so far.
        note: what the user should know of the codec; empty if nothing.
    """

    def __init__(self, path: Path, fps: float | None = None) -> None:
        """Prepare; the file is begun with the first frames.

        Args:
            path: ending in .mp4 or .webm.
            fps: show every frame once, at this rate; by their stamps if None.

        Raises:
            WriteError: another ending, or a folder that cannot be written.
        """
        if path.suffix.lower() not in VIDEO_ENDINGS:
            raise WriteError(
                expected=f"a name that ends in {' or '.join(VIDEO_ENDINGS)}",
                found=str(path),
                remedy="change the ending",
            )
        self.path = path
        self.frames = 0
        is_mp4 = path.suffix.lower() == ".mp4"
        self._h264 = is_mp4 and has_h264()
        self.note = (
            "no H.264 here: browsers will not play this .mp4; "
            "install it (pip install av) or save as .webm"
            if is_mp4 and not self._h264
            else ""
        )
        self._fps, self._every = fps or DEFAULT_FPS, fps is not None
        self._held: list[tuple[Image, int]] = []
        self._encoder: Encoder | None = None
        self._ended = False
        self._size = (0, 0)
        self._last: Image | None = None
        self._start_ns = 0
        self._files = contextlib.ExitStack()
        self._temporary = self._files.enter_context(atomic_write(path))

    def put(self, image: Image, stamp_ns: int) -> None:
        """Add a frame (uint8 RGB, any size).

        Raises:
            WriteError: the disk is full, or the encoder has failed. Nothing is left.
        """
        if self._encoder is None:
            self._held.append((image, stamp_ns))
            if len(self._held) >= _FIRST:
                self._begin()
            return
        self._place(image, stamp_ns)

    def close(self) -> None:
        """Finish the file and give it its name; without a frame there is none.

        Twice is fine, and so is after a failure.

        Raises:
            WriteError: as for `put`.
        """
        if self._ended:
            return
        if self._encoder is None and self._held:
            self._begin()
        if self._encoder is None:
            self.discard()
            return
        with self._whole_or_not():
            self._encoder.finish()
            if frames_in(self._temporary) != self.frames:
                raise OSError(errno.EIO, "the encoder lost frames")
        self._ended = True
        self._encoder.stop()
        self._files.close()

    def discard(self) -> None:
        """Leave nothing behind. After `close` it does nothing."""
        if self._ended:
            return
        self._ended = True
        if self._encoder is not None:
            self._encoder.stop()
        # As if the file's writing had failed: that is how atomic_write removes it.
        self._files.__exit__(_DiscardedError, _DiscardedError(), None)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Finish it, after Ctrl-C or a user's error too; a bug leaves nothing."""
        if kind is None or issubclass(kind, (KeyboardInterrupt, ReflexarcError)):
            self.close()
        else:
            self.discard()

    def _begin(self) -> None:
        held, self._held = self._held, []
        if not self._every:
            self._fps = _rate([stamp for _, stamp in held])
        height, width = held[0][0].shape[:2]
        # 4:2:0 has one colour for two by two pixels.
        self._size = (max(2, width // 2 * 2), max(2, height // 2 * 2))
        self._start_ns = held[0][1]
        with self._whole_or_not():
            self._encoder = (H264 if self._h264 else OpenCv)(self._temporary, self._size, self._fps)
        for image, stamp_ns in held:
            self._place(image, stamp_ns)

    def _place(self, image: Image, stamp_ns: int) -> None:
        at = self.frames if self._every else round((stamp_ns - self._start_ns) * 1e-9 * self._fps)
        gap = at - self.frames
        if gap < 0:
            return  # more frames than the rate has room for
        if gap > _LONGEST_GAP_S * self._fps:
            self._start_ns += round(gap / self._fps * 1e9)
            gap = 0
        shown = self._fitted(image)
        assert self._encoder is not None
        with self._whole_or_not():
            if shutil.disk_usage(self._temporary.parent).free < _LEAST_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            for _ in range(gap):
                self._encoder.write(shown if self._last is None else self._last)
            self._encoder.write(shown)
        self.frames += gap + 1
        self._last = shown

    def _fitted(self, image: Image) -> Image:
        width, height = self._size
        if image.shape[:2] == (height, width):
            return np.ascontiguousarray(image)
        if (image.shape[0] // 2 * 2, image.shape[1] // 2 * 2) == (height, width):
            return np.ascontiguousarray(image[:height, :width])
        box = InputSpec(width=width, height=height, color="rgb", mean=0, std=1, fit="pad")
        return np.ascontiguousarray(fit(image, box))

    @contextlib.contextmanager
    def _whole_or_not(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            no_room = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise WriteError(
                expected=f"room for the video {self.path}"
                if no_room
                else f"to write the video {self.path}",
                found=error.strerror or str(error),
                remedy=f"{'free some space' if no_room else 'check the folder'}, "
                "or write to another folder; nothing was left behind",
            ) from error


class _DiscardedError(Exception):
    pass


def _rate(stamps_ns: Sequence[int]) -> float:
    """Frames in a second."""
    apart = np.diff(np.array(stamps_ns, np.int64))
    apart = apart[apart > 0]
    if not len(apart):
        return DEFAULT_FPS
    # Without the gaps of dropped frames.
    rate = 1e9 / float(apart[apart < 1.5 * np.median(apart)].mean())
    if abs(rate - round(rate)) < _JITTER * rate:
        rate = round(rate)
    low, high = FPS_LIMITS
    return round(min(max(rate, low), high), 2)
