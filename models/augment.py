"""Random changes that leave a picture's class as it is. Deterministic per generator."""

from __future__ import annotations

import math

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
    border: int = cv2.BORDER_CONSTANT,
) -> Images:
    """Rotate, scale, shear and shift each picture by its own random amount.

    Args:
        images: uint8 (n, h, w, c).
        rng: source of all randomness.
        rotate_deg, shear, shift_px: largest amount to either side.
        scale: sizes are drawn from 1 - scale to 1 + scale.
        border: what comes in from outside, one of OpenCV's names; 0 by default.

    Returns:
        uint8, the same shape.
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
        out[i] = cv2.warpAffine(images[i], matrices[i], (width, height), borderMode=border).reshape(
            images.shape[1:]
        )
    return out


def flip(images: Images, rng: np.random.Generator) -> Images:
    """Mirror every other picture, left to right, by chance."""
    out = images.copy()
    chosen = rng.random(len(images)) < 0.5
    out[chosen] = out[chosen, :, ::-1]
    return out


def crop(
    images: Images, rng: np.random.Generator, *, smallest_area: float, aspect: float
) -> Images:
    """Cut a random rectangle out of each picture and stretch it to the whole.

    "RandomResizedCrop" of Szegedy et al. 2014, section 6.

    Args:
        images: uint8 (n, h, w, c).
        rng: source of all randomness.
        smallest_area: areas are drawn from this share to the whole.
        aspect: the rectangle's shape is off the picture's by at most this factor.
    """
    height, width = images.shape[1:3]
    out = np.empty_like(images)
    for i, image in enumerate(images):
        area = rng.uniform(smallest_area, 1)
        stretch = math.exp(rng.uniform(-1, 1) * math.log(aspect) / 2)
        w = max(1, round(width * min(1.0, math.sqrt(area) * stretch)))
        h = max(1, round(height * min(1.0, math.sqrt(area) / stretch)))
        x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        part = image[y : y + h, x : x + w]
        out[i] = cv2.resize(part, (width, height)).reshape(image.shape)
    return out


def colour(
    images: Images,
    rng: np.random.Generator,
    *,
    brightness: float,
    contrast: float,
    saturation: float,
    cast: float,
) -> Images:
    """Another exposure and another lamp.

    Args:
        images: uint8 RGB (n, h, w, 3).
        rng: source of all randomness.
        brightness: largest shift to either side, share of white.
        contrast, saturation: factors are drawn from 1 - x to 1 + x.
        cast: largest change of one channel's gain to either side.
    """
    out = np.empty_like(images)
    grey = np.array([0.299, 0.587, 0.114])  # luma, ITU-R BT.601
    for i, image in enumerate(images):
        sat = rng.uniform(1 - saturation, 1 + saturation)
        gain = rng.uniform(1 - contrast, 1 + contrast) * rng.uniform(1 - cast, 1 + cast, 3)
        # One 3x4 matrix: saturation about the luma, then gain about mid-grey, then the shift.
        mix = sat * np.eye(3) + (1 - sat) * grey
        offset = 127.5 * (1 - gain) + 255 * rng.uniform(-brightness, brightness)
        matrix = np.concatenate([gain[:, None] * mix, offset[:, None]], axis=1)
        out[i] = cv2.transform(image, matrix)
    return out


def degrade(
    images: Images,
    rng: np.random.Generator,
    *,
    share: float,
    smallest_px: int,
    blur_px: float,
    quality: int,
) -> Images:
    """A smaller, softer or more compressed photo of the same scene.

    Args:
        images: uint8 RGB (n, h, w, 3).
        rng: source of all randomness.
        share: of the pictures that each of the three is applied to.
        smallest_px: sides to scale down to (and up again) are drawn from here to
            the whole, evenly by ratio.
        blur_px: largest standard deviation of a Gaussian blur.
        quality: lowest JPEG quality.
    """
    out = images.copy()
    height, width = images.shape[1:3]
    for i in range(len(images)):
        scaled, blurred, packed = rng.random(3) < share
        if scaled:
            smallest = min(1.0, smallest_px / max(height, width))
            ratio = math.exp(rng.uniform(math.log(smallest), 0))
            size = max(1, round(width * ratio)), max(1, round(height * ratio))
            how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
            small = cv2.resize(out[i], size, interpolation=cv2.INTER_AREA)
            out[i] = cv2.resize(small, (width, height), interpolation=how)
        if blurred:
            out[i] = cv2.GaussianBlur(out[i], (0, 0), rng.uniform(0.3, blur_px))
        if packed:
            level = int(rng.integers(quality, 96))
            _, jpeg = cv2.imencode(".jpg", out[i], [cv2.IMWRITE_JPEG_QUALITY, level])
            out[i] = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_UNCHANGED))
    return out
