"""The classify task: what the whole picture shows, of the classes of a transfer model."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.perception.runtime import Model, load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.base import TaskError

TASK = "classify"


class Classify:
    """Names what a picture shows."""

    def __init__(self, model: Model, *, top: int = 1, min_score: float | None = None) -> None:
        """Take a model that scores pictures.

        Args:
            model: its card has a picture for input and one output of as many scores as labels.
            top: at most so many classes, the best.
            min_score: below, a class is not named; the card's threshold "score" if None.

        Raises:
            TaskError: another kind of model.
        """
        card = model.card
        if card.task != TASK or not isinstance(card.input, InputSpec):
            raise TaskError(
                expected=f'a model for the task "{TASK}"',
                found=f'{card.name!r} for "{card.task}"',
                remedy="train one with `reflexarc train transfer --data FOLDER`",
            )
        self._model = model
        self._input = card.input
        self._top = top
        self._min_score = card.thresholds.get("score", 0.0) if min_score is None else min_score

    def process(self, frame: Frame) -> Observation:
        """Look at one frame: a detection for each class named, the box is the whole frame."""
        scores = self._model.predict(fit(frame.image, self._input))
        height, width = frame.image.shape[:2]
        whole = Box(0.0, 0.0, float(width), float(height))
        best = scores.argsort()[::-1][: self._top]
        found = tuple(
            Detection(self._model.card.labels[i], float(scores[i]), whole)
            for i in best
            if scores[i] >= self._min_score
        )
        return Observation(frame.stamp_ns, frame.seq, frame.source, TASK, found)


def open_classify(
    model: str | Path | None = None,
    device: str = "auto",
    *,
    top: int = 1,
    min_score: float | None = None,
) -> Classify:
    """The task ready to look, see `reflexarc.perception.tasks.open_task` and `Classify`."""
    loaded = load_model(model or default_model_path(TASK), device)
    return Classify(loaded, top=top, min_score=min_score)
