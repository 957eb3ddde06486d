"""The digits task: which handwritten digits are in the frame, and where.

Strokes are proposed by geometry, brought into MNIST's form, and read by the
model. Whether they *are* a digit is decided by both together: the more uneven
the surface around the strokes, the surer the model has to be. "No digit" is an
answer.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.mnist_normalize import normalize
from reflexarc.perception.tasks.proposals import Strokes, find_strokes
from reflexarc.perception.tasks.sheet import MIN_SIDE, Workspace

TASK = "digits"

# The score needed is at least the card's threshold, and at least
# sigmoid(slope * ln(dirt / clean)). The form is what a logistic regression of "is
# a digit" on the score's logit and ln(dirt) came to; the values were then chosen on
# MNIST training digits pasted onto photos and on photos without. Bars are the most
# common clutter and score like ones: for them nearly all rests on the surface.
CLEAN, SLOPE = 0.02, 2.2
CLEAN_BAR, SLOPE_BAR, SCORE_BAR = 0.015, 7.0, 0.6

SURE = 0.98
"""Where even this score would not do, the model is not asked."""

OVERLAP = 0.4
"""Two finds are one if they share this part of the smaller one's box."""


class DigitModel(Protocol):
    """What the task needs of a model: `reflexarc.perception.Model` has it."""

    @property
    def card(self) -> Card:
        """Says which task and labels, and ``thresholds["score"]``."""
        ...

    def predict(self, image: npt.NDArray[np.uint8], /) -> npt.NDArray[np.float32]:
        """Score one uint8 (28, 28) picture, light strokes on black: float32 (10,)."""
        ...


class Digits:
    """Finds and reads handwritten digits."""

    def __init__(self, model: DigitModel, smallest_px: int = MIN_SIDE) -> None:
        """Take a model whose card says it is for digits.

        Args:
            model: reads one normalised digit.
            smallest_px: height of the smallest digit looked for, in pixels of the
                frame. The time goes with the inverse square of it.

        Raises:
            TaskError: the card names another task, or has no score threshold.
        """
        card = model.card
        if card.task != TASK or "score" not in card.thresholds:
            raise TaskError(
                expected=f'a model for the task "{TASK}" with a threshold "score"',
                found=f'{card.name!r} for "{card.task}" with thresholds {sorted(card.thresholds)}',
                remedy="load the digits model, or choose the task that this model is for",
            )
        self._model = model
        self._labels = card.labels
        self._threshold = card.thresholds["score"]
        self._smallest_px = smallest_px
        self._spaces: dict[tuple[int, int], Workspace] = {}
        self._lock = threading.Lock()

    def process(self, frame: Frame) -> Observation:
        """Look at one frame.

        Returns:
            Task "digits"; a detection for each digit, label "0" to "9", the
            model's score, the box around its strokes in pixels of the frame.
            No detections: there is no digit in it.
        """
        gray = np.asarray(cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY), np.uint8)
        with self._lock:
            read = [self._read(strokes) for strokes in self._find(gray)]
        found = _each_once([detection for detection in read if detection is not None])
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, found)

    def _find(self, gray: npt.NDArray[np.uint8]) -> Iterator[Strokes]:
        return find_strokes(gray, self._spaces, self._smallest_px)

    def _read(self, strokes: Strokes) -> Detection | None:
        if required_score(strokes.dirt, False) > SURE:
            return None
        scores = self._model.predict(normalize(strokes.ink))
        best = int(scores.argmax())
        label, score = self._labels[best], float(scores[best])
        if score < max(required_score(strokes.dirt, label == "1"), self._threshold):
            return None
        return Detection(label, score, Box(strokes.x, strokes.y, strokes.width, strokes.height))


def open_digits(
    model: str | Path | None = None, device: str = "auto", *, smallest_px: int = MIN_SIDE
) -> Digits:
    """The task ready to look, see `reflexarc.perception.tasks.open_task` and `Digits`."""
    return Digits(load_model(model or default_model_path(TASK), device), smallest_px)


def required_score(dirt: float, bar: bool) -> float:
    """The score from which strokes on a surface are believed to be a digit.

    Args:
        dirt: unevenness of the surface, see `Strokes.dirt`.
        bar: the strokes read as a one.
    """
    clean, slope = (CLEAN_BAR, SLOPE_BAR) if bar else (CLEAN, SLOPE)
    logit = slope * math.log(max(dirt, 1e-3) / clean)
    score = 1.0 / (1.0 + math.exp(-min(logit, 50.0)))
    return max(score, SCORE_BAR) if bar else score


def _each_once(detections: list[Detection]) -> tuple[Detection, ...]:
    """Best first, without those that overlap a better one.

    One digit is seen in two octaves, and a part of it can be a digit too: among
    certain scores the larger box is the whole.
    """
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda d: (-min(d.score, 0.99), -_area(d.box))):
        if all(_shared(one.box, other.box) < OVERLAP for other in kept):
            kept.append(one)
    return tuple(sorted(kept, key=lambda d: -d.score))


def _area(box: Box) -> float:
    return box.width * box.height


def _shared(a: Box, b: Box) -> float:
    """Intersection by the smaller area."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(0.0, width) * max(0.0, height) / min(_area(a), _area(b))
