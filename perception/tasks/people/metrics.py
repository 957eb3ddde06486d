"""How far two models' people in the same pictures agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from reflexarc.perception.tasks.people.ssd import Values, iou

MIN_IOU = 0.5
"""Boxes that overlap so much say the same (PASCAL VOC)."""


@dataclass(frozen=True)
class BoxParity:
    """Boxes against reference boxes.

    Attributes:
        recall: share of the reference's boxes that the other has too, 0..1.
        precision: share of the other's boxes that the reference has too, 0..1.
        mean_iou: of those that both have.
        people: boxes of the reference.
    """

    recall: float
    precision: float
    mean_iou: float
    people: int


def compare(pictures: Iterable[tuple[Values, Values]]) -> BoxParity:
    """Set boxes of the same pictures side by side, each matched at most once.

    Args:
        pictures: for each, the reference's boxes and the other's, best first: (n, 4),
            (m, 4): left, top, right, bottom.

    Returns:
        nan where there is nothing to share.
    """
    wanted = given = 0
    overlaps: list[float] = []
    for reference, other in pictures:
        wanted, given = wanted + len(reference), given + len(other)
        overlaps += match(reference, other)[1].tolist()
    hits = len(overlaps)
    return BoxParity(
        recall=hits / wanted if wanted else float("nan"),
        precision=hits / given if given else float("nan"),
        mean_iou=float(np.mean(overlaps)) if hits else float("nan"),
        people=wanted,
    )


def match(reference: Values, other: Values) -> tuple[list[tuple[int, int]], Values]:
    """Pairs of (reference, other) boxes that say the same, and their overlaps: each box of
    `other`, in its order, takes the free one that it overlaps most."""
    overlaps = iou(np.asarray(reference, np.float32), np.asarray(other, np.float32))
    pairs: list[tuple[int, int]] = []
    shared: list[float] = []
    for j in range(len(other) if len(reference) else 0):
        i = int(overlaps[:, j].argmax())
        if overlaps[i, j] >= MIN_IOU:
            pairs.append((i, j))
            shared.append(float(overlaps[i, j]))
            overlaps[i] = -1
    return pairs, np.array(shared, np.float32)
