"""How right a model file is on labelled data, whichever engine runs it.

Scores are counted against the labels. A pose file is compared with the Keras model
that it was made from: photos carry no true keypoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reflexarc.export.engines.registry import engine_of, engines_for, open_with
from reflexarc.export.samples import POSE_TASK, EvaluationError, Samples
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import read_card

if TYPE_CHECKING:
    from reflexarc.export.parity import Runnable
    from reflexarc.models.family import Split
    from reflexarc.perception.keypoints import Pose

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Attributes:
        accuracy: share of right answers, 0..1; for poses the share of keypoints within
            half a torso of the reference's (PCK).
        confusion: int64 (classes, classes), rows are the truth; (0, 0) for poses.
        metrics: further figures by name, as on the card.
    """

    file: str
    engine: str
    task: str
    labels: tuple[str, ...]
    n: int
    part: str
    accuracy: float
    confusion: npt.NDArray[np.int64]
    metrics: dict[str, float]
    skipped: Mapping[str, str]

    @property
    def per_class(self) -> dict[str, dict[str, float | int | None]]:
        """Precision, recall and number of samples of each label.

        Precision is None where the label was never the answer, recall where it was
        never the truth.
        """
        right, truth, said = np.diag(self.confusion), *(self.confusion.sum(i) for i in (1, 0))
        return {
            label: {
                "n": int(truth[i]),
                "precision": float(right[i] / said[i]) if said[i] else None,
                "recall": float(right[i] / truth[i]) if truth[i] else None,
            }
            for i, label in enumerate(self.labels)
            if len(self.confusion)
        }

    def worst(self, count: int) -> list[tuple[str, str, int]]:
        """The most frequent confusions: (truth, answer, how often)."""
        wrong = self.confusion * (1 - np.eye(len(self.confusion), dtype=np.int64))
        pairs = [
            (self.labels[row], self.labels[column], int(times))
            for (row, column), times in np.ndenumerate(wrong)
            if times
        ]
        return sorted(pairs, key=lambda pair: -pair[2])[:count]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "task": self.task,
            "n": self.n,
            "accuracy": self.accuracy,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "labels": self.labels,
            "part": self.part,
            "metrics": self.metrics,
            "skipped": dict(self.skipped),
            "file": self.file,
            "engine": self.engine,
        }


@dataclass(frozen=True)
class Loaded:
    """A model file in an engine, ready to be evaluated.

    Attributes:
        twin: of a pose file, the Keras model that it is compared with.
    """

    path: Path
    engine: str
    model: Runnable
    twin: Runnable | None


def load(
    path: Path, *, engine: str | None = None, threads: int = 1, reference: Path | None = None
) -> Loaded:
    """Load a model file into an engine.

    Args:
        path: a .tflite, .onnx or .keras file with its card.
        engine: a name of `ENGINES`; the first installed one that takes the file if left out.
        threads: CPU threads of the engine.
        reference: of a pose file, the .keras file it was made from.

    Raises:
        ReflexarcError: file, engine and reference do not go together.
    """
    card = read_card(path)
    takers = engines_for(path)
    default = next((taker for taker in takers if taker.installed), takers[0])
    chosen = engine_of(engine) if engine else default
    twin = _twin(card, reference)
    return Loaded(path, chosen.name, open_with(chosen, path, card, threads), twin)


def evaluate(loaded: Loaded, samples: Samples, tell: Tell = lambda done, of: None) -> Evaluation:
    """Run a model over labelled samples.

    Args:
        loaded: by `load`.
        samples: by `reflexarc.export.samples.samples_for`.
        tell: is called with the samples done, and of how many.

    Raises:
        EvaluationError: no samples, or photos without a body for a pose file.
    """
    card, n = loaded.model.card, len(samples.split)
    if not n:
        raise EvaluationError(
            expected="at least one sample",
            found=f"none: {samples.part}",
            remedy="give a folder of samples with --data",
        )
    metrics: dict[str, float] = {}
    if loaded.twin:
        confusion = np.zeros((0, 0), np.int64)
        metrics = _pose_metrics(loaded.model, loaded.twin, samples, tell)
        accuracy = metrics.pop("pck")
    else:
        confusion = confusion_of(loaded.model, samples.split, tell)
        accuracy = float(np.trace(confusion) / n)
    return Evaluation(
        file=str(loaded.path),
        engine=loaded.engine,
        task=card.task,
        labels=card.labels,
        n=n,
        part=samples.part,
        accuracy=accuracy,
        confusion=confusion,
        metrics=metrics,
        skipped=samples.skipped,
    )


def confusion_of(model: Runnable, split: Split, tell: Tell) -> npt.NDArray[np.int64]:
    """Counts, shape (labels, labels): rows are the truth, columns the answer."""
    classes = len(model.card.labels)
    matrix = np.zeros((classes, classes), np.int64)
    for done, (sample, label) in enumerate(zip(split.inputs, split.labels, strict=True), start=1):
        matrix[label, model.run(sample)[0][0].argmax()] += 1
        tell(done, len(split))
    return matrix


def _twin(card: Card, reference: Path | None) -> Runnable | None:
    """The Keras model that a pose file is compared with."""
    if card.task != POSE_TASK:
        if reference is None:
            return None
        raise EvaluationError(
            expected="no --reference: the labels of the data say what is right",
            found=str(reference),
            remedy="leave it out; `reflexarc check` compares a file with its Keras model",
        )
    if reference is None:
        raise EvaluationError(
            expected="the Keras model of this pose file: photos carry no true keypoints",
            found="no --reference",
            remedy="add --reference model.keras",
        )
    twin = open_with(engine_of("keras"), reference, read_card(reference))
    if (twin.card.name, twin.card.input) != (card.name, card.input):
        raise EvaluationError(
            expected=f"a .keras file of {card.name} with the same input",
            found=f"{twin.card.name} in {reference}",
            remedy="give the one that this file was made from",
        )
    return twin


def _pose_metrics(
    model: Runnable, twin: Runnable, samples: Samples, tell: Tell
) -> dict[str, float]:
    from reflexarc.perception.tasks.pose.metrics import compare

    found: list[Pose | None] = []
    wanted: list[Pose | None] = []
    for done, sample in enumerate(samples.split.inputs, start=1):
        found.append(_pose(model, sample))
        wanted.append(_pose(twin, sample))
        tell(done, len(samples.split))
    parity = compare(wanted, found)
    if not parity.bodies:
        raise EvaluationError(
            expected="photos with a body whose shoulders and hips the reference sees",
            found=f"none among {len(samples.split)}",
            remedy="give other photos with --data",
        )
    return {
        "pck": parity.pck,
        "mean_distance_px": parity.mean_px,
        "bodies": float(parity.bodies),
        "missed": float(parity.missed),
    }


def _pose(model: Runnable, sample: npt.NDArray[Any]) -> Pose | None:
    """The body in a picture of the net's own size, in its pixels."""
    from reflexarc.perception.tasks.pose.movenet import MoveNet

    return MoveNet(_Readable(model)).pose(sample)


class _Readable:
    """Any engine as MoveNet wants it: it reads from all outputs, here made beforehand."""

    def __init__(self, model: Runnable) -> None:
        self.card, self._model = model.card, model

    def read(self, sample: npt.NDArray[np.uint8], reader: Callable[[Sequence[Any]], Any], /) -> Any:
        return reader(self._model.run(sample))
