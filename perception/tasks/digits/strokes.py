"""The strokes of a candidate, taken off what they are written on.

A digit is thinner than its surroundings are wide. A morphological top-hat (light strokes)
or black-hat (dark ones) keeps exactly what is thinner than its window and takes the
background away, whatever brightness lies beyond the card.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.digits.finder import Candidate

Gray = npt.NDArray[np.uint8]
Bounds = tuple[int, int, int, int]  # left, top, width, height

SIDE = 32
"""A larger digit is shrunk to about this many pixels for the closer look."""

WINDOW = 17
"""Side of the morphology window. The boldest MNIST strokes are 8.5/20 of the digit's
height wide: 14 pixels at SIDE."""

MARGIN = 14
"""Pixels around the candidate that are looked at too."""

CONTRAST, CONTRAST_BY_NOISE = 22, 5.0
"""Grey levels that a stroke must at least stand out by, and the same in standard
deviations of the noise: in the dark a camera draws thousands of specks."""

SHARE = 0.4
"""A stroke also has this share of the strongest response within a window: it
parts a strong digit from weak texture that touches it."""

GRAIN = 2
"""Grey levels of camera noise that an even surface may have."""

SPECK, INSIDE = 0.06, 0.7
"""Lesser parts of a digit have at least the first share of the main one's area, and the
second share of their own in the candidate's box."""

SMALLEST = 0.6
"""Longest side of the strokes by that of the candidate."""

GAP = 3
"""Parts that may belong together are closer than their longest side divided by this."""

BEYOND, CUT = 0.4, 0.12
"""Strokes that reach further beyond the candidate's box than the first share of its longest
side are cut off at the second."""

_WINDOW = cv2.getStructuringElement(cv2.MORPH_RECT, (WINDOW, WINDOW))
_NEAR = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
_ZONE = cv2.getStructuringElement(cv2.MORPH_RECT, (9, 9))
_INK_MARGIN = 6  # what _NEAR and _ZONE reach, and one more
_FRAME = 2  # pixels from the box to where its surroundings are sampled
_NO_STRUCTURE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_LOWER_HALF = 0.3247  # mean of the smaller half of a normal variable's absolute values


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


def strokes_of(gray: Gray, candidate: Candidate) -> Iterator[Strokes]:
    """Take a closer look at a candidate.

    Args:
        gray: the frame, uint8 (height, width).
        candidate: where to look.

    Yields:
        The strokes there; where lesser ones lie beside them (the bar of a 5, or dirt),
        also together with those. Nothing where nothing of that size stands out, or it
        goes on beyond the frame.
    """
    operation = cv2.MORPH_TOPHAT if candidate.light else cv2.MORPH_BLACKHAT
    patch, left, top, scale = _patch(gray, candidate)
    response = np.asarray(cv2.morphologyEx(patch, operation, _WINDOW), np.uint8)
    contrast = max(CONTRAST, CONTRAST_BY_NOISE * noise_of(patch))
    limit = cv2.convertScaleAbs(cv2.dilate(response, _WINDOW), alpha=SHARE)
    strong = cv2.threshold(response, contrast, 0, cv2.THRESH_TOZERO)[1]
    mask = np.asarray(cv2.compare(strong, limit, cv2.CMP_GT), np.uint8)
    x, y = (candidate.x - left) / scale, (candidate.y - top) / scale
    wanted = x, y, x + candidate.width / scale, y + candidate.height / scale
    for own in _choices(mask, wanted):
        x, y, w, h = box = _bounds(own)
        whole = x > 0 and y > 0 and x + w < patch.shape[1] and y + h < patch.shape[0]
        # Where they are much smaller, another candidate fits them better.
        if whole and max(w, h) * scale >= SMALLEST * max(candidate.width, candidate.height):
            at = left + x * scale, top + y * scale, w * scale, h * scale
            yield Strokes(*at, *_measure(patch, response, own, box))


def _measure(patch: Gray, response: Gray, own: Gray, box: Bounds) -> tuple[Gray, float]:
    """Ink and dirt of strokes, see `Strokes`."""
    x, y, w, h = box
    part = (
        slice(max(0, y - _INK_MARGIN), y + h + _INK_MARGIN),
        slice(max(0, x - _INK_MARGIN), x + w + _INK_MARGIN),
    )
    strengths = response[own > 0]
    strong = int(0.9 * (strengths.size - 1))
    full = float(np.partition(strengths, strong)[strong])
    near = cv2.dilate(own[part], _NEAR)
    around = patch[part][cv2.dilate(near, _ZONE) > near]
    ink = np.asarray(cv2.convertScaleAbs(response[part] * near, alpha=255.0 / full), np.uint8)
    if not around.size:
        return ink, math.inf
    # Even surface: most pixels around are near their median. The upper quartile
    # still lets one side of the digit be at the edge of its card.
    around.sort()
    off = np.abs(around.astype(np.int16) - int(around[around.size // 2]))
    off.sort()
    half, most = (max(0, int(off[off.size * k // 4]) - GRAIN) for k in (2, 3))
    dirt = (half + most) / full + _noise(response, box) / float(strengths.mean())
    return ink, dirt / 3


def noise_of(gray: Gray) -> float:
    """Standard deviation of a picture's noise in grey levels.

    Fast noise variance estimation (Immerkaer 1996, Computer Vision and Image
    Understanding 64): a mask that answers neither to planes nor to edges. Only the
    smaller half of the answers counts, since a small picture may be full of strokes.
    """
    answer = np.abs(cv2.filter2D(gray, cv2.CV_16S, _NO_STRUCTURE)).ravel()
    middle = (answer.size + 1) // 2
    return float(np.partition(answer, middle - 1)[:middle].mean()) / (6 * _LOWER_HALF)


def _noise(response: Gray, box: Bounds) -> float:
    """Mean response in a frame of two pixels around the box."""
    x, y, w, h = box
    inside = response[y : y + h, x : x + w]
    whole = response[max(0, y - _FRAME) : y + h + _FRAME, max(0, x - _FRAME) : x + w + _FRAME]
    outside = cv2.sumElems(whole)[0] - cv2.sumElems(inside)[0]
    return max(0.0, outside / max(1, whole.size - inside.size) - GRAIN)


def _patch(gray: Gray, candidate: Candidate) -> tuple[Gray, int, int, float]:
    """Its surroundings at the size of the closer look; left, top, and how much they shrank."""
    height, width = gray.shape
    shrunk = max(1.0, max(candidate.width, candidate.height) / SIDE)
    margin = MARGIN * shrunk
    left, top = (max(0, int(v - margin)) for v in (candidate.x, candidate.y))
    right = min(width, int(candidate.x + candidate.width + margin) + 1)
    bottom = min(height, int(candidate.y + candidate.height + margin) + 1)
    patch = gray[top:bottom, left:right]
    if shrunk == 1:
        return patch, left, top, 1.0
    size = tuple(max(1, round(n / shrunk)) for n in patch.shape[::-1])
    patch = np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.uint8)
    return patch, left, top, (right - left) / size[0]


def _choices(mask: Gray, wanted: tuple[float, float, float, float]) -> Iterator[Gray]:
    """What of a mask may be the candidate in the box `wanted`: 1 where its strokes are."""
    x1, y1, x2, y2 = wanted
    size = max(x2 - x1, y2 - y1)
    labels, boxes, chosen, seed = _components(mask, wanted)
    if not chosen.any():
        return
    own = chosen.astype(np.uint8)[labels]
    x, y, w, h = _bounds(own)
    if max(x1 - x, y1 - y, x + w - x2, y + h - y2) > BEYOND * size:
        # It runs into something else. The net has seen where the digit ends.
        slack = CUT * size + 1
        left, top = max(0, int(x1 - slack)), max(0, int(y1 - slack))
        cut = np.zeros_like(mask)
        part = slice(top, int(y2 + slack) + 1), slice(left, int(x2 + slack) + 1)
        cut[part] = mask[part]
        labels, _, chosen, _ = _components(cut, wanted)
        yield chosen.astype(np.uint8)[labels]
        return
    yield own
    left, top, width, height, area = boxes.T
    gap = max(3, max(w, h) // GAP)
    near = (left - (x + w) < gap) & (x - (left + width) < gap) & ~chosen
    near &= (top - (y + h) < gap) & (y - (top + height) < gap)
    near &= (area >= SPECK * area[seed]) & (area <= area[seed])
    if 0 < near.sum() <= 2:
        yield (chosen | near).astype(np.uint8)[labels]


def _components(
    mask: Gray, wanted: tuple[float, float, float, float]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.bool_], int]:
    """Labels, OpenCV's stats, which belong to what is in a box, and the largest of those."""
    x1, y1, x2, y2 = (max(0, int(v)) for v in wanted)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    inside = np.bincount(labels[y1 : y2 + 1, x1 : x2 + 1].ravel(), minlength=len(stats))
    inside[0] = 0
    seed = int(inside.argmax())
    area = stats[:, cv2.CC_STAT_AREA]
    chosen = (inside > INSIDE * area) & (area >= SPECK * area[seed])
    chosen[seed] = inside[seed] > 0
    return labels, stats, chosen, seed


def _bounds(own: Gray) -> Bounds:
    x, y, w, h = cv2.boundingRect(own)
    return int(x), int(y), int(w), int(h)
