"""BlazeFace: one look at a picture, or at a square of it.

The nets are Google's, made full-integer INT8 by `reflexarc.export.blazeface`; constants are
those of MediaPipe's graphs ``face_detection_short_range`` and ``face_detection_full_range``.
See Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs".
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit, placement
from reflexarc.perception.runtime import Model
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.blaze import (
    Image,
    Values,
    anchor_centers,
    cut,
    decode,
    merge,
)
from reflexarc.perception.tasks.faces.face import TASK, Face, Square


@dataclass(frozen=True)
class Range:
    """What differs between the two nets.

    Attributes:
        name: of the card.
        size: side of the input, pixels.
        strides, per_cell: of the anchors, see `anchor_centers`.
        outputs: maps of boxes, then of scores, the finest grid first.
    """

    name: str
    size: int
    strides: tuple[int, ...]
    per_cell: int
    outputs: tuple[str, ...]

    @property
    def input(self) -> InputSpec:
        """The picture that the net takes."""
        return InputSpec(
            width=self.size, height=self.size, color="rgb", mean=127.5, std=127.5, fit="pad"
        )


RANGES = {
    "short": Range(
        "blazeface-short",
        128,
        (8, 16, 16, 16),
        2,
        ("boxes_8", "boxes_16", "scores_8", "scores_16"),
    ),
    "full": Range("blazeface-full", 192, (4,), 1, ("boxes_4", "scores_4")),
}
"""short: faces within about 2 m of the camera; full: within about 5 m."""


class BlazeFace:
    """One of the two nets. Safe to share between threads."""

    def __init__(self, model: Model) -> None:
        """Take a loaded model.

        Raises:
            TaskError: another kind of model.
        """
        card = model.card
        known = {(looks.input, looks.outputs): looks for looks in RANGES.values()}
        found = known.get((card.input, card.outputs)) if isinstance(card.input, InputSpec) else None
        if card.task != TASK or found is None:
            raise TaskError(
                expected=f'a BlazeFace model for the task "{TASK}"',
                found=f'{card.name!r} for "{card.task}"',
                remedy="leave model out, or give a YuNet file (.onnx)",
            )
        self._model = model
        self._range, self._input = found, found.input
        self._centers = anchor_centers(self._range.size, self._range.strides, self._range.per_cell)

    def look(self, image: Image, square: Square | None, min_score: float) -> list[Face]:
        """Find faces, best first.

        Args:
            image: uint8 (h, w, 3), RGB.
            square: where to look; at the whole picture if None.
            min_score: at least so sure.
        """
        if square is None:
            pixels = fit(image, self._input)
            where = placement(image.shape[0], image.shape[1], self._input)
            back = np.array(
                [
                    [1 / where.scale_x, 0, -where.left / where.scale_x],
                    [0, 1 / where.scale_y, -where.top / where.scale_y],
                ]
            )
        else:
            # What lies beyond the picture is black, as in a picture that is padded.
            pixels, back = cut(
                image,
                square.x,
                square.y,
                square.side,
                square.angle,
                self._range.size,
                border=cv2.BORDER_CONSTANT,
            )
        maps = self._model.run(pixels)
        half = len(maps) // 2
        found = decode(
            np.concatenate([boxes.reshape(-1, 16) for boxes in maps[:half]]),
            np.concatenate([scores.reshape(-1) for scores in maps[half:]]),
            self._centers,
            min_score,
        )
        return [_face(rows, score, back) for rows, score in merge(*found)]


def _face(rows: Values, score: float, back: Values) -> Face:
    """From centre, size and points in pixels of the input to a face in the picture."""
    places = rows @ back[:, :2].T + back[:, 2]
    # A turned box has the same size around the same middle: its corners would say more
    # of the square than of the face.
    half = rows[1] * np.hypot(back[0, 0], back[1, 0]) / 2
    (left, top), (right, bottom) = places[0] - half, places[0] + half
    return Face(
        float(left),
        float(top),
        float(right),
        float(bottom),
        places[2:].astype(np.float32),
        score,
    )
