"""All sizes of a picture on one sheet, and the light and dark strokes of each.

A digit is thinner than its surroundings are wide. A morphological top-hat (light
strokes) and black-hat (dark strokes) keep exactly what is thinner than their
window and take the background away, whatever brightness lies beyond the card.
One window size serves every size of digit, as the picture is looked at in
octaves, each half the size of the one before.

The octaves are laid side by side, since five small pictures searched one by one
take longer than one sheet. A free row and column parts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]

WINDOW = 17
"""Side of the morphology window. The boldest MNIST strokes are 8.5/20 of the
digit's height wide, 16 pixels in the tallest digit of an octave."""

MIN_SIDE, OCTAVE_MIN_SIDE, MAX_SIDE = 12, 17, 40
"""Longest side of a digit in pixels of its octave. The ranges of neighbouring
octaves overlap; only the finest octave has to take what is smaller still."""

CONTRAST, CONTRAST_BY_NOISE = 22, 5.0
"""Grey levels that a stroke must at least stand out by, and the same in standard
deviations of the octave's noise: in the dark a camera draws thousands of specks."""

SHARE = 0.4
"""A stroke also has this share of the strongest response within a window: it
parts a strong digit from weak texture that touches it."""

_WINDOW = np.ones((WINDOW, WINDOW), np.uint8)
_NO_STRUCTURE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The octaves of one picture.

    Attributes:
        gray: uint8 (h, w), the picture's octaves.
        response: uint8 (2, h, w), how much each pixel is lighter (0) or darker (1)
            than its background.
        mask: uint8 (2, h, w), 255 where that is enough to be a stroke, else 0.
        tiles: int32 (n, 4), left, top, right, bottom of each octave on the sheet.
        scales: float64 (n,), pixels of the picture in one pixel of the tile.
        smallest: int32 (n,), longest side of the smallest digit looked for there.
    """

    gray: Gray
    response: Gray
    mask: Gray
    tiles: Ints
    scales: npt.NDArray[np.float64]
    smallest: Ints


class Workspace:
    """Memory for pictures of one size, used again for every frame.

    Fresh arrays of this size would be new pages from the system each time, which
    cost a fifth of the whole search.
    """

    def __init__(self, height: int, width: int) -> None:
        # The finest octave is at the left; all others fit in a column half as wide
        # beside it: their heights add up to no more, but for rounding and free rows.
        shape = (height + 2 * height.bit_length(), width + 1 + (width + 1) // 2)
        self.picture = (height, width)
        self.gray = np.zeros(shape, np.uint8)
        self.response = np.zeros((2, *shape), np.uint8)
        self.mask = np.zeros((2, *shape), np.uint8)
        self.scratch = np.zeros((2, height, width), np.uint8)
        self.noise = np.zeros((height, width), np.int16)
        self.labels = np.zeros((2, *shape), np.uint16)
        self.total = np.zeros((2, shape[0] + 1, shape[1] + 1), np.int32)


def lay_out(gray: Gray, space: Workspace) -> Sheet:
    """Make the sheet of a uint8 (height, width) picture in a workspace of its size.

    The sheet is valid until the workspace is used again.
    """
    tiles: list[tuple[int, int, int, int]] = []
    left = top = 0
    while min(gray.shape) >= (OCTAVE_MIN_SIDE if tiles else MIN_SIDE):
        height, width = gray.shape
        part = slice(top, top + height), slice(left, left + width)
        strongest, limit = (plane[:height, :width] for plane in space.scratch)
        space.gray[part] = gray
        contrast = max(CONTRAST, CONTRAST_BY_NOISE * noise_of(gray, space.noise[:height, :width]))
        for kind, operation in enumerate((cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)):
            standing_out, mask = space.response[kind][part], space.mask[kind][part]
            cv2.morphologyEx(gray, operation, _WINDOW, dst=standing_out)
            cv2.dilate(standing_out, _WINDOW, dst=strongest)
            cv2.convertScaleAbs(strongest, dst=limit, alpha=SHARE)
            cv2.threshold(standing_out, contrast, 0, cv2.THRESH_TOZERO, dst=strongest)
            cv2.compare(strongest, limit, cv2.CMP_GT, dst=mask)
        left, top = (left, top + height + 1) if tiles else (width + 1, 0)
        tiles.append((part[1].start, part[0].start, part[1].stop, part[0].stop))
        half = ((width + 1) // 2, (height + 1) // 2)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), np.uint8)
    smallest = np.full(len(tiles), OCTAVE_MIN_SIDE, np.int32)
    smallest[:1] = MIN_SIDE
    return Sheet(
        space.gray,
        space.response,
        space.mask,
        np.array(tiles, np.int32).reshape(-1, 4),
        np.array([2.0**octave for octave in range(len(tiles))]),
        smallest,
    )


def noise_of(gray: Gray, scratch: npt.NDArray[np.int16] | None = None) -> float:
    """Standard deviation of a picture's noise in grey levels.

    Fast noise variance estimation (Immerkaer 1996, Computer Vision and Image
    Understanding 64): a mask that answers neither to planes nor to edges.
    """
    answer = cv2.filter2D(gray, cv2.CV_16S, _NO_STRUCTURE, dst=scratch)
    return float(np.sqrt(np.pi / 2) / 6 * cv2.norm(answer, cv2.NORM_L1) / answer.size)
