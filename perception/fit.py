"""Bring a picture to a model's input size: one implementation for training and device."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import InputSpec

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture comes to lie in the model's input, in pixels.

    A point moves by ``x * scale_x + left``, ``y * scale_y + top``.
    """

    scale_x: float
    scale_y: float
    left: float
    top: float


def placement(height: int, width: int, spec: InputSpec) -> Placement:
    """How a picture of this size is laid into the input of `spec`."""
    across, down = spec.width / width, spec.height / height
    if spec.fit == "stretch":
        return Placement(across, down, 0.0, 0.0)
    inner_width, inner_height = _inner(height, width, spec)
    return Placement(
        inner_width / width,
        inner_height / height,
        (spec.width - inner_width) // 2,
        (spec.height - inner_height) // 2,
    )


def fit(image: Image, spec: InputSpec) -> Image:
    """Scale a picture to the input's size, and bring it to the input's colours.

    "stretch" fills the input whatever the shape (as MediaPipe's classifier
    does); "pad" keeps the shape and adds black on both sides.

    Args:
        image: uint8, RGB (h, w, 3) or gray (h, w).
        spec: the model's input.

    Returns:
        uint8, (spec.height, spec.width, 3) for RGB inputs, (height, width) for gray.
    """
    if spec.color == "gray" and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    elif spec.color == "rgb" and image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    height, width = image.shape[:2]
    if (height, width) == (spec.height, spec.width):
        return image
    if spec.fit == "stretch":
        return _resize(image, spec.width, spec.height)
    inner_width, inner_height = _inner(height, width, spec)
    where = placement(height, width, spec)
    left, top = int(where.left), int(where.top)
    out = np.zeros((spec.height, spec.width, *image.shape[2:]), np.uint8)
    out[top : top + inner_height, left : left + inner_width] = _resize(
        image, inner_width, inner_height
    )
    return out


def _inner(height: int, width: int, spec: InputSpec) -> tuple[int, int]:
    scale = min(spec.width / width, spec.height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resize(image: Image, width: int, height: int) -> Image:
    """Area averaging by whole numbers, then bilinear sampling for what is left.

    Thin structures would alias away without the first step. OpenCV averages by whole
    numbers many times faster than by fractions.
    """
    across, down = max(1, image.shape[1] // width), max(1, image.shape[0] // height)
    if across > 1 or down > 1:
        # What is left over at the right and below is less than one cell of the average.
        cells = image.shape[1] // across, image.shape[0] // down
        whole = image[: cells[1] * down, : cells[0] * across]
        image = cv2.resize(whole, cells, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(image, (width, height)).astype(np.uint8, copy=False)
