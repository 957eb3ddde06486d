"""What a camera gives: pixels, and when they were taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Attributes:
        image: uint8, shape (height, width, 3), RGB, origin top-left.
        stamp_ns: capture time on the monotonic clock (``time.monotonic_ns``).
        seq: position in its source, from 0; a gap means dropped frames.
        source: what the user named: a file, a folder, a camera.
    """

    image: npt.NDArray[np.uint8]
    stamp_ns: int
    seq: int
    source: str
