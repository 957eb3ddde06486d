"""Photos for the pedestrian net: packaged ones to calibrate on, others to measure on.

No box is known in them: an INT8 file is measured against its own float model. People
are in each, and large; the variants make them as small as a street camera sees them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models import assets
from reflexarc.models.movenet.photos import CALIBRATION, CHOICE, CLIP, clip_frames
from reflexarc.models.pictures import read
from reflexarc.perception.card import DataSource, InputSpec
from reflexarc.perception.fit import fit

Image = npt.NDArray[np.uint8]

INPUT = InputSpec(width=512, height=300, color="rgb", mean=127.5, std=127.5, fit="stretch")
"""The published net took 300 x 300. This is as high; it is wider because people are narrow:
what lies between two cells of 16 pixels is missed across, not down. A wide picture (16:9)
keeps its shape in it."""

_FRAMES = 30
_EDGE = 1024  # pixels of the longer side that are worth decoding


def calibration() -> Image:
    """19 packaged photos as the net takes them, each as it is, mirrored, and as nine small
    ones: uint8 (57, height, width, 3), RGB.

    Raises:
        AssetError: they cannot be fetched.
    """
    return np.stack([made for photo in _photos(CALIBRATION) for made in _variants(photo)])


def test() -> list[Image]:
    """Other packaged photos, as they are and as nine small ones, and frames of a clip of
    somebody who walks by: uint8 RGB, of their own sizes.

    Raises:
        AssetError: they cannot be fetched.
    """
    photos = list(_photos(CHOICE))
    small = [_nine(photo, *photo.shape[:2]) for photo in photos]
    return photos + small + list(clip_frames(assets.fetch(CLIP) / "demo.mp4", _FRAMES))


def source(train_size: int, test_size: int) -> DataSource:
    """What the card says of them."""
    rows = assets.table()
    return DataSource(
        name="packaged photos and clip of people (calibration and comparison, not training)",
        version=", ".join(f"{rows[n].package} {rows[n].version}" for n in (CALIBRATION, CHOICE)),
        licence="MIT, BSD-3-Clause",
        train_size=train_size,
        test_size=test_size,
    )


def _photos(asset: str) -> Iterator[Image]:
    for path in sorted(assets.fetch(asset).iterdir()):
        yield read(path, enough=_EDGE)[0]


def _variants(photo: Image) -> Iterator[Image]:
    whole = fit(photo, INPUT)
    yield whole
    yield np.ascontiguousarray(whole[:, ::-1])
    yield _nine(whole, INPUT.height, INPUT.width)


def _nine(photo: Image, height: int, width: int) -> Image:
    """A picture three times across and down."""
    to = (max(1, width // 3), max(1, height // 3))
    small = cv2.resize(photo, to, interpolation=cv2.INTER_AREA)
    rest = (height - 3 * to[1], width - 3 * to[0])
    tiled = np.tile(small, (3, 3, 1))
    return cv2.copyMakeBorder(tiled, 0, rest[0], 0, rest[1], cv2.BORDER_REFLECT_101).astype(
        np.uint8, copy=False
    )
