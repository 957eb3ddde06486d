"""A stick figure that does sit-ups: drawn from first principles, not by the body model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from reflexarc.perception.keypoints import Pose

Takes = Callable[..., tuple[list[Pose], list[int]]]


def stick(trunk_deg: float, *, side: int = 1, px: float = 100.0, knee_deg: float = 45.0) -> Pose:
    """Hip at (320, 300), feet to the right (side 1) or left (-1), both sides alike."""
    trunk, knee = np.radians(trunk_deg), np.radians(knee_deg)
    along = np.array([-np.cos(trunk), np.sin(trunk)])
    front = np.array([np.sin(trunk), np.cos(trunk)])
    thigh = 0.85 * np.array([np.cos(knee), np.sin(knee)])
    shin = np.array([np.sqrt(0.85**2 - thigh[1] ** 2), -thigh[1]])
    points = np.zeros((17, 2))
    points[:5] = 1.35 * along + 0.1 * front
    points[5:7] = along
    points[7:9] = along + 0.5 * front
    points[9:11] = 1.3 * along
    points[13:15] = thigh
    points[15:17] = thigh + shin
    place = points * [side * px, -px] + [320, 300]
    return Pose(place.astype(np.float32), np.full(17, 0.8, np.float32))


@dataclass(frozen=True)
class Take:
    poses: list[Pose | None]
    stamps_ns: list[int]


def perform(
    peaks: tuple[float, ...], *, fps: float = 15.0, seconds: float = 2.5, **figure: float
) -> Take:
    """A sit-up to each of `peaks` degrees, a second of rest before, between and after."""
    times = np.arange(0, 1 + len(peaks) * (seconds + 1), 1 / fps)
    number, into = np.divmod(np.maximum(times - 1, 0), seconds + 1)
    turn = np.clip(into / seconds, 0, 1) * (times >= 1)
    height = np.array([*peaks, 0.0])[number.astype(int)]
    trunk = height * (1 - np.cos(2 * np.pi * turn)) / 2
    poses = [stick(float(angle), **figure) for angle in trunk]  # type: ignore[arg-type]
    return Take([*poses], [int(t * 1e9) for t in times])


@pytest.fixture(scope="session", name="perform")
def _perform() -> Callable[..., Take]:
    return perform
