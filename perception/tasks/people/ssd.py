"""Anchors, box decoding and non-maximum suppression of the pedestrian net.

Single-shot detection (Liu et al. 2016, "SSD: Single Shot MultiBox Detector") with the
constants of TensorFlow's Object Detection API for MobileNetV2 (``ssd_anchor_generator``,
``faster_rcnn_box_coder``), read back from the published graph.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]

OUTPUTS = ("boxes", "logits")
"""The net's outputs: (1, n, 4), how a box differs from its anchor (centre y, x, height,
width), and (1, n, 1), the logit that it holds a person."""

PUBLISHED = 300
"""Side of the pictures that the net was trained on, pixels. Anchors keep their pixels when
the net is built for larger ones."""
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Side of a square anchor of each level, and of a seventh, as parts of PUBLISHED."""
ASPECTS = (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
"""Width to height of the anchors in a cell; one more is square and between two levels."""
LOWEST = ((0.1, 1.0), (0.2, 2.0), (0.2, 1 / 2))
"""The first level has only these: scale and aspect."""
ANCHORS_PER_CELL = (len(LOWEST), *(len(ASPECTS) + 1,) * (len(SCALES) - 2))
CENTER_SCALE, SIZE_SCALE = 10.0, 5.0
"""What the net gives is multiplied with these (the box coder's scale factors 10, 10, 5, 5)."""
_HALVINGS = 4
"""The first level sees the picture halved so many times, each further level once more."""

MIN_IOU = 0.45
"""Boxes that overlap more are of one person."""
MOST = 120
"""So many of the best boxes are looked at."""


@functools.lru_cache(maxsize=8)
def anchors(height: int, width: int) -> Values:
    """The anchors of a net for pictures of this size.

    Returns:
        float32 (n, 4): centre y, x, height, width in pixels of the input, in the order of
        the net's outputs: level by level, row by row, cell by cell.
    """
    levels = []
    for level in range(len(ANCHORS_PER_CELL)):
        sizes = PUBLISHED * np.array(_shapes(level))
        y, x = np.meshgrid(_centers(height, level), _centers(width, level), indexing="ij")
        centers = np.stack([y, x], axis=-1).reshape(-1, 1, 2)
        cells = np.concatenate(np.broadcast_arrays(centers, sizes[None]), axis=2)
        levels.append(cells.reshape(-1, 4))
    made = np.concatenate(levels).astype(np.float32)
    made.setflags(write=False)  # everybody gets the same
    return made


def _shapes(level: int) -> list[tuple[float, float]]:
    """Height and width of each anchor of a cell, as parts of PUBLISHED."""
    pairs: list[tuple[float, float]]
    if level == 0:
        pairs = list(LOWEST)
    else:
        pairs = [(SCALES[level], aspect) for aspect in ASPECTS]
        pairs.append((math.sqrt(SCALES[level] * SCALES[level + 1]), 1.0))
    return [(scale / math.sqrt(aspect), scale * math.sqrt(aspect)) for scale, aspect in pairs]


def _centers(side: int, level: int) -> npt.NDArray[np.float64]:
    """Where the anchors of a row or column of cells are centred.

    The published anchors divide the picture evenly, which is not where the cells look: a
    layer that halves an even number of pixels starts one to the right of one that halves
    an odd number. The net has learnt the mean of that difference, so it is kept.
    """
    first, cells = _field(side, _HALVINGS + level)
    known_first, known_cells = _field(PUBLISHED, _HALVINGS + level)
    stride = 2 ** (_HALVINGS + level)
    learnt = (
        known_first
        + stride * (known_cells - 1) / 2  # the mean of where the cells look
        - PUBLISHED / 2  # the mean of where their anchors were put
    )
    centers: npt.NDArray[np.float64] = first - learnt + stride * np.arange(cells)
    return centers


def _field(side: int, halvings: int) -> tuple[float, int]:
    """Middle of what the first cell looks at, in pixels of the input, and how many cells
    there are, after so many 3 x 3 convolutions of stride 2 with "same" padding."""
    middle, scale = 0.5, 1.0
    for _ in range(halvings):
        middle += scale * (side % 2 == 0)
        side, scale = (side + 1) // 2, 2 * scale
    return middle, side


def decode(rows: Values, chosen: npt.NDArray[np.intp], anchors: Values) -> Values:
    """Boxes from what the net says of some anchors.

    Args:
        rows: (n, 4), the net's "boxes".
        chosen: (m,), indices of anchors.
        anchors: what `anchors` gave.

    Returns:
        float32 (m, 4): left, top, right, bottom in pixels of the input.
    """
    own, change = anchors[chosen], rows[chosen]
    centers = own[:, :2] + change[:, :2] / CENTER_SCALE * own[:, 2:]
    halves = own[:, 2:] * np.exp(change[:, 2:] / SIZE_SCALE) / 2
    corners = np.concatenate([centers - halves, centers + halves], axis=1)
    return corners[:, [1, 0, 3, 2]].astype(np.float32, copy=False)


def sure(logits: Values, min_score: float) -> tuple[npt.NDArray[np.intp], Values]:
    """Which anchors hold a person with at least this score, best MOST only, and the scores.

    Args:
        logits: (n,).
        min_score: between 0 and 1.
    """
    chosen = np.flatnonzero(logits >= math.log(min_score / (1 - min_score)))
    if len(chosen) > MOST:
        chosen = np.sort(chosen[np.argsort(-logits[chosen], kind="stable")[:MOST]])
    scores = 1 / (1 + np.exp(-logits[chosen]))
    return chosen, scores.astype(np.float32, copy=False)


def iou(some: Values, others: Values) -> Values:
    """Intersection over union of boxes (n, 4) with boxes (m, 4): float32 (n, m)."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (some, others)]
    union = areas[0][:, None] + areas[1][None] - shared
    ratio: Values = shared / np.maximum(union, 1e-9)
    return ratio


def merge(boxes: Values, scores: Values, min_iou: float = MIN_IOU) -> tuple[Values, Values]:
    """Each person once, best first: non-maximum suppression with box voting.

    The boxes that a better one suppresses are averaged with it, weighted by their scores
    (Gidaris and Komodakis 2015): neighbouring anchors err in different directions.

    Returns:
        float32 (m, 4) and (m,).
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    overlaps = iou(boxes, boxes)
    together = overlaps > min_iou
    alive = np.ones(len(boxes), bool)
    kept = []
    for i in range(len(boxes)):
        if alive[i]:
            kept.append(i)
            alive &= ~together[i]
    # Each box votes for the best that it belongs to.
    mine = overlaps[kept]
    votes = np.where((mine > min_iou) & (mine == mine.max(axis=0, initial=0)), scores, 0)
    votes[np.arange(len(kept)), kept] = scores[kept]
    averaged = votes @ boxes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-9)
    return averaged.astype(np.float32), scores[kept]
