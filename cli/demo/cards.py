"""The demo's camera: a wall, and now and then somebody holds up a digit card."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from reflexarc.perception.frame import Frame

WIDTH, HEIGHT, FPS = 640, 480, 20
Picture = npt.NDArray[np.uint8]


def wall(rng: np.random.Generator) -> Picture:
    """A wall with light from one side, a skirting board and sensor noise, RGB."""
    across = np.linspace(150, 95, WIDTH, dtype=np.float32)[None, :, None]
    image = np.repeat(across, HEIGHT, axis=0) * np.array([1.0, 0.97, 0.9], np.float32)
    image[int(HEIGHT * 0.86) :] *= 0.6
    image += rng.normal(0, 3, (HEIGHT, WIDTH, 1)).astype(np.float32)
    picture: Picture = np.clip(image, 0, 255).astype(np.uint8)
    return picture


def hold_up(background: Picture, digit: Picture, rng: np.random.Generator) -> Picture:
    """Paste a 28x28 digit as a card at a random place and in a random size."""
    side = int(rng.integers(90, 220))
    card = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC)
    x = int(rng.integers(10, WIDTH - side - 10))
    y = int(rng.integers(10, HEIGHT - side - 10))
    picture = background.copy()
    picture[y : y + side, x : x + side] = card[..., None]
    return picture


class CardCamera:
    """Frames at 20 Hz, stamped when they are taken; `show` changes what is seen.

    The thread that reads the frames and the one that calls `show` may differ.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._wall = wall(self._rng)
        self._scene = self._wall
        self._ended = threading.Event()

    def show(self, digit: Picture | None) -> Picture:
        """Hold up a card (uint8 (28, 28)), or take it away; give the scene, RGB."""
        self._scene = self._wall if digit is None else hold_up(self._wall, digit, self._rng)
        return self._scene

    def close(self) -> None:
        """No more frames."""
        self._ended.set()

    def __iter__(self) -> Iterator[Frame]:
        """Frames until `close`."""
        start, number = time.monotonic(), 0
        while not self._ended.wait(max(0.0, start + number / FPS - time.monotonic())):
            yield Frame(self._scene, time.monotonic_ns(), number, "demo cards")
            number += 1
