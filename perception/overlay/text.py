"""Text on pictures, in any script.

OpenCV 5 brings TrueType glyphs for Latin, Greek, Cyrillic and Chinese in its own library;
nothing has to be packaged for them. OpenCV 4 has ASCII strokes only: there other
characters are written by their code ("\\u53e3"), so that two labels stay two.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

_FACE = cv2.FontFace("sans") if hasattr(cv2, "FontFace") else None
# A face keeps its rendered glyphs in memory that threads would share.
_LOCK = threading.Lock()
_HERSHEY_PX = 22.0  # height of a capital and its descent at scale 1


def measure(text: str, size: int) -> tuple[int, int]:
    """Width in pixels of a text whose letters are `size` pixels high, and its line's height."""
    if _FACE is None:
        (width, _), _ = cv2.getTextSize(
            ascii_only(text), cv2.FONT_HERSHEY_SIMPLEX, size / _HERSHEY_PX, _thickness(size)
        )
        return width, round(1.25 * size)
    with _LOCK:
        _, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _FACE, size)
    return width, round(1.25 * size)


def put(image: Image, text: str, x: int, y: int, size: int, color: Color) -> None:
    """Write into `image` (uint8 RGB); the line's left top is at x, y."""
    baseline = y + size
    if _FACE is None:
        cv2.putText(
            image,
            ascii_only(text),
            (x, baseline),
            cv2.FONT_HERSHEY_SIMPLEX,
            size / _HERSHEY_PX,
            color,
            _thickness(size),
            cv2.LINE_AA,
        )
        return
    with _LOCK:
        cv2.putText(image, text, (x, baseline), color, _FACE, size)


def ascii_only(text: str) -> str:
    """The text with every other character as its code: each label stays itself, and no "?"."""
    return text.encode("ascii", "backslashreplace").decode()


def _thickness(size: int) -> int:
    return max(1, size // 14)
