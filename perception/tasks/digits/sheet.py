"""All sizes of a frame on one sheet, so that a net for one size of digit finds all sizes.

The frame is at the left, beside it the frame at half, a quarter, ... of its size, each in a
place of its own. A smaller frame leaves the rest of its places black.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.uint8]

FRAME_HEIGHT, FRAME_WIDTH = 480, 640
HEIGHT, WIDTH = 480, 960
PLACES = ((0, 0), (640, 0), (640, 240), (800, 240), (800, 304))
"""Left and top of each octave on the sheet."""

CELL = 8
"""Pixels of the sheet, in each direction, for one answer of the net."""

MIN_SIDE = 12
"""Longest side of the smallest digit that is found, in pixels of the first octave."""


class Sheet:
    """The net's input, made anew for every frame in the same memory.

    Attributes:
        pixels: uint8 (HEIGHT, WIDTH).
        octaves: int (HEIGHT / CELL, WIDTH / CELL), which octave each cell belongs to.
    """

    def __init__(self) -> None:
        self.pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.octaves = np.zeros((HEIGHT // CELL, WIDTH // CELL), np.intp)
        for octave, (left, top) in enumerate(PLACES):
            self.octaves[
                top // CELL : (top + (FRAME_HEIGHT >> octave)) // CELL,
                left // CELL : (left + (FRAME_WIDTH >> octave)) // CELL,
            ] = octave
        self._size = (0, 0)

    def lay_out(self, gray: Gray) -> None:
        """Fill it from a picture, uint8, at most (FRAME_HEIGHT, FRAME_WIDTH)."""
        if gray.shape != self._size:
            self.pixels[:] = 0
            self._size = (gray.shape[0], gray.shape[1])
        for left, top in PLACES:
            height, width = gray.shape
            self.pixels[top : top + height, left : left + width] = gray
            if min(height, width) < 2 * CELL:
                return
            half = (width // 2, height // 2)
            gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), np.uint8)
