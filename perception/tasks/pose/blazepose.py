"""BlazePose: finds a person, turns it upright, and looks at it in detail.

The models are Google's packaged TFLite files (float32, asset "blazepose"); the steps
and constants between them are those of MediaPipe's pose graph 0.10.21 for single
pictures. Slower than MoveNet and more exact; see Bazarevsky et al. 2020.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import InputSpec
from reflexarc.perception.fit import fit, placement
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.blaze import REAL, Image, Network, Values, cut
from reflexarc.perception.tasks.pose import blaze_detector
from reflexarc.perception.tasks.pose.blaze_detector import Person

SIZE = 256
MIN_PRESENCE = 0.5
_REMEDY = "run `reflexarc assets fetch blazepose`; give the detector first"

# Which of the 33 landmarks the 17 COCO keypoints are.
_COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
_LANDMARKS = 39  # 33 of the body, and helpers
# Two of the helpers are what the detector finds too, for the next frame.
_HIPS_AND_CIRCLE = [33, 34]
_WINDOW = 7
"""Cells of the heatmap, in each direction, that a landmark is refined by."""

_DETECTOR_INPUT = InputSpec(
    width=blaze_detector.SIZE,
    height=blaze_detector.SIZE,
    color="rgb",
    mean=127.5,
    std=127.5,
    fit="pad",
)


class BlazePose:
    """Finds the surest person of a picture. Safe to share between threads."""

    def __init__(
        self, detector_path: Path, landmark_path: Path, threads: int = 1, *, track: bool = False
    ) -> None:
        """Load ``pose_detection.tflite`` and ``pose_landmark_full.tflite`` (or _lite, _heavy).

        With `track`, for the frames of one camera in their order, the detector runs only
        where nobody was seen in the frame before.

        Raises:
            ModelFileError: a file is not there or is not that model.
        """
        self._detector = Network(
            detector_path,
            blaze_detector.SIZE,
            {"boxes": (2254, 12), "scores": (2254, 1)},
            threads,
            kind="BlazePose",
            remedy=_REMEDY,
        )
        self._landmarker = Network(
            landmark_path,
            SIZE,
            {"landmarks": (5 * _LANDMARKS,), "presence": (1,), "heatmap": (64, 64, _LANDMARKS)},
            threads,
            kind="BlazePose",
            remedy=_REMEDY,
        )
        self._anchors = blaze_detector.anchors()
        self._track = track
        self._person: Person | None = None

    def pose(self, image: Image) -> Pose | None:
        """Look at one picture.

        Args:
            image: uint8, (height, width, 3), RGB, any size.

        Returns:
            The surest person in pixels of `image`; a keypoint's score is the
            probability that it is in the picture times that of being visible. None:
            nobody.
        """
        if self._person is not None:
            pose = self._look(image, self._person)
            if pose is not None:
                return pose
        person = self._find(image)
        return None if person is None else self._look(image, person)

    def _find(self, image: Image) -> Person | None:
        values = self._detector.run(REAL[fit(image, _DETECTOR_INPUT)])
        where = placement(image.shape[0], image.shape[1], _DETECTOR_INPUT)
        return blaze_detector.best_person(
            values["boxes"], values["scores"][:, 0], self._anchors, where
        )

    def _look(self, image: Image, person: Person) -> Pose | None:
        upright, back = crop(image, person)
        values = self._landmarker.run(upright / np.float32(255))
        self._person = None
        if values["presence"][0] < MIN_PRESENCE:
            return None
        landmarks = values["landmarks"].reshape(_LANDMARKS, 5)
        if self._track:
            hips, around = landmarks[_HIPS_AND_CIRCLE, :2] @ back[:, :2].T + back[:, 2]
            self._person = blaze_detector.person_at(hips, around, float(values["presence"][0]))
        rows = landmarks[_COCO]
        places = SIZE * _refine(rows[:, :2] / np.float32(SIZE), values["heatmap"][..., _COCO])
        visible, present = 1 / (1 + np.exp(-rows[:, 3:].clip(-30, 30).T))
        points = places @ back[:, :2].T + back[:, 2]
        return Pose(points.astype(np.float32), (visible * present).astype(np.float32))


def crop(image: Image, person: Person) -> tuple[Image, npt.NDArray[np.float64]]:
    """Cut a person out, upright.

    Returns:
        uint8 (256, 256, 3), its edges drawn out beyond the picture; and the affine map (2, 3) from
        its pixels back to those of `image`.
    """
    return cut(image, person.x, person.y, person.side, person.angle, SIZE)


def _refine(points: Values, heatmap: Values) -> Values:
    """Move each point (x, y in 0..1) to the centre of mass of its heatmap around it.

    Where no cell of the window is likelier than one half, the point stays
    (MediaPipe's ``RefineLandmarksFromHeatmapCalculator``).
    """
    rows, columns = heatmap.shape[:2]
    moved = points.copy()
    reach = _WINDOW // 2
    for i, (x, y) in enumerate(points):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        top, left = max(0, row - reach), max(0, column - reach)
        window = heatmap[top : row + reach + 1, left : column + reach + 1, i]
        likely = 1 / (1 + np.exp(-window.clip(-30, 30)))
        if likely.max() < 0.5:
            continue
        down, across = np.indices(likely.shape)
        weights = likely / likely.sum()
        moved[i] = (
            ((left + across) * weights).sum() / columns,
            ((top + down) * weights).sum() / rows,
        )
    return moved
