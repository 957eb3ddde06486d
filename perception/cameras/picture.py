"""One picture file: as RGB bytes, or as a camera that gives one frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.cameras.base import Camera, CameraError
from reflexarc.perception.cameras.complete import missing_end
from reflexarc.perception.frame import Frame

PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)

Image = npt.NDArray[np.uint8]


def read_picture(path: Path) -> Image:
    """Read a picture, upright.

    EXIF orientation is applied; grayscale and palettes become RGB; 16-bit values
    keep their high byte; what is transparent becomes white, as on paper.

    Returns:
        uint8, shape (height, width, 3), RGB.

    Raises:
        CameraError: it cannot be read, is no picture, or is cut off. (The decoder
            alone would paint the missing part of a cut JPEG grey and say nothing.)
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not data:
        raise _unreadable(path, "an empty file")
    missing = missing_end(data)
    if missing:
        raise _unreadable(path, f"a picture that is cut off ({missing})")
    try:
        image = _decode(data)
    except cv2.error as error:
        raise _unreadable(
            path, f"the decoder says: {str(error).strip().splitlines()[-1]}"
        ) from error
    if image is None:
        raise _unreadable(
            path, f"{len(data)} bytes that are no picture, starting with {data[:8]!r}"
        )
    return image


class PictureFile(Camera):
    """A single picture: one frame."""

    @classmethod
    def recognises(cls, source: str) -> bool:
        """An existing file with a picture's ending."""
        path = Path(source).expanduser()
        return path.suffix.lower() in PICTURE_ENDINGS and path.is_file()

    def __init__(self, source: str) -> None:
        """Read it.

        Raises:
            CameraError: see `read_picture`.
        """
        self.source = source
        self._image = read_picture(Path(source).expanduser())

    def __iter__(self) -> Iterator[Frame]:
        """The one frame."""
        yield Frame(self._image, time.monotonic_ns(), 0, self.source)


def _decode(data: bytes) -> Image | None:
    raw = np.frombuffer(data, np.uint8)
    if not data.startswith(b"\xff\xd8"):  # a JPEG has no transparency
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
        if whole is None:
            return None
        if whole.ndim == 3 and whole.shape[2] == 4:
            return _on_white(whole)
    color = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return None if color is None else np.asarray(cv2.cvtColor(color, cv2.COLOR_BGR2RGB), np.uint8)


def _on_white(bgra: npt.NDArray[Any]) -> Image:
    values = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA) / np.float32(np.iinfo(bgra.dtype).max)
    alpha = values[..., 3:]
    return np.asarray(np.rint((values[..., :3] * alpha + (1 - alpha)) * 255), np.uint8)


def _unreadable(path: Path, found: str) -> CameraError:
    return CameraError(
        expected=f"a whole picture in {str(path)!r}",
        found=found,
        remedy="replace the file, or leave it out",
    )
