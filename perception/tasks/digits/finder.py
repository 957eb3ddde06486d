"""Where digits may be, by a small net: what is worth a closer look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.digits.sheet import (
    CELL,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    MIN_SIDE,
    PLACES,
    Sheet,
)

Gray = npt.NDArray[np.uint8]

TASK = "digit-finder"
OUTPUTS = ("score", "box")
UNIT = 16.0
"""Pixels of the sheet that a one in the box output stands for."""

LONGEST_SIDE = 1280
"""Larger frames are first shrunk to this many pixels: it bounds the time."""

MOST = 40
"""Candidates for a closer look in one picture, the best ones: it bounds the time."""

SAME = 0.6
"""Boxes that share this much (intersection over union) are of one digit."""

LEAST = 0.75
"""A box is a guess: it may be this much smaller than the smallest digit."""

_PLACES = np.array(PLACES)
_OVERLAP = 48  # pixels that neighbouring parts share: more than a digit that only they show


class FinderModel(Protocol):
    """What the finder needs of a model: `reflexarc.perception.Model` has it."""

    @property
    def card(self) -> Card:
        """Says which task, and ``thresholds["candidate"]``."""
        ...

    def run(self, sample: npt.NDArray[Any], /) -> tuple[npt.NDArray[np.float32], ...]:
        """Answer to one uint8 sheet: scores (1, h, w, 1), boxes (1, h, w, 5).

        A box is: middle against the cell's middle (x, y) in UNITs, log2 of width and
        height in UNITs, and whether the strokes are lighter (1) or darker (-1).
        """
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be a digit.

    Attributes:
        x, y, width, height: about the box of its strokes, pixels of the frame.
        light: the strokes are lighter than what they are on.
        score: how much it looks like a digit, 0 to 1.
    """

    x: float
    y: float
    width: float
    height: float
    light: bool
    score: float


class Finder:
    """Looks for digits of any size. One search at a time."""

    def __init__(self, model: FinderModel, smallest_px: float = MIN_SIDE) -> None:
        """Take a model whose card says it is a finder.

        Args:
            model: tells for each cell of a sheet whether a digit's middle is there.
            smallest_px: longest side of the smallest digit looked for, pixels of the frame.

        Raises:
            TaskError: the card names another task, or has no threshold.
        """
        card = model.card
        if card.task != TASK or "candidate" not in card.thresholds:
            raise TaskError(
                expected=f'a model for the task "{TASK}" with a threshold "candidate"',
                found=f'{card.name!r} for "{card.task}" with thresholds {sorted(card.thresholds)}',
                remedy="leave it out: one comes with the package",
            )
        self._model = model
        self._threshold = card.thresholds["candidate"]
        self._smallest = smallest_px
        self._sheet = Sheet()

    def find(self, gray: Gray) -> list[Candidate]:
        """What is worth a closer look in a frame, uint8 (height, width); some of it twice."""
        height, width = gray.shape
        fine = max(1.0, max(height, width) / LONGEST_SIDE, self._smallest / MIN_SIDE)
        whole = max(fine, width / FRAME_WIDTH, height / FRAME_HEIGHT)
        found = self._look(_shrink(gray, whole), 0, 0, whole)
        if whole > fine:
            # The smallest digits are too small in that: look again at the parts.
            gray = _shrink(gray, fine)
            for top in _starts(gray.shape[0], FRAME_HEIGHT):
                for left in _starts(gray.shape[1], FRAME_WIDTH):
                    part = gray[top : top + FRAME_HEIGHT, left : left + FRAME_WIDTH]
                    found += self._look(part, left, top, fine)
        return found

    def _look(self, gray: Gray, left: int, top: int, shrunk: float) -> list[Candidate]:
        """Candidates in a picture that begins at its own pixel `left`, `top` in the frame's."""
        self._sheet.lay_out(gray)
        score_map, box_map = self._model.run(self._sheet.pixels)
        rows, columns = np.nonzero(score_map[0, :, :, 0] >= self._threshold)
        if not len(rows):
            return []
        scores, boxes = score_map[0, rows, columns, 0], box_map[0, rows, columns]
        octave = self._sheet.octaves[rows, columns]
        scale = np.exp2(octave)[:, None]
        middle = (np.stack([columns, rows], axis=1) + 0.5) * CELL + boxes[:, :2] * UNIT
        middle = (middle - _PLACES[octave]) * scale
        size = np.exp2(boxes[:, 2:4]) * UNIT * scale
        where = np.hstack([middle - size / 2, size])
        # What is beyond the picture, on the black of its place, is nothing.
        scores[((middle < 0) | (middle > gray.shape[::-1])).any(axis=1)] = 0
        scores[size.max(axis=1) * shrunk < LEAST * self._smallest] = 0
        best = cv2.dnn.NMSBoxes(where.tolist(), scores.tolist(), self._threshold / 2, SAME)
        where[:, :2] += left, top
        where *= shrunk
        found = []
        for i in best[:MOST]:
            x, y, w, h = where[i].tolist()
            found.append(Candidate(x, y, w, h, bool(boxes[i, 4] > 0), float(scores[i])))
        return found


def _shrink(gray: Gray, shrunk: float) -> Gray:
    if shrunk == 1:
        return gray
    height, width = (max(1, int(n / shrunk)) for n in gray.shape)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _starts(whole: int, part: int) -> list[int]:
    """Where parts begin that cover the whole and overlap."""
    count = 1 + max(0, -(-(whole - part) // (part - _OVERLAP)))
    return [round(at) for at in np.linspace(0, max(0, whole - part), count).tolist()]
