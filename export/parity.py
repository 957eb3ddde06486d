"""Does the small file answer as the Keras model does? Measured on the test set."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.models.family import Split
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card
from reflexarc.perception.keypoints import Pose

_BATCH = 64  # samples normalised at a time: a whole photo set in float32 fills the memory


class Runnable(Protocol):
    """Any engine with a model in it: `reflexarc.perception.Model` is one."""

    @property
    def card(self) -> Card:
        """What the model is."""
        ...

    def run(self, sample: npt.NDArray[Any], /) -> tuple[npt.NDArray[np.float32], ...]:
        """One sample in, the outputs as real values, each with a batch dimension of 1."""
        ...


@dataclass(frozen=True)
class Parity:
    """One line of the parity table.

    Attributes:
        name: what was run ("keras", "int8").
        accuracy: share of the test set answered right, 0..1; for a pose model, which
            has no truth here, the PCK against the Keras model's keypoints.
        agreement: share of answers equal to the Keras model's, 0..1 (pose: PCK again).
        size_bytes: size of the file.
        p50_ms, p99_ms: time of one sample, one thread, everything but decoding.
        metrics: further figures by name, as on the card.
    """

    name: str
    accuracy: float
    agreement: float
    size_bytes: int
    p50_ms: float
    p99_ms: float
    metrics: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Answers:
    """Answers to a whole split, and how long each took.

    Attributes:
        values: float32, scores (n, classes) or keypoints (n, 17, 3): x, y in pixels
            of the model's input, and score.
        seconds: float64, shape (n,), one sample at a time.
    """

    values: npt.NDArray[np.float32]
    seconds: npt.NDArray[np.float64]

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Index of the best score of each sample."""
        best: npt.NDArray[np.int64] = self.values.argmax(axis=1)
        return best


def is_pose(card: Card) -> bool:
    """Whether the answers are keypoints rather than scores."""
    return card.task == "pose"


def answer(model: Runnable, split: Split) -> Answers:
    """Run an engine over a split, sample by sample."""
    values: list[npt.NDArray[np.float32]] = []
    seconds = np.empty(len(split))
    for i, sample in enumerate(split.inputs):
        start = time.perf_counter()
        outputs = model.run(sample)
        seconds[i] = time.perf_counter() - start
        values.append(_decoded(model.card, outputs))
    return Answers(np.stack(values), seconds)


def answer_keras(model: keras.Model, card: Card, split: Split) -> Answers:
    """Run the Keras model in batches (its time is per sample)."""
    values: list[npt.NDArray[np.float32]] = []
    start = time.perf_counter()
    for first in range(0, len(split), _BATCH):
        batch = real_values(card.input, split.inputs[first : first + _BATCH])
        outputs = model.predict_on_batch(batch)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        values += [_decoded(card, tuple(o[i : i + 1] for o in outputs)) for i in range(len(batch))]
    each = (time.perf_counter() - start) / len(split)
    return Answers(np.stack(values), np.full(len(split), each))


def _decoded(card: Card, outputs: tuple[npt.NDArray[np.float32], ...]) -> npt.NDArray[np.float32]:
    if not is_pose(card):
        scores: npt.NDArray[np.float32] = outputs[0][0]
        return scores
    from reflexarc.perception.tasks.pose.movenet import decode

    return decode(outputs)


def compare(
    name: str,
    card: Card,
    answers: Answers,
    reference: Answers,
    labels: npt.NDArray[np.int64],
    size_bytes: int,
) -> Parity:
    """Set `answers` against the truth and against the Keras model's."""
    metrics: dict[str, float] = {}
    if is_pose(card):
        from reflexarc.perception.tasks.pose import metrics as pose_metrics

        apart = pose_metrics.compare(poses(card, reference), poses(card, answers))
        accuracy = agreement = apart.pck
        metrics = {"mean_distance_px": apart.mean_px, "keypoints": float(apart.keypoints)}
    else:
        accuracy = float((answers.classes == labels).mean())
        agreement = float((answers.classes == reference.classes).mean())
    return Parity(
        name=name,
        accuracy=accuracy,
        agreement=agreement,
        size_bytes=size_bytes,
        p50_ms=float(np.percentile(answers.seconds, 50) * 1e3),
        p99_ms=float(np.percentile(answers.seconds, 99) * 1e3),
        metrics=metrics,
    )


def poses(card: Card, answers: Answers) -> list[Pose | None]:
    """Answers of a pose model; None where they are nobody's."""
    from reflexarc.perception.tasks.pose.movenet import is_body

    body = card.thresholds["body"]
    return [Pose(f[:, :2], f[:, 2]) if is_body(f, body) else None for f in answers.values]


def confusion(answers: Answers, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Counts, shape (classes, classes): rows are the truth, columns the answer."""
    classes = answers.values.shape[1]
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, answers.classes), 1)
    return matrix
