"""The crop of a face that the classifier judges: the same for training and device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reflexarc.perception.tasks.blaze import cut
from reflexarc.perception.tasks.faces.face import Face

Image = npt.NDArray[np.uint8]

AROUND = 1.5
"""Side of the crop in sides of the face's box, which ends at the brows: with forehead, ears
and chin."""


def crop(image: Image, face: Face, size: int) -> Image:
    """Cut a face out, upright by its eyes; the picture's edges are drawn out beyond it.

    Args:
        image: uint8 (h, w, 3), RGB.
        face: in it.
        size: side of what comes out, pixels.

    Returns:
        uint8 (size, size, 3).
    """
    square = face.square(AROUND)
    return cut(image, square.x, square.y, square.side, square.angle, size)[0]
