"""Random changes that leave a picture's class as it is. Deterministic per generator."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]


def affine(
    images: Images,
    rng: np.random.Generator,
    *,
    rotate_deg: float,
    scale: float,
    shear: float,
    shift_px: float,
) -> Images:
    """Rotate, scale, shear and shift each picture by its own random amount.

    Args:
        images: uint8 (n, h, w, c).
        rng: source of all randomness.
        rotate_deg, shear, shift_px: largest amount to either side.
        scale: sizes are drawn from 1 - scale to 1 + scale.

    Returns:
        uint8, the same shape; what comes in from outside is 0.
    """
    n, height, width = images.shape[:3]
    angle = np.deg2rad(rng.uniform(-rotate_deg, rotate_deg, n))
    size = rng.uniform(1 - scale, 1 + scale, n)
    slant = rng.uniform(-shear, shear, n)
    shift = rng.uniform(-shift_px, shift_px, (n, 2))
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    # [cos -sin; sin cos] @ [1 slant; 0 1], about the picture's centre
    linear = np.stack(
        [np.stack([cos, cos * slant - sin], -1), np.stack([sin, sin * slant + cos], -1)], 1
    )
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    offset = centre + shift - linear @ centre
    matrices = np.concatenate([linear, offset[..., None]], axis=2)
    out = np.empty_like(images)
    for i in range(n):
        out[i] = cv2.warpAffine(images[i], matrices[i], (width, height)).reshape(images.shape[1:])
    return out
