"""Frames and a task for tests of recordings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import cv2
import numpy as np

from reflexarc.perception import Box, Detection, Frame, Observation


class Counts:
    """A task with a memory: each look depends on all that came before."""

    def __init__(self) -> None:
        self.sum = 0.0
        self.looks = 0

    def process(self, frame: Frame) -> Observation:
        self.looks += 1
        self.sum = self.sum * 0.7 + float(frame.image[::7, ::5].mean()) / 3
        box = Box(self.sum, 0.1, 1 / 3, 2.0)
        found = Detection("thing", 1 / (1 + self.sum), box, values={"looks": float(self.looks)})
        return Observation(
            frame.stamp_ns, frame.seq, frame.source, "counts", (found,), {"looks": self.looks}
        )


def picture(seq: int, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """Something for JPEG to change: edges and noise."""
    image = np.random.default_rng(seq).integers(90, 160, (*size, 3), np.uint8)
    cv2.circle(image, (20 + 3 * seq % 100, 60), 25, (220, 30, 30), cv2.FILLED)
    return image


def frame(seq: int) -> Frame:
    return Frame(picture(seq), 5_000_000_000 + seq * 40_000_000, seq, "test")


def frames(count: int) -> list[Frame]:
    return [frame(seq) for seq in range(count)]


def endless() -> Iterator[Frame]:
    return map(frame, itertools.count())
