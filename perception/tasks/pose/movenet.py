"""MoveNet: the body nearest the middle of the picture, in one pass.

The net is `reflexarc.models.movenet`; what the published graph does after its last
convolution is done here with numpy, on the net's four maps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.fit import fit, placement
from reflexarc.perception.keypoints import KEYPOINT, Pose, sureness
from reflexarc.perception.runtime import Output
from reflexarc.perception.tasks.base import TaskError

Map = npt.NDArray[np.float32]
Maps = Map | Output
Read = TypeVar("Read")
Image = npt.NDArray[np.uint8]

TASK = "pose"
OUTPUTS = ("center", "heatmap", "regression", "offset")
CELL_PX = 4
"""Side of one cell of the maps in pixels of the input."""

# Scores count less the farther they are from where they are expected: divided by the
# distance in cells plus this (the constant of the published graph).
_NEARNESS = 1.8

# Of the centres of several bodies: how near they may be, in cells, and how sure at least
# (the sigmoid of it is 0.1).
_PEAK_REACH, _PEAK_LOGIT = 3, -2.2

# How far the crop reaches beyond the torso and beyond the whole body, from the
# published tracking (TensorFlow Hub, "MoveNet: Ultra fast and accurate pose detection").
_TORSO_REACH, _BODY_REACH = 1.9, 1.2
_TORSO = [KEYPOINT[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]


class PoseModel(Protocol):
    """What is needed of a model: `reflexarc.perception.Model` has it."""

    @property
    def card(self) -> Card:
        """Names the four outputs, and the thresholds "keypoint" and "body"."""
        ...

    def read(
        self, sample: npt.NDArray[np.uint8], reader: Callable[[Sequence[Maps]], Read], /
    ) -> Read:
        """What `reader` makes of the four maps, (1, 48, 48, channels), in the card's order."""
        ...


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the frame: left, top and side in pixels; it may reach outside."""

    x: float
    y: float
    side: float


def decode(
    outputs: Sequence[Maps], center_cell: tuple[int, int] | None = None
) -> npt.NDArray[np.float32]:
    """Keypoints from the net's maps.

    The body's centre is the best cell of the centre map, cells in the middle of the
    picture preferred, unless `center_cell` (row, column) names another. From there the
    regression says about where each keypoint is; the keypoint is the best cell of its
    heatmap, cells near that place preferred, and the offset map says where in the cell.

    Args:
        outputs: "center" and "heatmap" (logits), "regression" and "offset" (in
            cells, y before x): float32, (1, rows, columns, channels).

    Returns:
        float32, (17, 3): x and y in pixels of the net's input, score 0..1.
    """
    # Of the two large maps a few cells are needed.
    (center, heatmap), (regression, offset) = (values[0] for values in outputs[:2]), outputs[2:]
    rows, columns = center.shape[:2]
    y, x = np.ogrid[:rows, :columns]
    y, x = y[..., None].astype(np.float32), x[..., None].astype(np.float32)
    if center_cell is None:
        # The published graph's middle is the first cell right of and below the middle.
        middle = np.sqrt((y - rows // 2) ** 2 + (x - columns // 2) ** 2)
        cell = np.unravel_index((_sigmoid(center) / (middle + _NEARNESS)).argmax(), center.shape)
        center_cell = int(cell[0]), int(cell[1])
    row, column = center_cell
    expected = regression[0, row, column].reshape(-1, 2) + np.array([row, column], np.float32)

    scores = _sigmoid(heatmap)
    distance = np.sqrt((y - expected[:, 0]) ** 2 + (x - expected[:, 1]) ** 2)
    distance += _NEARNESS
    best = np.divide(scores, distance, out=distance).reshape(-1, scores.shape[2]).argmax(axis=0)
    found_row, found_column = np.divmod(best, columns)
    keypoint = np.arange(scores.shape[2])
    # (cells, keypoint, y or x)
    within = offset[0, found_row, found_column].reshape(len(keypoint), len(keypoint), 2)
    within = within[keypoint, keypoint]
    return np.stack(
        [
            (found_column + within[:, 1]) * CELL_PX,
            (found_row + within[:, 0]) * CELL_PX,
            scores[found_row, found_column, keypoint],
        ],
        axis=1,
    ).astype(np.float32)


def peaks(center: Maps, count: int) -> list[tuple[int, int]]:
    """Where bodies may be: the best cells (row, column) of the centre map, best first.

    A peak is the best cell of the cells within _PEAK_REACH of it. More peaks than bodies
    are usual: `is_body` decides.

    Args:
        center: (1, rows, columns, 1), logits.
        count: at most so many.
    """
    values = np.ascontiguousarray(center[0, ..., 0])
    best_near = cv2.dilate(values, np.ones((2 * _PEAK_REACH + 1,) * 2, np.uint8))
    rows, columns = np.nonzero((values == best_near) & (values > _PEAK_LOGIT))
    order = values[rows, columns].argsort()[::-1][:count]
    return [(int(rows[i]), int(columns[i])) for i in order]


def is_body(found: npt.NDArray[np.float32], body: float) -> bool:
    """Whether decoded keypoints (17, 3) are somebody's: the mean of the best five scores."""
    return sureness(found[:, 2]) >= body


class MoveNet:
    """Finds one body in a picture; follows it from frame to frame if asked to."""

    def __init__(self, model: PoseModel, *, track: bool = False) -> None:
        """Take a model whose card says it is MoveNet.

        Args:
            model: gives the four maps.
            track: look only around the body of the previous picture. For the frames
                of one camera, in their order: small bodies are seen in more detail.

        Raises:
            TaskError: the card names another task, other outputs or lacks a threshold.
        """
        card = model.card
        if (
            card.task != TASK
            or set(card.outputs) != set(OUTPUTS)
            or not isinstance(card.input, InputSpec)
            or not {"keypoint", "body"} <= set(card.thresholds)
        ):
            raise TaskError(
                expected=f'a model for the task "{TASK}" with the outputs {", ".join(OUTPUTS)} '
                'and the thresholds "keypoint" and "body"',
                found=f'{card.name!r} for "{card.task}" with {", ".join(card.outputs)} '
                f"and {sorted(card.thresholds)}",
                remedy="load a MoveNet file that `reflexarc export` made",
            )
        self._model = model
        self._input = card.input
        self._order = [card.outputs.index(name) for name in OUTPUTS]
        self._keypoint, self._body = card.thresholds["keypoint"], card.thresholds["body"]
        self._track = track
        self._region: Region | None = None

    def pose(self, image: Image) -> Pose | None:
        """Look at one picture.

        Args:
            image: uint8, (height, width, 3), RGB, any size.

        Returns:
            The body nearest the middle, in pixels of `image`; None where the mean of
            the five best scores is below the card's threshold "body": nobody is there.
        """
        pose = self.look(image, self._region)
        self._region = self.next_region(pose, image) if pose and self._track else None
        return pose

    def look(self, image: Image, region: Region | None = None) -> Pose | None:
        """`pose`, in a part of the picture, and without a memory."""
        found, place = self._read(image, region, decode)
        return self._pose(found, place)

    def search(self, image: Image, count: int) -> list[Pose]:
        """Up to `count` bodies in the whole picture, without a memory.

        What `look` says of a region around each is more exact, as the net is made for
        one body.
        """

        def bodies(outputs: Sequence[Maps]) -> list[npt.NDArray[np.float32]]:
            # Twice as many, since limbs and reflections have peaks too.
            return [decode(outputs, cell) for cell in peaks(outputs[0], 2 * count)]

        each, place = self._read(image, None, bodies)
        found = [self._pose(points, place) for points in each]
        return [pose for pose in found if pose is not None][:count]

    def next_region(self, pose: Pose, image: Image) -> Region | None:
        """Where to look for the same body in the frame after `image`."""
        return region_around(pose, image.shape[0], image.shape[1], self._keypoint)

    def _read(
        self, image: Image, region: Region | None, reader: Callable[[Sequence[Maps]], Read]
    ) -> tuple[Read, npt.NDArray[np.float64]]:
        """What `reader` makes of the maps in the order of OUTPUTS; scale and offset (2, 2) to
        pixels of `image`."""
        part = image if region is None else cut(image, region)
        where = placement(part.shape[0], part.shape[1], self._input)
        made = self._model.read(
            fit(part, self._input), lambda outputs: reader([outputs[i] for i in self._order])
        )
        scale = np.array([where.scale_x, where.scale_y])
        offset = -np.array([where.left, where.top]) / scale
        if region is not None:
            offset += [round(region.x), round(region.y)]
        return made, np.stack([1 / scale, offset])

    def _pose(self, found: npt.NDArray[np.float32], place: npt.NDArray[np.float64]) -> Pose | None:
        if not is_body(found, self._body):
            return None
        points = found[:, :2] * place[0] + place[1]
        return Pose(points.astype(np.float32), found[:, 2])


def region_around(pose: Pose, height: int, width: int, min_score: float) -> Region | None:
    """Where to look for the same body in the next frame (height x width).

    A square around the middle of the hips, large enough for arms and legs that are
    not seen now; None where the torso is not seen, or where it would be no smaller
    than the frame: look at all of it.
    """
    sure = pose.scores >= min_score
    shoulders, hips = sure[_TORSO[:2]], sure[_TORSO[2:]]
    if not (shoulders.any() and hips.any()):
        return None
    middle = pose.points[_TORSO[2:]].mean(axis=0)
    torso = np.abs(pose.points[_TORSO] - middle).max()
    body = np.abs(pose.points[sure] - middle).max()
    # No farther than to the farthest edge of the frame.
    edge = max(middle[0], width - middle[0], middle[1], height - middle[1])
    half = min(max(_TORSO_REACH * torso, _BODY_REACH * body), edge)
    if 2 * half > max(height, width):
        return None
    return Region(float(middle[0] - half), float(middle[1] - half), float(2 * half))


def cut(image: Image, region: Region) -> Image:
    """The pixels of a region, black where it reaches outside the picture."""
    height, width = image.shape[:2]
    left, top, side = round(region.x), round(region.y), max(1, round(region.side))
    right, bottom = left + side, top + side
    inside = image[max(0, top) : max(0, min(height, bottom)), max(0, left) : min(width, right)]
    if not inside.size:
        return np.zeros((side, side, 3), np.uint8)
    edges = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    padded = cv2.copyMakeBorder(inside, *edges, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return padded.astype(np.uint8, copy=False)


def _sigmoid(values: Map) -> Map:
    # Beyond 30 nothing changes in float32, and exp would overflow before long.
    result: Map = np.exp(-values.clip(-30, 30))
    result += 1
    return np.divide(np.float32(1), result, out=result)
