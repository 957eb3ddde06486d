"""YuNet, by OpenCV: for who has its file (``face_detection_yunet_*.onnx``, MIT).

Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector".
"""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.opened import note_opened
from reflexarc.perception.tasks.blaze import Image, cut
from reflexarc.perception.tasks.faces.face import Face, Square

NEAR_PX, WIDE_PX = 160, 320
"""Longest side of what the net gets: of a square around a face, of a whole picture."""
_MAX_IOU = 0.3
_MOST = 100


class YuNet:
    """Finds faces with OpenCV's FaceDetectorYN. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Load a file, and try it.

        Raises:
            ModelFileError: no file, or not YuNet's.
        """
        failure = None if path.is_file() else "no file"
        if failure is None:
            try:
                self._net = cv2.FaceDetectorYN.create(
                    str(path), "", (WIDE_PX, WIDE_PX), 0.5, _MAX_IOU, _MOST
                )
                self._net.detect(np.zeros((WIDE_PX, WIDE_PX, 3), np.uint8))
            except (cv2.error, SystemError) as error:
                failure = str(error).strip().splitlines()[0]
        if failure is not None:
            raise ModelFileError(
                expected="a YuNet file (face_detection_yunet_2023mar.onnx, of OpenCV's model zoo)",
                found=f"{path}: {failure}",
                remedy="copy the file again, or leave model out for the packaged BlazeFace",
            )
        note_opened(path, "opencv")
        self._lock = threading.Lock()

    def look(self, image: Image, square: Square | None, min_score: float) -> list[Face]:
        """See `Detector.look`."""
        back: npt.NDArray[np.float64]
        if square is None:
            height, width = image.shape[:2]
            scale = min(1.0, WIDE_PX / max(height, width))
            to = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = cv2.resize(image, to, interpolation=cv2.INTER_AREA)
            back = np.array([[width / to[0], 0, 0], [0, height / to[1], 0]])
        else:
            pixels, back = cut(
                image,
                square.x,
                square.y,
                square.side,
                square.angle,
                NEAR_PX,
                border=cv2.BORDER_CONSTANT,
            )
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        with self._lock:
            self._net.setInputSize(pixels.shape[1::-1])
            self._net.setScoreThreshold(min_score)
            _, rows = self._net.detect(pixels)
        found = [] if rows is None else [_face(row, back) for row in rows]
        return sorted(found, key=lambda face: -face.score)


def _face(row: npt.NDArray[np.float32], back: npt.NDArray[np.float64]) -> Face:
    """From x, y, width, height, five points and the score, in pixels of the input."""
    size = row[2:4]
    right_eye, left_eye, nose, right_lip, left_lip = row[4:14].reshape(5, 2)
    across = np.array([size[0] / 2, 0])
    eyes = (right_eye + left_eye) / 2
    # YuNet does not know ears: they get a place beside the eyes, and no score.
    points = [right_eye, left_eye, nose, (right_lip + left_lip) / 2, eyes - across, eyes + across]
    places = np.array([row[:2] + size / 2, *points]) @ back[:, :2].T + back[:, 2]
    half = size * np.hypot(back[:, 0], back[:, 1]) / 2
    (left, top), (right, bottom) = places[0] - half, places[0] + half
    return Face(
        float(left),
        float(top),
        float(right),
        float(bottom),
        places[1:].astype(np.float32),
        float(row[14]),
        has_ears=False,
    )
