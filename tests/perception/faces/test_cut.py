"""Squares cut out of a picture: straight ones on the short way give what turned ones give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reflexarc.perception.tasks.blaze import cut


@pytest.mark.parametrize("side", [40.3, 128.0, 200.7, 300.2, 431.9])
@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.4])
def test_a_point_is_where_the_way_back_says(side: float, angle: float) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(image, (330, 250), max(2, round(side / 40)), (255, 255, 255), cv2.FILLED)
    pixels, back = cut(image, 320.4, 239.7, side, angle, 128)
    assert pixels.shape == (128, 128, 3)
    y, x = (np.argwhere(pixels[..., 0] > 100) + 0.5).mean(axis=0)
    np.testing.assert_allclose(back[:, :2] @ (x, y) + back[:, 2], (330.5, 250.5), atol=side / 80)


@pytest.mark.parametrize("side", [60.0, 180.0, 300.0])
def test_the_short_way_shows_the_same(side: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 6).astype(np.uint8)
    straight, _ = cut(image, 320, 240, side, 0.0, 128)
    turned, _ = cut(image, 320, 240, side, 1e-9, 128)
    assert np.abs(straight.astype(int) - turned).mean() < 2


def test_beyond_the_picture_it_is_black() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    pixels, _ = cut(image, 0, 50, 100, 0.0, 64, border=cv2.BORDER_CONSTANT)
    assert pixels[:, :30].max() == 0
    assert pixels[4:60, 36:].min() == 200


@pytest.mark.parametrize(("x", "y", "side"), [(-900, 50, 80), (50, 50, 0.2), (50, 50, 9000)])
def test_far_outside_tiny_and_huge_squares(x: float, y: float, side: float) -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    for angle in (0.0, 0.7):
        assert cut(image, x, y, side, angle, 64)[0].shape == (64, 64, 3)
