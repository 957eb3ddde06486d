"""The digits task: which handwritten digits are in the frame, and where.

A small net finds what may be a digit of any size, its strokes are taken off what they
are written on and brought into MNIST's form, and the digits model reads them. Whether
they *are* a digit is decided by all together: the more uneven the surface around the
strokes, the surer the models have to be. "No digit" is an answer.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model, default_model_path
from reflexarc.perception.tasks.base import TaskError
from reflexarc.perception.tasks.digits.finder import Candidate, Finder, FinderModel
from reflexarc.perception.tasks.digits.sheet import MIN_SIDE
from reflexarc.perception.tasks.digits.strokes import strokes_of
from reflexarc.perception.tasks.mnist_normalize import normalize

TASK = "digits"

LIMITS = (
    *("score", "clean", "slope", "trust"),
    *("score_bar", "clean_bar", "slope_bar", "trust_bar"),
)
"""Thresholds that a digits model's card has, see `required_score`."""

SURE = 0.98
"""Where even this score would not do, the model is not asked."""

OVERLAP = 0.4
"""Two finds are one if they share this part of the smaller one's box."""


COVERED, LARGER, CERTAIN = 0.7, 1.5, 0.95
"""A candidate is a digit read before, with more than this score, if it shares this part of
the smaller box and is not this much larger."""


class DigitModel(Protocol):
    """What the task needs of a model: `reflexarc.perception.Model` has it."""

    @property
    def card(self) -> Card:
        """Says which task and labels, and the thresholds of `LIMITS`."""
        ...

    def predict(self, image: npt.NDArray[np.uint8], /) -> npt.NDArray[np.float32]:
        """Score one uint8 (28, 28) picture, light strokes on black: float32 (10,)."""
        ...


class Digits:
    """Finds and reads handwritten digits."""

    def __init__(
        self,
        model: DigitModel,
        smallest_px: float = MIN_SIDE,
        finder: FinderModel | None = None,
    ) -> None:
        """Take a model whose card says it is for digits.

        Args:
            model: reads one normalised digit.
            smallest_px: longest side of the smallest digit looked for, in pixels of the
                frame. Frames up to 640x480 take one look, at 24 px up to 1280x960, and
                so on; larger ones take several.
            finder: instead of the packaged one.

        Raises:
            TaskError: a card names another task, or lacks thresholds.
        """
        card = model.card
        if card.task != TASK or not set(LIMITS) <= card.thresholds.keys():
            raise TaskError(
                expected=f'a model for the task "{TASK}" with the thresholds {", ".join(LIMITS)}',
                found=f'{card.name!r} for "{card.task}" with thresholds {sorted(card.thresholds)}',
                remedy="load the digits model, or choose the task that this model is for",
            )
        self._model = model
        self._labels, self._limits = card.labels, card.thresholds
        self._finder = Finder(finder or default_model("digit_finder"), smallest_px)
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
            candidates = self._finder.find(gray)
        read: list[Detection] = []
        for candidate in candidates:  # best first: the same digit need not be read again
            if not any(_covers(detection, candidate) for detection in read):
                read += self._read(gray, candidate)
        found = _each_once(read)
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, found)

    def _read(self, gray: npt.NDArray[np.uint8], candidate: Candidate) -> list[Detection]:
        """The first of the candidate's strokes that are believed, if any."""
        for strokes in strokes_of(gray, candidate):
            if required_score(self._limits, strokes.dirt, candidate.score, False) > SURE:
                continue
            scores = self._model.predict(normalize(strokes.ink))
            best = int(scores.argmax())
            label, score = self._labels[best], float(scores[best])
            if score >= required_score(self._limits, strokes.dirt, candidate.score, label == "1"):
                box = Box(strokes.x, strokes.y, strokes.width, strokes.height)
                return [Detection(label, score, box)]
        return []


def open_digits(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    smallest_px: float = MIN_SIDE,
    finder: str | None = None,
) -> Digits:
    """The task ready to look, see `reflexarc.perception.tasks.open_task` and `Digits`.

    Args:
        model: reads the digits.
        device: where it runs; the finder runs where its file fits.
        smallest_px: see `Digits`.
        finder: a file instead of the packaged one, such as one compiled for the Edge TPU.
    """
    reader = load_model(model or default_model_path(TASK), device)
    # A device of its own, such as an Edge TPU, takes compiled files: "auto" finds that out.
    elsewhere = device if device in ("auto", "cpu") else "auto"
    found = load_model(finder or default_model_path("digit_finder"), elsewhere)
    return Digits(reader, smallest_px, found)


def required_score(limits: Mapping[str, float], dirt: float, found: float, bar: bool) -> float:
    """The score from which strokes on a surface are believed to be a digit.

    It is at least ``score``, and sigmoid(slope * ln(dirt / clean) - trust * logit(found)):
    the form that a logistic regression of "is a digit" on the logits of both nets' scores
    and ln(dirt) has. Bars are the most common clutter and score like ones: for them nearly
    all rests on the surface, so they have limits of their own.

    Args:
        limits: thresholds of the digits model's card.
        dirt: unevenness of the surface, see `Strokes.dirt`.
        found: the finder's score.
        bar: the strokes read as a one.
    """
    of = "_bar" if bar else ""
    found = min(max(found, 0.01), 0.99)
    logit = limits[f"slope{of}"] * math.log(max(dirt, 1e-3) / limits[f"clean{of}"])
    logit -= limits[f"trust{of}"] * math.log(found / (1.0 - found))
    return max(limits[f"score{of}"], 1.0 / (1.0 + math.exp(-min(logit, 50.0))))


def _covers(detection: Detection, candidate: Candidate) -> bool:
    """Whether a digit that was surely read is what the candidate is, or has it inside."""
    box = Box(candidate.x, candidate.y, candidate.width, candidate.height)
    same = _shared(detection.box, box) > COVERED and _area(box) < LARGER * _area(detection.box)
    return same and detection.score > CERTAIN


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
