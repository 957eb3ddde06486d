"""A test pattern with a frame counter that can be read back, and that breaks when told to."""

from __future__ import annotations

import functools
import math
import random
import threading
from binascii import crc_hqx
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from reflexarc.perception.cameras.base import CameraError, CorruptFrame, Device, Image, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.options import Size

_ROWS, _COLUMNS = 2, 16  # of the counter: 24 bits, the highest first, and 8 to check them
_BLOCK = 10_000


class Synthetic(Device):
    """A moving test pattern with a frame counter (see `read_counter`), for trying things out."""

    USAGE: ClassVar[str] = "synthetic:"

    def __init__(
        self,
        address: str = "",
        *,
        size: Annotated[Size, Field(description="width x height")] = (640, 480),
        fps: Annotated[float, Field(gt=0, le=1000, description="frames a second")] = 30.0,
        frames: Annotated[int, Field(ge=0, description="how many; 0: without end")] = 0,
        pace: Annotated[
            Literal["real", "fast"],
            Field(description="real: as a camera would; fast: as they are taken, none lost"),
        ] = "real",
        fail: Annotated[
            int,
            Field(ge=0, le=1000, description="times that it breaks or hangs in 10,000 frames"),
        ] = 0,
        corrupt: Annotated[int, Field(ge=0, le=1000, description="corrupt frames in 10,000")] = 0,
        seed: Annotated[int, Field(description="of what is random")] = 0,
        clock: Clock = CLOCK,
        seq: int = 0,
    ) -> None:
        if min(size) < 64:
            raise CameraError(
                expected="a size of at least 64x64, which the counter needs",
                found=f"{size[0]}x{size[1]}",
                remedy="ask for a larger one",
            )
        self.live = pace == "real"
        self._fps, self._frames = fps, frames
        self._fail, self._corrupt, self._seed = fail, corrupt, seed
        self._clock = clock
        self._woken = threading.Event()
        self._first = self._seq = seq
        self._origin_ns = clock.now_ns() - round(seq * 1e9 / fps)
        self._background = _background(*size)

    def read(self) -> Shot | None:
        """The next frame, when it is due.

        Raises:
            CameraError, CorruptFrame: as `fail` and `corrupt` have it; never at the first.
        """
        number = self._seq
        if self._frames and number >= self._frames:
            return None
        due_ns = self._origin_ns + round(number * 1e9 / self._fps)
        if self.live:
            self._clock.sleep((due_ns - self._clock.now_ns()) * 1e-9, self._woken)
        if number > self._first:
            self._break(number)
        self._seq += 1
        return Shot(draw_counter(self._scene(number), number), due_ns)

    def interrupt(self) -> None:
        """Wake it."""
        self._woken.set()

    def _break(self, number: int) -> None:
        block, at = divmod(number, _BLOCK)
        fails, corrupts = _accidents(self._seed, block, self._fail, self._corrupt)
        if at in corrupts:
            self._seq += 1
            raise CorruptFrame(expected="a frame", found="noise", remedy="")
        if at not in fails:
            return
        if number % 2:
            while not self._clock.sleep(0.1, self._woken):
                pass
        raise CameraError(
            expected=f"frame {number}", found="unplugged, as asked for", remedy="plug it in again"
        )

    def _scene(self, number: int) -> Image:
        image = self._background.copy()
        height, width = image.shape[:2]
        angle = 2 * math.pi * number / 90
        centre = (
            round(width * (0.5 + 0.3 * math.cos(angle))),
            round(height * (0.6 + 0.2 * math.sin(angle))),
        )
        cv2.circle(image, centre, min(width, height) // 12, (220, 40, 30), cv2.FILLED)
        left = (number * 4) % width
        image[height * 9 // 10 :, left : left + width // 8] = (30, 60, 220)
        return image


@functools.lru_cache(maxsize=4)
def _accidents(
    seed: int, block: int, fail: int, corrupt: int
) -> tuple[frozenset[int], frozenset[int]]:
    """At which frames of a block it breaks, and which are corrupt."""
    chosen = random.Random(f"{seed} {block}").sample(range(1, _BLOCK), fail + corrupt)
    return frozenset(chosen[:fail]), frozenset(chosen[fail:])


def draw_counter(image: Image, number: int) -> Image:
    """Draw a number (modulo 2^24) over the top eighth of an image, for `read_counter`."""
    value = (number & 0xFFFFFF).to_bytes(3, "big")
    check = crc_hqx(value, 0xFFFF) & 0xFF
    bits = np.unpackbits(np.frombuffer(value + bytes([check]), np.uint8))
    cells = np.where(bits, 235, 20).astype(np.uint8).reshape(_ROWS, _COLUMNS)
    height, width = image.shape[0] // 8, image.shape[1]
    strip = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
    image[:height] = strip[..., None]
    return image


def read_counter(image: Image) -> int | None:
    """The number that a synthetic frame carries; None if there is none.

    Args:
        image: uint8, (height, width, 3); also after JPEG, or scaled to half.
    """
    height, width = image.shape[0] // 8, image.shape[1]
    if height < _ROWS or width < _COLUMNS:
        return None
    gray = image[:height].mean(axis=2)
    rows = ((np.arange(_ROWS) + 0.5) * height / _ROWS).astype(int)
    columns = ((np.arange(_COLUMNS) + 0.5) * width / _COLUMNS).astype(int)
    bits = gray[np.ix_(rows, columns)] > 127
    data = np.packbits(bits.reshape(-1)).tobytes()
    return None if crc_hqx(data[:3], 0xFFFF) & 0xFF != data[3] else int.from_bytes(data[:3], "big")


def _background(width: int, height: int) -> Image:
    """Colour bars on a ramp of brightness."""
    hue = (np.arange(width) * 8 // width * 22).astype(np.uint8)
    value = np.linspace(90, 230, height).astype(np.uint8)
    hsv = np.empty((height, width, 3), np.uint8)
    hsv[..., 0], hsv[..., 1], hsv[..., 2] = hue[None], 150, value[:, None]
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
