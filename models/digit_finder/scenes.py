"""Small made-up pictures of digits: on cards, on boards, straight on photos, or none at all.

One picture is what the finder sees of an octave, SIDE pixels square. What is written may be
no digit (`reflexarc.models.clutter`): it is pasted in the same ways, so that neither a card
nor a sharp edge gives a digit away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models.digit_finder.backgrounds import Backgrounds, surface

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SIDE = 96
SIZES = (7.0, 44.0)
"""Longest side of the strokes in pixels: beyond what the finder answers to at both ends."""

_COUNTS = (0, 1, 2, 4, 6), (0.1, 0.25, 0.25, 0.25, 0.15)
_CLUTTER, _BOARD, _CARD = 0.3, 0.3, 0.75  # shares
_INK = 60
"""Ink above this counts for the box of strokes, of 255."""
_CONTRAST, _CONTRAST_BY_SPREAD = 30.0, 2.0
"""What clear strokes stand out by: grey levels, and deviations of what they are on."""

_ENLARGE = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)
_FINE = 112  # pixels of a sign that is turned and slanted


@dataclass(frozen=True, slots=True)
class Mark:
    """A digit in a scene, in its pixels.

    Attributes:
        x, y, width, height: the box of its strokes.
        light: the strokes are lighter than what they are on.
        clear: it is whole and stands out well enough that it has to be found.
    """

    x: float
    y: float
    width: float
    height: float
    light: bool
    clear: bool


class Scenes:
    """Draws scenes.

    Args:
        digits, clutter: uint8 (n, 28, 28), light on black.
        backgrounds: what they are on.
    """

    def __init__(self, digits: Gray, clutter: Gray, backgrounds: Backgrounds) -> None:
        self._digits, self._clutter, self._backgrounds = digits, clutter, backgrounds

    def draw(self, rng: np.random.Generator) -> tuple[Gray, list[Mark]]:
        """A picture, uint8 (SIDE, SIDE), and the digits in it."""
        image = self._backgrounds.draw(rng, SIDE).astype(np.float32)
        if rng.random() < 0.2:
            image = _blurred(image, rng.uniform(0.4, 1.5))
        marks: list[Mark] = []
        taken = np.zeros((SIDE, SIDE), np.bool_)
        # On a board or sheet all digits are of one size, and few are on cards.
        board, shared = rng.random() < _BOARD, _size(rng)
        for _ in range(int(rng.choice(_COUNTS[0], p=_COUNTS[1]))):
            size = shared if board else _size(rng)
            on_card = rng.random() < (_CARD / 2 if board else _CARD)
            mark = self._write(rng, image, taken, size, on_card)
            if mark is not None:
                marks.append(mark)
        picture = _photograph(rng, image)
        # A small octave shows several of its edges at once.
        for _ in range(int(rng.choice((0, 1, 2, 3), p=(0.65, 0.15, 0.1, 0.1)))):
            marks = self._cut(rng, picture, marks)
        if rng.random() < 0.5:
            picture = 255 - picture
            marks = [replace(m, light=not m.light) for m in marks]
        return picture, marks

    def _write(
        self,
        rng: np.random.Generator,
        image: Floats,
        taken: npt.NDArray[np.bool_],
        size: float,
        on_card: bool,
    ) -> Mark | None:
        """Write a digit or clutter somewhere; None if it is no digit, or there is no room."""
        is_digit = rng.random() > _CLUTTER
        among = self._digits if is_digit else self._clutter
        ink, card = _lay(rng, among[int(rng.integers(len(among)))], size)
        height, width = ink.shape
        left, top = (int(rng.integers(6, SIDE - 6)) - n // 2 for n in (width, height))
        # Partly outside is allowed: what is cut off is nothing.
        x, y = max(0, left), max(0, top)
        rows, columns = slice(y, min(SIDE, top + height)), slice(x, min(SIDE, left + width))
        seen = slice(y - top, rows.stop - top), slice(x - left, columns.stop - left)
        under, strokes = image[rows, columns], ink[seen] / 255
        if taken[rows, columns].any() or not (strokes > 0.5).any():
            return None
        taken[rows, columns] = True
        if on_card:
            paper = _paper(rng)[: under.shape[0], : under.shape[1]]
            under += (paper - under) * (card[seen] / 255)
        base, spread = float(under[strokes > 0.5].mean()), _spread(under[strokes < 0.2])
        level = _level(rng, base)
        under += (level - under) * strokes
        if not is_digit:
            return None
        box = _box(strokes * 255)
        whole = box[2:] == _box(ink)[2:] and not _at_edge(strokes)
        contrast = abs(level - base)
        clear = whole and contrast > max(_CONTRAST, _CONTRAST_BY_SPREAD * spread)
        return Mark(box[0] + x, box[1] + y, box[2], box[3], level > base, clear)

    def _cut(self, rng: np.random.Generator, picture: Gray, marks: list[Mark]) -> list[Mark]:
        """An edge of the frame: beyond it lies nothing, or another octave."""
        axis, after = int(rng.integers(2)), rng.random() < 0.5
        at = int(rng.integers(SIDE // 2, SIDE - 8) if after else rng.integers(8, SIDE // 2))
        beyond = [slice(None), slice(None)]
        beyond[axis] = slice(at, None) if after else slice(None, at)
        other = self._backgrounds.draw(rng, SIDE) if rng.random() < 0.5 else np.zeros_like(picture)
        picture[tuple(beyond)] = other[tuple(beyond)]
        kept = []
        for m in marks:
            low, high = ((m.y, m.y + m.height), (m.x, m.x + m.width))[axis]
            if (high < at) if after else (low > at):
                kept.append(m)
            elif (low < at) if after else (high > at):
                kept.append(replace(m, clear=False))
        return kept


def _lay(rng: np.random.Generator, sign: Gray, size: float) -> tuple[Floats, Floats]:
    """The sign's ink and its card, 0..255, with strokes of about `size` pixels."""
    _, _, w, h = _box(sign)
    side = max(6, round(28 * size / max(w, h, 1)))
    if rng.random() < 0.5:
        ink = cv2.resize(sign, (side, side), interpolation=_ENLARGE[int(rng.integers(4))])
        margin = int(rng.uniform(0, 0.4) * side) if rng.random() < 0.4 else 0
        ink = cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
        return ink.astype(np.float32), np.full(ink.shape, 255, np.float32)
    # Turned, slanted, seen at an angle; thicker or thinner.
    fine = cv2.resize(sign, (_FINE, _FINE), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        change = cv2.dilate if rng.random() < 0.6 else cv2.erode
        fine = change(fine, np.ones((int(rng.integers(2, 6)),) * 2, np.uint8))
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    angle = float(rng.normal(0, 0.14))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    aim = (corners - 0.5) @ turn * rng.uniform(0.8, 1.2, 2) + rng.normal(0, 0.05, (4, 2))
    room = int(np.ceil(1.5 * side))
    # Through a picture of twice the size, so that thin strokes do not alias.
    matrix = cv2.getPerspectiveTransform(
        corners * _FINE, ((aim + 0.75) * side * 2).astype(np.float32)
    )
    ink, card = (
        cv2.resize(
            cv2.warpPerspective(layer, matrix, (2 * room, 2 * room)),
            (room, room),
            interpolation=cv2.INTER_AREA,
        ).astype(np.float32)
        for layer in (fine, np.full_like(fine, 255))
    )
    return ink, card


def _photograph(rng: np.random.Generator, image: Floats) -> Gray:
    """What lamp, lens, sensor and file format do to it."""
    if rng.random() < 0.25:
        image = image * _shadow(rng)
    if rng.random() < 0.35:
        image = _blurred(image, rng.uniform(0.3, 0.9))
    if rng.random() < 0.4:
        gain = rng.uniform(0.45, 1.0)
        image = image * gain + rng.uniform(0, 255 * (1 - gain))
    if rng.random() < 0.6:
        image = (image + rng.normal(0, rng.exponential(6.0), image.shape)).astype(np.float32)
    picture = np.asarray(np.clip(image, 0, 255), np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 97))]
        packed = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return picture


def _paper(rng: np.random.Generator) -> Floats:
    """A card: any grey, or nearly black or white, as MNIST's own pictures are."""
    if rng.random() < 0.75:
        return surface(rng, SIDE).astype(np.float32)
    level = rng.uniform(0, 60)
    return np.full((SIDE, SIDE), level if rng.random() < 0.5 else 255 - level, np.float32)


def _shadow(rng: np.random.Generator) -> Floats:
    """Part of the scene in the shade, with a hard or a soft edge."""
    across, down = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    angle, at, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8), rng.uniform(0.01, 0.6)
    inside = (across * np.cos(angle) + down * np.sin(angle) - at) / soft
    shade = 1 / (1 + np.exp(-np.clip(inside, -30, 30)))
    return np.asarray(1 - rng.uniform(0.2, 0.65) * shade, np.float32)


def _level(rng: np.random.Generator, base: float) -> float:
    """A grey level that stands out from `base`, by much or by little."""
    apart = float(rng.uniform(28, 255))
    up, down = base + apart, base - apart
    if up > 255 and down < 0:
        return 255.0 if base < 128 else 0.0
    if up > 255 or (down >= 0 and rng.random() < 0.5):
        return down
    return up


def _size(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(SIZES))))


def _spread(values: Floats) -> float:
    return float(values.std()) if values.size else 0.0


def _blurred(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _box(ink: npt.NDArray[Any]) -> tuple[int, int, int, int]:
    x, y, w, h = cv2.boundingRect((ink > _INK).astype(np.uint8))
    return int(x), int(y), int(w), int(h)


def _at_edge(strokes: npt.NDArray[Any]) -> bool:
    edge = np.concatenate([strokes[0], strokes[-1], strokes[:, 0], strokes[:, -1]])
    return bool(edge.max() * 255 > _INK)
