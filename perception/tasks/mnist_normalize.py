"""A character's strokes as MNIST would have drawn them.

The MNIST recipe: the digit is scaled to fit a 20x20 box keeping its aspect, and
placed by its centre of mass in the middle of 28x28, light on black
(http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SIDE, BOX = 28, 20
FAINT = 51
"""Ink below a fifth of full is anti-aliasing and does not count for the box."""


def normalize(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Ink of any size to the picture that the digits model was trained on.

    Args:
        ink: uint8 (height, width), 0 background, 255 full stroke.

    Returns:
        uint8 (28, 28). All zero when there is no ink.
    """
    out = np.zeros((SIDE, SIDE), np.uint8)
    x, y, w, h = cv2.boundingRect(cv2.threshold(ink, FAINT, 255, cv2.THRESH_BINARY)[1])
    if not w:
        return out
    scale = BOX / max(w, h)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    digit = cv2.resize(ink[y : y + h, x : x + w], size, interpolation=interpolation)
    m = cv2.moments(digit)
    # Pixel i covers [i, i+1): its centre lies half a pixel on.
    left = round(SIDE / 2 - (m["m10"] / m["m00"] + 0.5))
    top = round(SIDE / 2 - (m["m01"] / m["m00"] + 0.5))
    # A very lopsided shape must still fit.
    left = min(max(left, 0), SIDE - size[0])
    top = min(max(top, 0), SIDE - size[1])
    out[top : top + size[1], left : left + size[0]] = digit
    return out
