"""Does the small file answer as the Keras model does? Measured on the test set."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.models.family import Split
from reflexarc.perception.runtime import Model


@dataclass(frozen=True)
class Parity:
    """One line of the parity table.

    Attributes:
        name: what was run ("keras float32", "int8").
        accuracy: share of the test set answered right, 0..1.
        agreement: share of answers equal to the Keras model's, 0..1.
        size_bytes: size of the file.
        p50_ms, p99_ms: time of one picture, one thread, everything but decoding.
    """

    name: str
    accuracy: float
    agreement: float
    size_bytes: int
    p50_ms: float
    p99_ms: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Answers:
    """Scores of a whole split, and how long each took.

    Attributes:
        scores: float32, shape (n, classes).
        seconds: float64, shape (n,), one picture at a time.
    """

    scores: npt.NDArray[np.float32]
    seconds: npt.NDArray[np.float64]

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Index of the best score of each picture."""
        best: npt.NDArray[np.int64] = self.scores.argmax(axis=1)
        return best


def answer(model: Model, split: Split) -> Answers:
    """Run the device runtime over a split, picture by picture."""
    scores = np.empty((len(split), len(model.card.labels)), np.float32)
    seconds = np.empty(len(split))
    for i, image in enumerate(split.images):
        start = time.perf_counter()
        scores[i] = model.predict(image)
        seconds[i] = time.perf_counter() - start
    return Answers(scores, seconds)


def answer_keras(model: keras.Model, values: npt.NDArray[np.float32]) -> Answers:
    """Run the Keras model on normalised pictures, in batches (its time is per picture)."""
    start = time.perf_counter()
    scores = model.predict(values, batch_size=512, verbose=0)
    each = (time.perf_counter() - start) / len(values)
    return Answers(scores, np.full(len(values), each))


def compare(
    name: str, answers: Answers, reference: Answers, labels: npt.NDArray[np.int64], size_bytes: int
) -> Parity:
    """Set `answers` against the truth and against the Keras model's."""
    return Parity(
        name=name,
        accuracy=float((answers.classes == labels).mean()),
        agreement=float((answers.classes == reference.classes).mean()),
        size_bytes=size_bytes,
        p50_ms=float(np.percentile(answers.seconds, 50) * 1e3),
        p99_ms=float(np.percentile(answers.seconds, 99) * 1e3),
    )


def confusion(answers: Answers, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts, shape (classes, classes): rows are the truth, columns the answer."""
    classes = answers.scores.shape[1]
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, answers.classes), 1)
    return matrix
