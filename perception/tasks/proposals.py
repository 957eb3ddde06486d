"""Where in a picture something is written: thin strokes on an even surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.groups import GRAIN, Groups, group_strokes
from reflexarc.perception.tasks.sheet import MIN_SIDE, Sheet, Workspace, lay_out

Gray = npt.NDArray[np.uint8]

LONGEST_SIDE = 1280
"""Larger pictures are first shrunk to this many pixels: it bounds the time."""

_NEAR = np.ones((3, 3), np.uint8)
_ZONE = np.ones((9, 9), np.uint8)
_MARGIN = 6  # what _NEAR and _ZONE reach, and one more


@dataclass(frozen=True, slots=True)
class Strokes:
    """Something that may be a character.

    Attributes:
        x, y, width, height: its box in pixels of the picture searched.
        ink: uint8 (h, w), 0 = background, 255 = full stroke, with a margin.
        dirt: how uneven the surface around the strokes is, as a share of their
            contrast: near 0 on a card or a board, 0.1 and more in foliage.
    """

    x: float
    y: float
    width: float
    height: float
    ink: Gray
    dirt: float


def find_strokes(
    gray: Gray, spaces: dict[tuple[int, int], Workspace], smallest_px: float = MIN_SIDE
) -> Iterator[Strokes]:
    """Find groups of strokes of a character's size and shape, in no order.

    Args:
        gray: uint8, shape (height, width).
        spaces: memory of the last frame's size, kept here from call to call; empty
            at first. One search at a time may use it.
        smallest_px: longest side of the smallest character looked for.
    """
    shrunk = max(1.0, max(gray.shape) / LONGEST_SIDE, smallest_px / MIN_SIDE)
    if shrunk > 1:
        height, width = (max(1, round(n / shrunk)) for n in gray.shape)
        gray = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    size = (gray.shape[0], gray.shape[1])
    if size not in spaces:
        spaces.clear()
        spaces[size] = Workspace(*size)
    space = spaces[size]
    sheet = lay_out(gray, space)
    if not len(sheet.tiles):
        return
    light, dark = (_components(*pair) for pair in zip(sheet.mask, space.labels, strict=True))
    found = group_strokes(sheet, (light[1], dark[1]), space.total)
    for i in range(len(found.labels)):
        strokes = _cut(sheet, (light, dark)[found.kind[i]][0], found, i, shrunk)
        if strokes is not None:
            yield strokes


def _components(
    mask: Gray, labels16: npt.NDArray[np.uint16]
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.int32]]:
    """Label of every pixel, and OpenCV's stats of every label."""
    # 16-bit labels are twice as fast, but OpenCV does not check that they suffice:
    # it begins no more of them than there are runs of stroke pixels in the rows.
    runs = cv2.countNonZero(cv2.compare(mask[:, 1:], mask[:, :-1], cv2.CMP_GT))
    few = runs + len(mask) < np.iinfo(np.uint16).max
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask,
        labels=labels16 if few else None,
        connectivity=8,
        ltype=cv2.CV_16U if few else cv2.CV_32S,
    )
    return np.asarray(labels), np.asarray(stats, np.int32)


def _cut(
    sheet: Sheet, labels: npt.NDArray[np.integer], found: Groups, i: int, shrunk: float
) -> Strokes | None:
    left, top, right, bottom = (int(v) for v in found.boxes[i])
    x1, y1, x2, y2 = (int(v) for v in sheet.tiles[found.tile[i]])
    part = (
        slice(max(top - _MARGIN, y1), min(bottom + _MARGIN, y2)),
        slice(max(left - _MARGIN, x1), min(right + _MARGIN, x2)),
    )
    response, mine = sheet.response[found.kind[i]][part], labels[part]
    own = mine == found.labels[i][0]
    for label in found.labels[i][1:]:
        own |= mine == label
    near = cv2.dilate(own.view(np.uint8), _NEAR)
    around = sheet.gray[part][cv2.dilate(near, _ZONE) > near]
    if not around.size:
        return None
    strengths = response[own]
    strong = int(0.9 * (strengths.size - 1))
    contrast = float(np.partition(strengths, strong)[strong])
    # Even surface: most pixels around are near their median. The upper quartile
    # still lets one side of the digit be at the edge of its card.
    around.sort()
    off = np.abs(around.astype(np.int16) - int(around[around.size // 2]))
    off.sort()
    half, most = (max(0, int(off[off.size * k // 4]) - GRAIN) for k in (2, 3))
    dirt = (half + most) / contrast + float(found.noise[i])
    ink = cv2.convertScaleAbs(response * near, alpha=255.0 / contrast)
    scale = float(sheet.scales[found.tile[i]]) * shrunk
    return Strokes(
        (left - x1) * scale,
        (top - y1) * scale,
        (right - left) * scale,
        (bottom - top) * scale,
        np.asarray(ink, np.uint8),
        dirt / 3,
    )
