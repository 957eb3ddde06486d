"""The samples on which a converted model strays furthest from the Keras model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.export.parity import Answers, is_pose, poses
from reflexarc.models.family import Split
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.pose.draw import draw_pose
from reflexarc.perception.tasks.pose.metrics import counted

_SIDE = 160  # pixels: smaller pictures are enlarged for the report
_VISIBLE = 0.005  # less rounds to no difference in the report, in scores and in pixels


@dataclass(frozen=True)
class Worst:
    """One sample.

    Attributes:
        index: in the test set.
        disagreement: total variation distance of the scores, 0..1; of poses, the mean
            distance in pixels of the keypoints that count (`pose.metrics`).
        truth, keras, found: labels with their scores; empty for poses, which are drawn.
        picture: PNG; None for a series.
    """

    index: int
    disagreement: float
    truth: str
    keras: str
    found: str
    picture: bytes | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the picture."""
        return {
            name: getattr(self, name)
            for name in ("index", "disagreement", "truth", "keras", "found")
        }


def worst(
    card: Card, split: Split, answers: Answers, reference: Answers, count: int = 8
) -> tuple[Worst, ...]:
    """The `count` samples with the largest disagreement, the largest first.

    Those without a visible disagreement are left out.
    """
    apart = _distance(card, answers, reference)
    order = np.argsort(-apart, kind="stable")[:count]
    return tuple(
        _one(card, split, answers, reference, int(i), apart[i])
        for i in order
        if apart[i] >= _VISIBLE
    )


def _distance(card: Card, answers: Answers, reference: Answers) -> npt.NDArray[np.float64]:
    """Half the L1 distance of the scores, or the mean pixels between keypoints that count."""
    if not is_pose(card):
        apart: npt.NDArray[np.float64] = np.abs(
            answers.values.astype(np.float64) - reference.values
        ).sum(axis=1)
        return apart / 2
    pixels = np.linalg.norm(
        answers.values[..., :2].astype(np.float64) - reference.values[..., :2], axis=2
    )
    sure = np.stack([counted(pose) for pose in poses(card, reference)])
    mean: npt.NDArray[np.float64] = (pixels * sure).sum(axis=1) / np.maximum(sure.sum(axis=1), 1)
    return mean


def _one(
    card: Card, split: Split, answers: Answers, reference: Answers, index: int, apart: float
) -> Worst:
    sample = split.inputs[index]
    if is_pose(card):
        both = [
            draw_pose(_enlarged(card, sample), _pose(card, a.values[index]))
            for a in (reference, answers)
        ]
        return Worst(index, float(apart), "", "", "", _png(np.hstack(both)))
    by_keras, found = (
        f"{card.labels[int(a.classes[index])]} {a.values[index].max():.2f}"
        for a in (reference, answers)
    )
    picture = _png(_enlarged(card, sample)) if isinstance(card.input, InputSpec) else None
    truth = card.labels[int(split.labels[index])]
    return Worst(index, float(apart), truth, by_keras, found, picture)


def _pose(card: Card, keypoints: npt.NDArray[np.float32]) -> Pose:
    return Pose(keypoints[:, :2] * _scale(card), keypoints[:, 2])


def _scale(card: Card) -> int:
    assert isinstance(card.input, InputSpec)
    return max(1, round(_SIDE / max(card.input.height, card.input.width)))


def _enlarged(card: Card, sample: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    big = sample.repeat(_scale(card), axis=0).repeat(_scale(card), axis=1)
    return big if big.ndim == 3 and big.shape[2] == 3 else np.dstack([big.squeeze()] * 3)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    done, png = cv2.imencode(".png", image[..., ::-1])
    assert done
    return png.tobytes()
