"""What Google's Blaze detectors share: the file, the anchors, the decoding, the crop.

They are single-shot detectors whose TFLite files are float32 and have no card; boxes and
points come out in pixels of the input from the anchors' centres. Steps and constants are
those of MediaPipe's graphs (Apache-2.0): ``SsdAnchorsCalculator`` with
``fixed_anchor_size``, ``TensorsToDetectionsCalculator``, and
``NonMaxSuppressionCalculator`` with ``algorithm: WEIGHTED``.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.runtime import open_interpreter

Image = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

MIN_IOU = 0.3
"""Detections that overlap more are of one thing (all of MediaPipe's Blaze graphs)."""

REAL = ((np.arange(256, dtype=np.float64) - 127.5) / 127.5).astype(np.float32)
"""From a picture's byte to the detectors' input, -1..1."""


class Network:
    """A float32 TFLite file without a card, its outputs known by their shapes.

    Safe to share between threads (calls take turns).
    """

    def __init__(
        self,
        path: Path,
        size: int,
        outputs: dict[str, tuple[int, ...]],
        threads: int = 1,
        *,
        kind: str,
        remedy: str,
    ) -> None:
        """Load a file.

        Args:
            path: the file.
            size: side of the input, which is RGB, in pixels.
            outputs: shapes without the batch, by the names that `run` gives them.
            threads: of the CPU.
            kind, remedy: for errors: which model this should be, where to get it.

        Raises:
            ModelFileError: no file, or another model.
        """
        try:
            interpreter = open_interpreter(path, threads)
        except ModelFileError as error:
            raise ModelFileError(
                expected=f"a TFLite file of {kind}", found=error.found, remedy=remedy
            ) from error
        self._interpreter, self._lock = interpreter, threading.Lock()
        self._input = interpreter.get_input_details()[0]["index"]
        shape = tuple(int(n) for n in interpreter.get_input_details()[0]["shape"])
        found = {
            tuple(int(n) for n in details["shape"][1:]): details["index"]
            for details in interpreter.get_output_details()
        }
        if shape != (1, size, size, 3) or not set(outputs.values()) <= set(found):
            raise ModelFileError(
                expected=f"a net of {(1, size, size, 3)} to {list(outputs.values())}",
                found=f"{path}: {shape} to {list(found)}",
                remedy=remedy,
            )
        self._outputs = {name: found[shape] for name, shape in outputs.items()}

    def run(self, values: npt.NDArray[np.floating[Any]]) -> dict[str, Values]:
        """Values of one picture, (size, size, 3), in; outputs by name, without batch."""
        with self._lock:
            self._interpreter.set_tensor(self._input, values[None].astype(np.float32, copy=False))
            self._interpreter.invoke()
            return {
                name: self._interpreter.get_tensor(index)[0]
                for name, index in self._outputs.items()
            }


def anchor_centers(size: int, strides: Sequence[int], per_cell: int = 2) -> Values:
    """Centres of a detector's anchors in pixels of its input: float32 (n, 2), x and y.

    Anchors have sizes too, which do not matter here: boxes are given in pixels.

    Args:
        size: side of the input.
        strides: of each layer; layers of the same stride share a grid.
        per_cell: anchors in a cell for each of its layers: 2 with MediaPipe's
            ``interpolated_scale_aspect_ratio`` of 1, otherwise 1.
    """
    grids = []
    for stride in dict.fromkeys(strides):
        cells = size // stride
        y, x = np.mgrid[:cells, :cells]
        centers = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * (size / cells)
        grids.append(centers.repeat(per_cell * strides.count(stride), axis=0))
    return np.concatenate(grids).astype(np.float32)


def decode(
    rows: Values, logits: Values, centers: Values, min_score: float
) -> tuple[Values, Values]:
    """The detections that are sure enough.

    Args:
        rows: (n, 2 * k): place and size of the box, then k - 2 points, each x and y, in
            pixels of the input; places and points from the anchor's centre.
        logits: (n,).
        centers: what `anchor_centers` gave.
        min_score: at least so sure.

    Returns:
        float32 (m, k, 2) in pixels of the input, row 1 is the size; and the scores (m,).
    """
    # The logistic function rises: most rows need not be looked at closer.
    near = np.flatnonzero(logits > math.log(min_score / (1 - min_score)) - 1e-3)
    scores = 1 / (1 + np.exp(-logits[near].clip(-80, 80)))
    near, scores = near[scores >= min_score], scores[scores >= min_score]
    found = rows[near].reshape(len(near), rows.shape[1] // 2, 2)
    found[:, 0] += centers[near]
    found[:, 2:] += centers[near][:, None]
    return found, scores


def merge(found: Values, scores: Values, min_iou: float = MIN_IOU) -> list[tuple[Values, float]]:
    """Each thing once, best first: MediaPipe's weighted non-maximum suppression.

    Detections that overlap a better one are averaged with it, weighted by their scores.

    Args:
        found: (n, k, 2), centre, size and points, see `decode`.
        scores: (n,).
        min_iou: more overlap than this makes one of two.

    Returns:
        (k, 2) and the best score, for each thing.
    """
    order = np.argsort(-scores, kind="stable")
    found, scores = found[order], scores[order]
    merged: list[tuple[Values, float]] = []
    while len(found):
        together = iou(found[0], found) > min_iou
        together[0] = True
        weights = scores[together] / scores[together].sum()
        merged.append((np.einsum("n,nij->ij", weights, found[together]), float(scores[0])))
        found, scores = found[~together], scores[~together]
    return merged


def iou(one: Values, many: Values) -> Values:
    """Intersection over union of a box with others, rows (centre, size, ...)."""
    half = many[:, 1] / 2
    low = np.maximum(one[0] - one[1] / 2, many[:, 0] - half)
    high = np.minimum(one[0] + one[1] / 2, many[:, 0] + half)
    sides = np.maximum(high - low, 0)
    shared = sides[:, 0] * sides[:, 1]
    union = one[1, 0] * one[1, 1] + many[:, 1, 0] * many[:, 1, 1] - shared
    ratio: Values = shared / np.maximum(union, 1e-9)
    return ratio


def cut(
    image: Image,
    x: float,
    y: float,
    side: float,
    angle: float,
    size: int,
    *,
    border: int = cv2.BORDER_REPLICATE,
) -> tuple[Image, npt.NDArray[np.float64]]:
    """Cut a turned square out and bring it upright to a net's input.

    Args:
        image: uint8 (h, w, 3).
        x, y: the square's middle, pixels.
        side: of the square, pixels.
        angle: by which it is turned clockwise from upright, radians.
        size: side of what comes out, pixels.
        border: what comes in from beyond the picture, one of OpenCV's names; its edges
            drawn out by default.

    Returns:
        uint8 (size, size, 3), and the affine map (2, 3) from its pixels back to those of
        `image`.
    """
    if angle == 0:
        straight = _cut_straight(image, x, y, round(side), size)
        if straight is not None:
            return straight
    scale = side / size
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    back = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    back[:, 2] = (x, y) - back[:, :2] @ (size / 2, size / 2)
    whole = back
    # Bilinear sampling looks at four pixels: shrink by areas first, by a whole number, which
    # is several times as fast as by another, and only what can come to lie in the square.
    shrink = int(scale)
    if shrink > 1:
        reach = side * (abs(math.cos(angle)) + abs(math.sin(angle))) / 2 + scale
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        part = image[top : max(0, int(y + reach) + 1), left : max(0, int(x + reach) + 1)]
        to = (part.shape[1] // shrink, part.shape[0] // shrink)
        if min(to) > 0:
            part = part[: shrink * to[1], : shrink * to[0]]
            image = cv2.resize(part, to, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            whole = back.copy()
            whole[:, 2] -= (left, top)
            whole /= shrink
            whole[:, 2] += (1 / shrink - 1) / 2  # pixels are areas, coordinates their middles
    upright = cv2.warpAffine(
        image,
        whole,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )
    return upright.astype(np.uint8, copy=False), back


def _cut_straight(
    image: Image, x: float, y: float, side: int, size: int
) -> tuple[Image, npt.NDArray[np.float64]] | None:
    """`cut` to whole pixels, in half the time; None where the square reaches out of the picture."""
    shrink = max(1, side // size)
    side -= side % shrink
    left, top = round(x - side / 2), round(y - side / 2)
    if (
        left < 0
        or top < 0
        or left + side > image.shape[1]
        or top + side > image.shape[0]
        or side < 1
    ):
        return None
    part: Any = image[top : top + side, left : left + side]
    if shrink > 1:
        part = cv2.resize(part, (side // shrink,) * 2, interpolation=cv2.INTER_AREA)
    part = cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)
    scale = side / size
    return part, np.array([[scale, 0.0, left], [0.0, scale, top]])
