"""Where people are in a picture: one look of the net, or several at parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.fit import fit
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.people.ssd import OUTPUTS, Values, anchors, decode, merge, sure

TASK = "people"
SHIFT = 4
"""Every second picture is laid into the input so many pixels to the right and down: what
falls badly between two cells in one frame does not in the next."""
OVERLAP = 0.25
"""Share of a tile that its neighbour sees too."""
MIN_VISIBLE = 0.6
"""Boxes of which less is in the picture are guesses of the padded edge."""
_TOUCHES = 0.01
"""A box that comes so near to an inner edge of a tile, in parts of the tile, is cut off."""

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a picture, in pixels of it."""

    left: int
    top: int
    right: int
    bottom: int


class Net(Protocol):
    """A net with its card: `reflexarc.perception.runtime.Model` is one."""

    @property
    def card(self) -> Card:
        """What the net is."""
        ...

    def run(self, sample: npt.NDArray[Any], /) -> tuple[Values, ...]:
        """One picture in, the outputs as real values."""
        ...


class Detector:
    """Finds people. Safe to share between threads."""

    def __init__(self, model: Net) -> None:
        """Take a net.

        Raises:
            TaskError: the card's model is of another task, or its tensors are others.
        """
        card = model.card
        if (
            card.task != TASK
            or not isinstance(card.input, InputSpec)
            or card.input.color != "rgb"
            or card.outputs != OUTPUTS
        ):
            raise TaskError(
                expected=f'a model for the task "{TASK}" with the outputs {", ".join(OUTPUTS)}',
                found=f'{card.name!r} for "{card.task}" with {", ".join(card.outputs)}',
                remedy="leave model out, or make one with `python -m reflexarc.export.people`",
            )
        self.model, self._input = model, card.input
        self._anchors = anchors(self._input.height, self._input.width)

    def find(
        self, image: Image, min_score: float, *, tiles: int = 1, shifted: bool = False
    ) -> tuple[Values, Values]:
        """Find people, best first.

        Args:
            image: uint8 (h, w, 3), RGB.
            min_score: at least so sure.
            tiles: 1 looks at the whole picture; n more looks at n by n tiles of it too.
            shifted: see SHIFT.

        Returns:
            float32 (m, 4): left, top, right, bottom in pixels of the picture; and scores (m,).
        """
        height, width = image.shape[:2]
        looks = [
            self.look(image, part, min_score, shifted=shifted)
            for part in parts(width, height, tiles)
        ]
        boxes, scores = (np.concatenate(column) for column in zip(*looks, strict=True))
        clipped = boxes.clip(0, np.array([width, height] * 2, np.float32))
        whole, visible = (
            (rows[:, 2:] - rows[:, :2]).clip(0).prod(axis=1) for rows in (boxes, clipped)
        )
        kept = visible > MIN_VISIBLE * whole
        return merge(clipped[kept], scores[kept])

    def look(
        self, image: Image, part: Part, min_score: float, *, shifted: bool = False
    ) -> tuple[Values, Values]:
        """All boxes of one look, unsorted and overlapping; see `find`."""
        pixels = fit(image[part.top : part.bottom, part.left : part.right], self._input)
        if shifted:
            moved = np.zeros_like(pixels)
            moved[SHIFT:, SHIFT:] = pixels[:-SHIFT, :-SHIFT]
            pixels = moved
        rows, logits = self.model.run(pixels)
        chosen, scores = sure(logits[0, :, 0], min_score)
        boxes = decode(rows[0], chosen, self._anchors)
        size = np.array([part.right - part.left, part.bottom - part.top] * 2, np.float32)
        scale = size / np.array([self._input.width, self._input.height] * 2, np.float32)
        boxes = ((boxes - SHIFT * shifted) * scale).astype(np.float32, copy=False)
        inner = ~_is_cut(boxes, part, *image.shape[1::-1])
        return boxes[inner] + np.array([part.left, part.top] * 2, np.float32), scores[inner]


def parts(width: int, height: int, tiles: int) -> list[Part]:
    """The whole picture, and for `tiles` > 1 its tiles row by row, which overlap."""
    found = [Part(0, 0, width, height)]
    if tiles > 1:
        columns, rows = _spans(width, tiles), _spans(height, tiles)
        found += [Part(a, c, b, d) for c, d in rows for a, b in columns]
    return found


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    size = length / (count - (count - 1) * OVERLAP)
    starts = [round(i * size * (1 - OVERLAP)) for i in range(count)]
    return [(start, min(length, max(start + 1, round(start + size)))) for start in starts]


def _is_cut(boxes: Values, part: Part, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Which boxes touch an edge of the part that is not one of the picture."""
    size = np.array([part.right - part.left, part.bottom - part.top], np.float32)
    near = _TOUCHES * size
    cut = np.zeros(len(boxes), bool)
    for axis, (begins, ends) in enumerate(
        ((part.left > 0, part.right < width), (part.top > 0, part.bottom < height))
    ):
        if begins:
            cut |= boxes[:, axis] < near[axis]
        if ends:
            cut |= boxes[:, axis + 2] > size[axis] - near[axis]
    return cut
