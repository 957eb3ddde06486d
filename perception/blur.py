"""Faces made unrecognisable in every picture that leaves the program."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Box
from reflexarc.perception.tasks.base import Task

Image = npt.NDArray[np.uint8]

CELLS = 6
"""Squares across a blurred place: a person knows nobody in so few. A net that has learned
pixelated faces of a few known people may still guess (McPherson et al. 2016, "Defeating
Image Obfuscation with Deep Learning")."""
MARGIN = 0.35
"""Share of a face's size added on each side: hair, ears, chin, and a late box."""
HOLD = 15
"""Frames that a place stays blurred after the detector has lost its face."""
_GROWTH = 0.02  # of a held box in each frame, on each side: the face may move
_SAME = 0.2  # intersection over the smaller box


@dataclass
class _Place:
    box: Box
    missed: int = 0


class FaceBlur:
    """Pixelates the faces of a source's frames. Safe to share between threads.

    A place stays blurred for `hold` frames after its face was last found, growing a
    little with each. A frame in which the detector fails is pixelated as a whole: what
    could not be looked at is not let out. A face that the detector never finds is not
    blurred.

    Attributes:
        failures: frames in which the detector failed.
    """

    def __init__(self, faces: Task, *, hold: int = HOLD, margin: float = MARGIN) -> None:
        """Take the task that finds faces; for this use alone, since tasks remember."""
        self._faces = faces
        self._hold = hold
        self._margin = margin
        self._places: list[_Place] = []
        self._lock = threading.Lock()
        self.failures = 0

    def blur(self, frame: Frame) -> Frame:
        """The frame with a picture of its own, faces pixelated."""
        with self._lock:
            try:
                found = [detection.box for detection in self._faces.process(frame).detections]
            # Whatever it is: no picture leaves unlooked at.
            except Exception:
                self.failures += 1
                height, width = frame.image.shape[:2]
                whole = Box(0.0, 0.0, float(width), float(height))
                return replace(frame, image=pixelate(frame.image, [whole]))
            self._follow(found)
            boxes = [grown(place.box, self._margin) for place in self._places]
        return replace(frame, image=pixelate(frame.image, boxes))

    def _follow(self, found: list[Box]) -> None:
        kept = []
        for place in self._places:
            if any(_shared(place.box, box) > _SAME for box in found):
                continue
            place.missed += 1
            if place.missed <= self._hold:
                place.box = grown(place.box, _GROWTH)
                kept.append(place)
        self._places = [_Place(box) for box in found] + kept


def grown(box: Box, share: float) -> Box:
    """The box with `share` of its size added on each side."""
    x, y = share * box.width, share * box.height
    return Box(box.x - x, box.y - y, box.width + 2 * x, box.height + 2 * y)


def pixelate(image: Image, boxes: list[Box], cells: int = CELLS) -> Image:
    """A copy of a picture (uint8 RGB) in which each box is at most `cells` squares wide.

    Every square is the mean of what was there, so nothing finer can be got back. Boxes may
    reach outside.
    """
    out = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        left, top = max(0, int(box.x)), max(0, int(box.y))
        right = min(width, int(np.ceil(box.x + box.width)))
        bottom = min(height, int(np.ceil(box.y + box.height)))
        if right <= left or bottom <= top:
            continue
        # Taken from `out`: boxes that overlap must not bring back what another hid.
        part = out[top:bottom, left:right]
        tall, wide = part.shape[:2]
        side = max(1.0, min(tall, wide) / cells)
        coarse = (max(1, round(wide / side)), max(1, round(tall / side)))
        means = cv2.resize(part, coarse, interpolation=cv2.INTER_AREA)
        out[top:bottom, left:right] = cv2.resize(
            means, (wide, tall), interpolation=cv2.INTER_NEAREST
        )
    return out


def _shared(a: Box, b: Box) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    smaller = max(1e-9, min(a.width * a.height, b.width * b.height))
    return max(0.0, width) * max(0.0, height) / smaller
