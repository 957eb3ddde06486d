"""What somebody wears, as far as a camera tells: colours above and below the waist."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.people.ssd import Values

BINS = 4
"""Steps of each colour channel."""
# Of a box, the part that is person rather than ground (across), and body rather than head
# or feet; the waist is in the middle (down).
_ACROSS, _UPPER, _LOWER = (0.3, 0.7), (0.15, 0.5), (0.5, 0.85)


def clothes(image: npt.NDArray[np.uint8], box: npt.NDArray[np.floating]) -> Values:
    """Histograms of the colours of upper and lower body: float32 (2, BINS ** 3), each sums to 1.

    Args:
        image: uint8 (h, w, 3), RGB.
        box: left, top, right, bottom in its pixels.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    left, right = (int(box[0] + share * width) for share in _ACROSS)
    rows = []
    for share_from, share_to in (_UPPER, _LOWER):
        top, bottom = int(box[1] + share_from * height), int(box[1] + share_to * height)
        part = image[max(0, top) : max(1, bottom + 1), max(0, left) : max(1, right + 1)]
        if not part.size:
            rows.append(np.full(BINS**3, 1 / BINS**3, np.float32))
            continue
        counts = cv2.calcHist([part], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).ravel()
        rows.append(counts / counts.sum())
    return np.stack(rows).astype(np.float32)


def alike(some: Values, others: Values) -> float:
    """How alike two people's clothes are, 0..1: the Bhattacharyya coefficient, mean of both
    parts of the body."""
    return float(np.sqrt(some * others).sum(axis=1).mean())
