"""Real faces: portraits that a package carries, and frames that show one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.models import assets
from reflexarc.perception import Frame
from reflexarc.perception.cameras import read_picture

Image = npt.NDArray[np.uint8]
PERIOD_NS = 33_000_000


@pytest.fixture(scope="session")
def portraits() -> list[Image]:
    """Nine faces from the front, 128 x 128."""
    try:
        folder = assets.fetch("portraits")
    except assets.AssetError as error:
        pytest.skip(f"portraits cannot be fetched: {error}")
    return [read_picture(path) for path in sorted(folder.iterdir())[:18:2]]


@pytest.fixture(scope="session")
def wall() -> Image:
    """A background without a face, 640 x 480."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 9).astype(np.uint8)


@pytest.fixture(scope="session")
def scene(wall: Image) -> Callable[..., Frame]:
    """A frame of the wall with pictures on it: scene(seq, (face, x, y, side), ...)."""

    def make(seq: int, *faces: tuple[Image, int, int, int], source: str = "clip") -> Frame:
        image = wall.copy()
        for face, x, y, side in faces:
            image[y : y + side, x : x + side] = cv2.resize(
                face, (side, side), interpolation=cv2.INTER_AREA
            )
        return Frame(image, seq * PERIOD_NS, seq, source)

    return make
