"""From poses at any rate to the steady, normalised series that the counters read.

The same code makes the training windows and runs on the device. numpy only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import SequenceSpec
from reflexarc.perception.keypoints import KEYPOINT, Pose

Floats = npt.NDArray[np.float32]
Tick = tuple[int, Floats]
"""A time in ns, and the merged body then: float32 (6, 3)."""

RATE_HZ = 15.0
STEPS = 24
PERIOD_NS = round(1e9 / RATE_HZ)

MAX_GAP_NS = 1_000_000_000
"""Poses further apart than this are not one movement: fast repetitions take this long."""

UNSEEN = 0.1
"""Below this score a joint is where it was last seen. MoveNet's joints on `data/situps`
score .2 to .9 where they are right, and about .1 where there is none."""

FAR_PX = 1e6
"""Points out here, and those that are not numbers, count as unseen."""

JOINTS = ("head", "shoulder", "wrist", "hip", "knee", "ankle")
"""What is left when a body's two sides are one: a camera beside it sees one side well."""
HEAD, SHOULDER, WRIST, HIP, KNEE, ANKLE = range(len(JOINTS))

_MEMBERS = (
    ("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *((f"left_{joint}", f"right_{joint}") for joint in JOINTS[1:]),
)
# Padded to a table: joint -> keypoints' rows, and which of them are meant.
_ROWS = np.array([[KEYPOINT[n] for n in (names * 3)[:5]] for names in _MEMBERS])
_MEANT = np.array([[i < len(names) for i in range(5)] for names in _MEMBERS])

_POINTS = (HEAD, SHOULDER, WRIST, KNEE, ANKLE)
FEATURES = (
    *(f"{JOINTS[joint]}_{axis}" for joint in _POINTS for axis in "xy"),
    "trunk_cos",
    "trunk_sin",
    *(f"{joint}_score" for joint in JOINTS),
)
SPEC = SequenceSpec(steps=STEPS, features=FEATURES, rate_hz=RATE_HZ)

LIMIT = 2.0
"""Coordinates are clipped here: INT8 has one scale for all features."""


def merge(pose: Pose) -> Floats:
    """Both sides of a body as one, and the face as one point.

    Args:
        pose: any; points that are not numbers, or absurdly far, count as unseen.

    Returns:
        float32, shape (6, 3): x px, y px, score for each of JOINTS. The place is the
        mean weighted by the squared score, the score is the best one.
    """
    seen = (np.abs(pose.points) < FAR_PX).all(axis=1) & np.isfinite(pose.scores)
    points = np.where(seen[:, None], pose.points, 0.0).astype(np.float64)
    scores = np.where(seen, np.clip(pose.scores, 0.0, 1.0), 0.0).astype(np.float64)
    table = scores[_ROWS] * _MEANT
    weights = table**2
    total = np.maximum(weights.sum(axis=1), 1e-12)
    places = (weights[..., None] * points[_ROWS]).sum(axis=1) / total[:, None]
    return np.concatenate([places, table.max(axis=1)[:, None]], axis=1).astype(np.float32)


class Resampler:
    """Merged bodies at RATE_HZ, by linear interpolation over the time stamps.

    An unseen joint stays where it was last seen, with the low score it has now.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._last: Floats | None = None
        self._last_ns = 0
        self._next_ns = 0

    def push(self, pose: Pose | None, stamp_ns: int) -> tuple[list[Tick], bool]:
        """Take one frame's pose.

        Returns:
            The steps that are due up to `stamp_ns`, and whether the series broke before
            them, because of a gap or a clock that went back.
        """
        broken = self._last is not None and not (0 <= stamp_ns - self._last_ns <= MAX_GAP_NS)
        if broken:
            self.restart()
        if pose is None:
            return [], broken
        body = merge(pose)
        if self._last is None:
            if not (body[[SHOULDER, HIP], 2] >= UNSEEN).all():
                return [], broken
            self._next_ns = stamp_ns + PERIOD_NS
            self._last, self._last_ns = body, stamp_ns
            return [(stamp_ns, body)], broken
        if stamp_ns == self._last_ns:
            return [], broken
        unseen = body[:, 2] < UNSEEN
        body[unseen, :2] = self._last[unseen, :2]
        due: list[Tick] = []
        while self._next_ns <= stamp_ns:
            share = np.float32((self._next_ns - self._last_ns) / (stamp_ns - self._last_ns))
            due.append((self._next_ns, self._last + share * (body - self._last)))
            self._next_ns += PERIOD_NS
        self._last, self._last_ns = body, stamp_ns
        return due, broken


class Window:
    """The last STEPS bodies; a series that is shorter repeats its first one."""

    def __init__(self) -> None:
        self._bodies: Floats | None = None

    def restart(self) -> None:
        """Forget everything."""
        self._bodies = None

    def push(self, body: Floats) -> Floats:
        """Add a body (6, 3); gives all, float32 (STEPS, 6, 3), oldest first."""
        if self._bodies is None:
            self._bodies = np.repeat(body[None], STEPS, axis=0)
        else:
            self._bodies = np.concatenate([self._bodies[1:], body[None]])
        return self._bodies


def windows(poses: list[Pose | None], stamps_ns: list[int]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Everything that a counter would see of a whole take.

    Returns:
        Times, int64 (n,), and windows that end there, float32 (n, STEPS, 6, 3).
    """
    resampler, window = Resampler(), Window()
    times: list[int] = []
    series: list[Floats] = []
    for pose, stamp_ns in zip(poses, stamps_ns, strict=True):
        due, broken = resampler.push(pose, stamp_ns)
        if broken:
            window.restart()
        times += [time for time, _ in due]
        series += [window.push(body) for _, body in due]
    empty = np.zeros((0, STEPS, len(JOINTS), 3), np.float32)
    return np.array(times, np.int64), np.stack(series) if series else empty


def normalize(bodies: Floats) -> Floats:
    """Windows of bodies as the net takes them.

    Relative to the hip, in units of the body's size over the window, y up, feet
    towards +x: neither place, nor distance, nor the camera's side matters.

    Args:
        bodies: float32, shape (..., STEPS, 6, 3), pixels and scores.

    Returns:
        float32, shape (..., STEPS, len(FEATURES)), in -LIMIT..LIMIT.
    """
    places, scores = bodies[..., :2], bodies[..., 2]
    relative = (places - places[..., HIP : HIP + 1, :]) * np.array([1, -1], np.float32)
    trunk = relative[..., SHOULDER, :]
    thigh = relative[..., KNEE, :]
    shin = relative[..., ANKLE, :] - thigh
    lengths = np.hypot(*_xy(trunk)) + np.hypot(*_xy(thigh)) + np.hypot(*_xy(shin))
    unit = np.maximum(np.median(lengths, axis=-1) / 2, 1e-3)[..., None, None, None]
    towards_feet = np.median(relative[..., ANKLE, 0] + thigh[..., 0] - trunk[..., 0], axis=-1)
    mirror = np.where(towards_feet < 0, np.float32(-1), np.float32(1))[..., None]
    scaled = relative / unit
    scaled[..., 0] *= mirror[..., None]
    points = scaled[..., _POINTS, :].reshape(*scaled.shape[:-2], 2 * len(_POINTS))
    direction = trunk / np.maximum(np.hypot(*_xy(trunk)), 1e-3)[..., None]
    direction[..., 0] *= mirror
    features = np.concatenate([np.clip(points, -LIMIT, LIMIT), direction, scores], axis=-1)
    return features.astype(np.float32)


def _xy(vectors: Floats) -> tuple[Floats, Floats]:
    return vectors[..., 0], vectors[..., 1]
