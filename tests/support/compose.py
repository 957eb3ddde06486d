"""Digits pasted onto photos, the same under one seed: cards, strokes, boards."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_HOW = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)


@dataclass(frozen=True)
class Pasted:
    """A picture (RGB) with one digit: what it is, and the box of its strokes."""

    image: np.ndarray
    label: str
    box: tuple[float, float, float, float]  # left, top, width, height

    def is_at(self, box) -> bool:
        """Whether `box` is this digit's: intersection over union above a half."""
        x, y, w, h = self.box
        width = min(x + w, box.x + box.width) - max(x, box.x)
        height = min(y + h, box.y + box.height) - max(y, box.y)
        shared = max(0.0, width) * max(0.0, height)
        return shared > 0.5 * (w * h + box.width * box.height - shared)


def paste_card(rng, photo, digit, label, *, scale=None, gain=None, dark=None) -> Pasted:
    """Paste the 28x28 picture as a rectangle; what is None is drawn at random.

    Args:
        rng: decides place, interpolation, card brightness and JPEG quality.
        photo: uint8 (h, w, 3).
        digit: uint8 (28, 28), light on black.
        label: 0..9.
        scale: the card's side by 28; from 1 to 8, as far as the photo allows.
        gain: contrast, from 0.3 to 1.
        dark: dark strokes on a light card.
    """
    largest = min(8.0, 0.9 * min(photo.shape[:2]) / 28)
    scale = float(np.exp(rng.uniform(0, np.log(largest)))) if scale is None else scale
    gain = rng.uniform(0.3, 1.0) if gain is None else gain
    dark = rng.random() < 0.5 if dark is None else dark
    side = round(28 * scale)
    big = cv2.resize(digit, (side, side), interpolation=int(rng.choice(_HOW)))
    card = big * gain + rng.uniform(0, 255 * (1 - gain))
    card = 255 - card if dark else card
    left = int(rng.integers(photo.shape[1] - side + 1))
    top = int(rng.integers(photo.shape[0] - side + 1))
    image = photo.copy()
    image[top : top + side, left : left + side] = card[..., None].astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return Pasted(image, str(label), _box(digit, left, top, side / 28))


def paste_strokes(rng, photo, digit, label, *, scale) -> Pasted:
    """Draw the strokes straight onto the photo: white where it is dark, else black."""
    side = round(28 * scale)
    left = int(rng.integers(photo.shape[1] - side + 1))
    top = int(rng.integers(photo.shape[0] - side + 1))
    image = photo.copy()
    level = 255 if image[top : top + side, left : left + side].mean() < 128 else 0
    write_on(image, digit, left, top, scale=side / 28, color=(level,) * 3)
    return Pasted(image, str(label), _box(digit, left, top, side / 28))


def write_on(image, digit, left, top, *, scale, color) -> None:
    """Draw the strokes, without a card, onto `image` in place."""
    side = round(28 * scale)
    big = cv2.resize(digit, (side, side), interpolation=cv2.INTER_LINEAR)
    ink = big[..., None] / 255.0
    part = image[top : top + side, left : left + side]
    part[:] = (part * (1 - ink) + np.array(color) * ink).astype(np.uint8)


def board(rng, height=360, width=480, level=235, noise=2.0) -> np.ndarray:
    """A board or sheet under uneven light, with camera noise: uint8 RGB."""
    light = level - np.add.outer(np.linspace(0, 25, height), np.linspace(0, 15, width))
    gray = np.clip(light + rng.normal(0, noise, light.shape), 0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def seven_segments() -> np.ndarray:
    """A plain drawn seven, for tests that need no data set: uint8 (28, 28)."""
    digit = np.zeros((28, 28), np.uint8)
    cv2.polylines(digit, [np.array([[8, 6], [19, 6], [12, 23]])], False, 255, 2, cv2.LINE_AA)
    return digit


def _box(digit, left, top, scale):
    rows, columns = np.nonzero(digit > 60)
    x, y = columns.min(), rows.min()
    return (
        left + x * scale,
        top + y * scale,
        (columns.max() + 1 - x) * scale,
        (rows.max() + 1 - y) * scale,
    )
