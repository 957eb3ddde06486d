"""What lies behind digits, and beside them: photos, surfaces, texture, stripes, print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,;:!?-&"))


class Backgrounds:
    """Draws backgrounds.

    Args:
        photos: gray, uint8 (h, w), without digits.
    """

    def __init__(self, photos: Sequence[Gray]) -> None:
        self._photos = photos
        self._kinds = (self.photo, surface, texture, stripes, page)

    def draw(self, rng: np.random.Generator, side: int) -> Gray:
        """Any kind, photos most often: uint8 (side, side)."""
        kind = self._kinds[int(rng.choice(len(self._kinds), p=(0.54, 0.17, 0.09, 0.08, 0.12)))]
        return kind(rng, side)

    def photo(self, rng: np.random.Generator, side: int) -> Gray:
        """Part of a photo as a camera, or an octave of what it took, shows it."""
        image = self._photos[int(rng.integers(len(self._photos)))]
        if rng.random() < 0.5:
            image = image[:, ::-1]
        height, width = image.shape
        # What part of the photo: from a closer look than its pixels give to nearly all of it.
        reach = side * float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
        reach = max(16, round(min(reach, height, width)))
        top = int(rng.integers(height - reach + 1))
        left = int(rng.integers(width - reach + 1))
        part = np.ascontiguousarray(image[top : top + reach, left : left + reach])
        how = cv2.INTER_AREA if reach > side else cv2.INTER_LINEAR
        return _gray(cv2.resize(part, (side, side), interpolation=how))


def surface(rng: np.random.Generator, side: int) -> Gray:
    """A wall, board or sheet of paper under uneven light."""
    across, down = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    slope = rng.uniform(-30, 30, 2)
    return _clip(rng.uniform(0, 255) + slope[0] * across + slope[1] * down)


def texture(rng: np.random.Generator, side: int) -> Gray:
    """1/f noise, stretched one way: bark, cloth, foliage, clouds."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(side, side))) / frequency ** rng.uniform(0.3, 2.0)
    field = np.real(np.fft.ifft2(spectrum))
    wide, high = (round(side * rng.uniform(1, 2.5)) for _ in range(2))
    wave = cv2.resize(field, (wide, high))[:side, :side]
    return _clip(rng.uniform(40, 215) + rng.uniform(10, 60) * wave / max(1e-6, float(wave.std())))


def stripes(rng: np.random.Generator, side: int) -> Gray:
    """Bars, fences, shelves, tiles, blinds, keyboards: what ones are mistaken for."""
    image = surface(rng, side)
    for turned in range(2 if rng.random() < 0.5 else 1):
        step, thick = float(rng.uniform(5, 40)), int(rng.integers(1, 7))
        level, jitter = float(rng.uniform(0, 255)), float(rng.uniform(0, 4))
        for at in np.arange(float(rng.uniform(0, step)), side, step):
            low, high = rng.uniform(0, side, 2) if rng.random() < 0.4 else (0, side)
            ends = at + rng.normal(0, jitter, 2)
            points = np.array([(ends[0], low), (ends[1], high)])
            points = points[:, ::-1] if turned else points
            (a, b) = points.round().astype(int).tolist()
            cv2.line(image, a, b, level, thick, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):  # crosses
        middle, arms = rng.uniform(0, side, 2), rng.uniform(4, 20, (2, 2)) * (1, -1)
        level, thick = float(rng.uniform(0, 255)), int(rng.integers(1, 5))
        for arm in (arms[0], np.abs(arms[1])):
            ends = np.array([middle - arm, middle + arm]).round().astype(int).tolist()
            cv2.line(image, ends[0], ends[1], level, thick, cv2.LINE_AA)
    if rng.random() < 0.5:
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 20)), 1.4)
        image = _gray(cv2.warpAffine(image, turn, (side, side)))
    return image


def page(rng: np.random.Generator, side: int) -> Gray:
    """Printed words, in one font: letters are no digits."""
    image = surface(rng, side)
    level = float((int(image.mean()) + int(rng.integers(70, 186))) % 256)
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    size = float(np.exp(rng.uniform(np.log(0.35), np.log(1.6))))
    thick = int(rng.integers(1, max(2, round(4 * size)) + 1))
    step = int(size * rng.uniform(26, 45))
    for top in range(int(rng.integers(0, step)), side + step, step):
        word = "".join(rng.choice(_LETTERS, int(rng.integers(1, 9))))
        left = int(rng.integers(-20, side))
        cv2.putText(image, word, (left, top), font, size, level, thick, cv2.LINE_AA)
    return image


def _clip(field: npt.NDArray[Any]) -> Gray:
    return np.asarray(np.clip(field, 0, 255), np.uint8)


def _gray(image: npt.NDArray[np.generic]) -> Gray:
    return np.asarray(image, np.uint8)
