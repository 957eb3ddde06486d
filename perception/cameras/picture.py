"""One picture file: as RGB bytes, or as a camera that gives one frame."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, FileCamera, Image
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.complete import missing_end
from reflexarc.perception.cameras.opencv import to_rgb
from reflexarc.perception.frame import Frame

PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)


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
    image, fault = decode_picture(data)
    if image is None:
        raise _unreadable(path, fault)
    return image


def decode_picture(data: bytes) -> tuple[Image, str] | tuple[None, str]:
    """A picture's bytes as `read_picture` gives them, or None and what is wrong with them."""
    missing = missing_end(data)
    if missing:
        return None, f"a picture that is cut off ({missing})"
    try:
        image = _decode(data)
    except cv2.error as error:
        return None, f"the decoder says: {str(error).strip().splitlines()[-1]}"
    if image is None:
        return None, f"{len(data)} bytes that are no picture, starting with {data[:8]!r}"
    return image, ""


class PictureFile(FileCamera):
    """A single picture: one frame, or the same again and again."""

    USAGE: ClassVar[str] = "photo.jpg"

    def __init__(
        self,
        source: str,
        *,
        loop: Annotated[bool, Field(description="1: again and again, without end")] = False,
        fps: Annotated[
            float, Field(ge=0, description="frames a second; 0: as fast as they are taken")
        ] = 0.0,
        clock: Clock = CLOCK,
    ) -> None:
        """Read it.

        Raises:
            CameraError: see `read_picture`.
        """
        super().__init__(source, paced=fps > 0, clock=clock)
        self._loop, self._fps = loop, fps
        self._image = read_picture(Path(source).expanduser())

    def frames(self) -> Generator[Frame, None, None]:
        """The one frame; looped, the same array each time."""
        stamps = paced_stamps(self._clock, self._fps)
        for seq, stamp_ns in enumerate(stamps):
            yield Frame(self._image, stamp_ns, seq, self.source)
            if not self._loop:
                return


def paced_stamps(clock: Clock, fps: float) -> Iterator[int]:
    """Stamps of frames that have no time of their own: even, or those of their asking."""
    start_ns = clock.now_ns()
    for number in itertools.count():
        yield start_ns + round(number * 1e9 / fps) if fps else clock.now_ns()


def _decode(data: bytes) -> Image | None:
    raw = np.frombuffer(data, np.uint8)
    if not data.startswith(b"\xff\xd8"):  # a JPEG has no transparency
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED)
        if whole is None:
            return None
        if whole.ndim == 3 and whole.shape[2] == 4:
            return _on_white(whole)
    color = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return None if color is None else to_rgb(color)


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
