"""Draw an observation onto its frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation

_GREEN = (40, 220, 90)
_BLACK = (0, 0, 0)


def draw(frame: Frame, observation: Observation) -> npt.NDArray[np.uint8]:
    """Give a copy of the frame (uint8 RGB) with each detection boxed and labelled."""
    image = frame.image.copy()
    size = max(image.shape[:2])
    line = max(1, round(size / 300))
    scale = max(0.4, size / 900)
    for found in observation.detections:
        box = found.box
        left, top = round(box.x), round(box.y)
        right, bottom = round(box.x + box.width), round(box.y + box.height)
        cv2.rectangle(image, (left, top), (right, bottom), _GREEN, line)
        text = f"{found.label} {100 * found.score:.0f}%"
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
        # Above the box where there is room, else below it; never out to the right.
        y = top - 4 if top > height + 6 else bottom + height + 4
        x = max(0, min(left, image.shape[1] - width))
        cv2.rectangle(image, (x, y - height - 2), (x + width, y + 3), _BLACK, cv2.FILLED)
        cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, _GREEN, line, cv2.LINE_AA)
    return image
