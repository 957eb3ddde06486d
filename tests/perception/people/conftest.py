"""The packaged photos with people in them, and the street video, once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.perception.frame import Frame

FPS = 7


@pytest.fixture(scope="session")
def street(shared_data: Path) -> Path:
    """PETS09-S2L1: 795 frames of 768 x 576 with 19 people."""
    return shared_data / "people" / "pets09_s2l1_view001.mp4"


def frames(clip: Path, count: int = 10_000) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(clip))
    try:
        for seq in range(count):
            whole, image = video.read()
            if not whole:
                return
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
            yield Frame(rgb, round(seq * 1e9 / FPS), seq, "street")
    finally:
        video.release()


@pytest.fixture(scope="session")
def beginning(street: Path) -> list[Frame]:
    return list(frames(street, 60))


@pytest.fixture(scope="session")
def truth(shared_data: Path) -> npt.NDArray[np.float64]:
    """Rows of frame (from 0), person, left, top, width, height."""
    rows = np.loadtxt(shared_data / "people" / "gt.txt", delimiter=",")[:, :6]
    rows[:, 0] -= 1
    return rows
