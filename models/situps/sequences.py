"""Sequences of poses whose phases and repetitions are known, made from the body model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reflexarc.models.situps import motions
from reflexarc.models.situps.body import Array, Body, Camera, inclination, joints
from reflexarc.models.situps.detector import observe
from reflexarc.models.situps.motions import NEGATIVES, Keys, Mover
from reflexarc.models.situps.ranges import Draw
from reflexarc.perception.keypoints import Pose
from reflexarc.perception.tasks.situps.cycle import DOWN_DEG, PHASES, UP_DEG

POSITIVE_SHARE = 0.65
"""Of the sequences, those that hold sit-ups, whole or half."""


@dataclass(frozen=True)
class Sequence:
    """One take.

    Attributes:
        poses: as a pose net gives them, None where it saw nobody.
        stamps_ns: when, strictly rising.
        phases: int64, shape (t,), index into PHASES, the truth at each stamp.
        full: whole repetitions in it; partial: attempts that turned back early.
        kind: what was done ("sit_ups" or the name of a motion).
    """

    poses: list[Pose | None]
    stamps_ns: list[int]
    phases: npt.NDArray[np.int64]
    full: int
    partial: int
    kind: str


def sequence(seed: int, *, held_out: bool = False, kind: str | None = None) -> Sequence:
    """The sequence of a seed; the same seed gives the same one.

    Args:
        seed: any; training and held-out sequences of one seed differ.
        held_out: also draw parameters from ranges that training never uses.
        kind: "sit_ups" or a function's name in `motions.NEGATIVES`; otherwise drawn.
    """
    rng = np.random.default_rng([seed, int(held_out)])
    draw = Draw(rng, held_out=held_out)
    body = Body.drawn(rng, draw("spread"))
    mover = Mover(body, draw)
    sits = rng.random() < POSITIVE_SHARE
    negative = NEGATIVES[int(rng.integers(len(NEGATIVES)))]
    if kind is not None:
        sits = kind == "sit_ups"
        negative = next((n for n in NEGATIVES if n.__name__ == kind), negative)
    keys = _workout(mover) if sits else _other(mover, negative)
    stamps_ns, seconds = _clock(sum(duration for duration, _ in keys), draw)
    track = motions.sample(keys, seconds)
    phases, full, partial = truth(body, keys, seconds)
    camera = _camera(draw)
    trunk = np.where(motions.on_back(track), inclination(body, track), 0.0)
    points = camera.project(joints(body, track))
    poses = observe(points, trunk, seconds, camera.left, draw)
    name = "sit_ups" if sits else negative.__name__
    return Sequence(poses, stamps_ns, phases, full, partial, name)


def truth(body: Body, keys: Keys, seconds: Array) -> tuple[npt.NDArray[np.int64], int, int]:
    """Phases at the given times, and what the whole take counts (full, partial).

    The definition of `reflexarc.perception.tasks.situps.cycle` applied to the true
    inclination of the trunk, every hundredth of a second.
    """
    fine = np.arange(0, sum(duration for duration, _ in keys), 0.01)
    track = motions.sample(keys, fine)
    angle, active = inclination(body, track), motions.on_back(track)
    codes = np.full(len(fine), PHASES.index("other"))
    full = partial = 0
    stage = "unknown"
    moving = PHASES.index("falling")
    extreme = angle[0]
    for i in range(len(fine)):
        if not active[i]:
            stage = "unknown"
            continue
        # Five degrees back from the last extreme turn rising into falling, and back again.
        rising = moving == PHASES.index("rising")
        extreme = max(extreme, angle[i]) if rising else min(extreme, angle[i])
        if abs(angle[i] - extreme) > 5:
            moving, extreme = PHASES.index("falling" if rising else "rising"), angle[i]
        if angle[i] <= DOWN_DEG:
            codes[i] = PHASES.index("down")
            full += stage == "up"
            partial += stage == "tried"
            stage = "down"
        elif angle[i] >= UP_DEG:
            codes[i] = PHASES.index("up")
            stage = "up" if stage != "unknown" else stage
        else:
            codes[i] = moving
            stage = "tried" if stage == "down" else stage
    at = np.clip(np.searchsorted(fine, seconds), 0, len(fine) - 1)
    return codes[at], int(full), int(partial)


def _workout(m: Mover) -> Keys:
    """A lead-in, sit-ups with half ones between them, a lead-out."""
    rng = m.rng
    start = rng.random()
    keys: Keys = [(0.0, m.lying())]
    if start < 0.25:
        keys = [(0.0, m.standing()), *motions.get_down(m)]
    elif start < 0.45:
        top = m.floor(m.draw("peak"))
        keys = [(0.0, top), (m.seconds(0.3, 1.5), top), (m.draw("fall"), m.lying())]
    keys.append((m.seconds(0.4, 1.5), m.lying()))
    halves = rng.choice([0.0, 0.3, 1.0], p=[0.45, 0.45, 0.1])
    for _ in range(int(rng.integers(1, 7))):
        keys += (motions.half_sit_up if rng.random() < halves else motions.sit_up)(m)
        if rng.random() < 0.06:
            keys += motions.lie_still(m)[:2]
    end = rng.random()
    if end < 0.2:
        keys += motions.get_up(m)
    elif end < 0.35:
        keys += motions.sit_on_floor(m)
    else:
        keys.append((m.seconds(0.5, 2), m.lying()))
    return keys


def _other(m: Mover, motion: motions.Motion) -> Keys:
    keys = motion(m)
    return [(0.0, keys[0][1]), *keys, (0.5, keys[-1][1])]


def _clock(seconds: float, draw: Draw) -> tuple[list[int], Array]:
    """Stamps of an uneven camera, and the same in seconds from the first."""
    period = 1 / draw("fps")
    count = max(2, int(seconds / period))
    times = np.arange(count) * period + draw.rng.uniform(0, 0.25 * period, count)
    start = int(draw.rng.integers(0, 10**12))
    return [start + int(t * 1e9) for t in times], times


def _camera(draw: Draw) -> Camera:
    rng = draw.rng
    return Camera(
        left=bool(rng.random() < 0.5),
        yaw=draw("yaw"),
        tilt=draw("tilt"),
        roll=draw("roll"),
        distance=draw("distance"),
        target=(float(rng.uniform(-0.3, 0.3)), 0.0, float(rng.uniform(0.2, 0.8))),
        focal_px=float(rng.uniform(200, 1500)),
        centre_px=(float(rng.uniform(100, 900)), float(rng.uniform(100, 600))),
    )
