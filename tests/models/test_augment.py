"""Random changes keep shape, type and class, and repeat under a seed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.models import augment, mask, transfer

Images = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def photos() -> Images:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (8, 9, 9, 3), np.uint8)
    return np.stack([cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC) for image in small])


def detail(images: Images) -> float:
    return float(np.mean([cv2.Laplacian(image, cv2.CV_64F).var() for image in images]))


@pytest.mark.parametrize("vary", [transfer.vary, mask.vary], ids=["transfer", "mask"])
def test_the_families_changes_repeat_and_leave_the_originals_alone(
    photos: Images, vary: Callable[[Images, np.random.Generator], Images]
) -> None:
    before = photos.copy()
    once, again = (vary(photos, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(once, again)
    assert np.array_equal(photos, before)
    assert once.shape == photos.shape and once.dtype == np.uint8
    assert all(not np.array_equal(a, b) for a, b in zip(once, photos, strict=True))


def test_a_flip_mirrors_some_and_not_others(photos: Images) -> None:
    out = augment.flip(photos, np.random.default_rng(0))
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(out, photos, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(out, photos, strict=True)]
    assert any(mirrored) and any(same)
    assert all(a != b for a, b in zip(mirrored, same, strict=True))


def test_a_crop_shows_less_at_a_larger_scale() -> None:
    # Vertical stripes, 8 px wide: a narrower part of them comes out wider.
    stripes = np.zeros((1, 64, 64, 3), np.uint8)
    stripes[:, :, (np.arange(64) // 8) % 2 == 1] = 255
    out = augment.crop(stripes, np.random.default_rng(1), smallest_area=0.1, aspect=1.0)
    edges = np.abs(np.diff(out[0, 0, :, 0].astype(int))).sum() / 255
    assert edges < 7


def test_another_lamp_keeps_grey_grey_and_black_dark(photos: Images) -> None:
    grey = photos.copy()
    grey[...] = grey[..., :1]
    out = augment.colour(
        grey, np.random.default_rng(0), brightness=0.1, contrast=0.2, saturation=0.5, cast=0.0
    )
    assert np.ptp(out.astype(int), axis=-1).max() <= 1
    assert not np.array_equal(out, grey)
    cast = augment.colour(
        grey, np.random.default_rng(0), brightness=0, contrast=0, saturation=0, cast=0.2
    )
    assert np.ptp(cast.astype(int), axis=-1).max() > 5


@pytest.mark.parametrize("part", ["smallest_px", "blur_px"])
def test_a_degraded_photo_has_less_detail(part: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (8, 64, 64, 3), np.uint8)
    options = {"share": 1.0, "smallest_px": 64, "blur_px": 0.31, "quality": 95}
    options[part] = {"smallest_px": 8, "blur_px": 4.0}[part]
    out = augment.degrade(noise, np.random.default_rng(0), **options)  # type: ignore[arg-type]
    assert detail(out) < 0.6 * detail(noise)


def test_affine_may_repeat_the_border_instead_of_black(photos: Images) -> None:
    light = np.full_like(photos, 200)
    options = {"rotate_deg": 20, "scale": 0.3, "shear": 0.1, "shift_px": 8}
    black = augment.affine(light, np.random.default_rng(0), **options)  # type: ignore[arg-type]
    full = augment.affine(
        light,
        np.random.default_rng(0),
        **options,
        border=cv2.BORDER_REPLICATE,  # type: ignore[arg-type]
    )
    assert black.min() == 0 and full.min() == 200
