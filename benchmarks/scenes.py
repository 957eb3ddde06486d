"""Frames to look at, 640x480: photos that packages carry, moved a little from frame to frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.models import assets
from reflexarc.perception import Frame

Image = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FRAMES = 60
PERIOD_NS = 33_333_333

# What is in the picture -> file of the asset people-photos, its share of the frame's height.
PHOTOS = {
    "one face": ("christian.jpg", 0.8),
    "one body": ("studio-2.jpg", 1.0),
    "three people": ("mariya-georgieva.jpg", 0.95),
}


def scene(name: str) -> list[Frame]:
    """So many frames with that in them, drifting by two pixels a frame."""
    rng = np.random.default_rng(0)
    if name == "one card":
        return _frames([_card(rng, step) for step in range(FRAMES)])
    file, share = PHOTOS[name]
    picture = cv2.imread(str(assets.fetch("people-photos") / file))
    assert picture is not None
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    height = round(HEIGHT * share)
    width = round(rgb.shape[1] * height / rgb.shape[0])
    rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    wall = rng.normal(120, 6, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
    images = []
    for step in range(FRAMES):
        image = wall.copy()
        left = (WIDTH - width) // 2 + round(30 * np.sin(2 * np.pi * step / FRAMES))
        top = (HEIGHT - height) // 2
        image[top : top + height, left : left + width] = rgb
        images.append(image)
    return _frames(images)


def _card(rng: np.random.Generator, step: int) -> Image:
    image = rng.normal(120, 6, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)
    left = 250 + round(30 * np.sin(2 * np.pi * step / FRAMES))
    image[180:300, left : left + 120] = 20
    cv2.putText(image, "7", (left + 35, 275), cv2.FONT_HERSHEY_SIMPLEX, 2.6, (240,) * 3, 9)
    return image


def _frames(images: list[Image]) -> list[Frame]:
    return [Frame(image, i * PERIOD_NS, i, "benchmark") for i, image in enumerate(images)]


def going_on(frames: list[Frame], turn: int) -> Frame:
    """The frames over and over, stamps and numbers rising."""
    frame = frames[turn % len(frames)]
    return Frame(frame.image, turn * PERIOD_NS, turn, frame.source)
