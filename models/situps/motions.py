"""What the body does: sit-ups, whole and half, and everything that must not count.

A motion is a list of keys: (seconds since the last key, posture).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reflexarc.models.situps.body import COLUMN, TOUCHING_M, Array, Body, Posture
from reflexarc.models.situps.ranges import Draw

Keys = list[tuple[float, Posture]]


# Upper arm and forearm against the chest, lying and at the top of a sit-up.
ARMS = {
    "behind head": ((-55.0, 65.0), (-70.0, 60.0)),
    "at the ears": ((-95.0, 20.0), (-100.0, 25.0)),
    "crossed": ((-150.0, -10.0), (-140.0, 0.0)),
    "along": ((-180.0, -180.0), (-150.0, -120.0)),
    "reaching": ((-110.0, -105.0), (-115.0, -100.0)),
    "overhead": ((-5.0, -5.0), (-90.0, -80.0)),
}


class Mover:
    """One body's way to move: its lengths, its style, its pace."""

    def __init__(self, body: Body, draw: Draw) -> None:
        self.body = body
        self.draw = draw
        self.rng = draw.rng
        self.arms = str(self.rng.choice(list(ARMS)))
        self.knee = draw("knee")
        self.curl = draw("curl")
        self.nod = float(self.rng.uniform(-5, 30))
        self.lying_deg = float(self.rng.uniform(-3, 6))

    def floor(self, trunk: float = 0.0, thigh: float | None = None) -> Posture:
        """On the back or sitting on the floor, the trunk at `trunk` degrees from the floor."""
        near = float(np.clip(trunk / 30, 0, 1))
        pelvis = 180 - trunk + self.curl * near * 0.7
        chest = 180 - trunk - self.curl * near * 0.57
        thigh = (self.knee if thigh is None else thigh) + float(self.rng.normal(0, 1.5))
        knee_m = TOUCHING_M + self.body.thigh * np.sin(np.radians(thigh))
        shin = -float(np.degrees(np.arcsin(min(1, (knee_m - TOUCHING_M) / self.body.shin))))
        low, high = ARMS[self.arms]
        share = float(np.clip(trunk / 80, 0, 1))
        upper_arm, forearm = (a + share * (b - a) for a, b in zip(low, high, strict=True))
        return _both(
            Posture(pelvis=pelvis, chest=chest, head=chest - self.nod * near),
            thigh, shin, upper_arm, forearm,
        )  # fmt: skip

    def lying(self) -> Posture:
        """At rest on the back."""
        return self.floor(self.lying_deg + float(self.rng.normal(0, 1)))

    def upright(self, thigh: float, shin: float, lean: float, arms: float = -180.0) -> Posture:
        """On the feet: limbs' directions, degrees the trunk leans forward, arms."""
        t, s = np.radians(thigh), np.radians(shin)
        x = -self.body.thigh * np.cos(t) - self.body.shin * np.cos(s)
        z = TOUCHING_M - self.body.thigh * np.sin(t) - self.body.shin * np.sin(s)
        trunk = 90 - lean
        return _both(
            Posture(x=float(x), z=float(z), pelvis=trunk, chest=trunk, head=trunk, on_back=0.0),
            thigh, shin, arms, arms + float(self.rng.uniform(0, 20)),
        )  # fmt: skip

    def standing(self) -> Posture:
        """At rest on the feet."""
        arms = -180 + float(self.rng.choice([0, 0, 60, 90]))
        return self.upright(-90 + self.rng.normal(0, 2), -90 - abs(self.rng.normal(0, 3)),
                            self.rng.normal(2, 3), arms)  # fmt: skip

    def crouching(self) -> Posture:
        """Between the floor and the feet."""
        return self.upright(self.rng.uniform(0, 25), -115.0, self.rng.uniform(25, 55), -100.0)

    def seconds(self, low: float, high: float) -> float:
        """A duration."""
        return float(self.rng.uniform(low, high))


def sit_up(m: Mover) -> Keys:
    """A whole repetition. One in eight hesitates on its way up or back."""
    peak = m.draw("peak")
    keys: Keys = [(m.draw("rise"), m.floor(peak)), (m.draw("hold"), m.floor(peak))]
    hesitates = m.rng.random()
    if hesitates < 0.06:
        halfway = m.floor(m.rng.uniform(25, 45))
        keys = [(m.draw("rise"), halfway), (m.seconds(0.1, 0.8), halfway), *keys]
    elif hesitates < 0.12:
        keys += [(m.draw("fall"), m.floor(m.rng.uniform(30, 45))), (m.draw("rise"), m.floor(peak))]
    return [*keys, (m.draw("fall"), m.lying()), (m.draw("rest"), m.lying())]


def half_sit_up(m: Mover) -> Keys:
    """A crunch: turns back before the top."""
    half = m.draw("half")
    pace = m.rng.uniform(0.5, 0.9)
    return [
        (m.draw("rise") * pace, m.floor(half)),
        (m.draw("hold") * m.rng.uniform(0, 1), m.floor(half)),
        (m.draw("fall") * pace, m.lying()),
        (m.draw("rest"), m.lying()),
    ]


def lie_still(m: Mover) -> Keys:
    """On the back, legs moving a little."""
    thigh = m.rng.uniform(0, 60)
    return [(m.seconds(0.5, 1.5), m.floor(m.lying_deg, thigh + m.rng.normal(0, 8)))
            for _ in range(4)]  # fmt: skip


def raise_legs(m: Mover) -> Keys:
    """Leg raises: the trunk stays on the floor."""
    keys: Keys = []
    for _ in range(3):
        high = float(m.rng.uniform(60, 95))
        down = _both(m.lying(), 3.0, -3.0, -180.0, -180.0)
        up = _both(m.lying(), high, high - m.rng.uniform(0, 40), -180.0, -180.0)
        keys += [(m.seconds(0.6, 1.5), up), (m.seconds(0.6, 1.5), down)]
    return keys


def bridge(m: Mover) -> Keys:
    """Glute bridges: the hip lifts, the shoulders stay."""
    keys: Keys = []
    for _ in range(3):
        low = m.floor(0, 50)
        lean = float(m.rng.uniform(12, 28))
        lift = m.body.trunk * float(np.sin(np.radians(lean)))
        high = replace(
            low, z=TOUCHING_M + lift, pelvis=180 + lean, chest=180 + lean, head=180 + lean
        )
        high = _both(high, 15.0, -85.0, -180.0, -180.0)
        keys += [(m.seconds(0.6, 1.5), high), (m.seconds(0.6, 1.5), low)]
    return keys


def sit_on_floor(m: Mover) -> Keys:
    """Sits on the floor and sways."""
    return [(m.seconds(0.5, 1.5), m.floor(m.rng.uniform(62, 105))) for _ in range(4)]


def stand(m: Mover) -> Keys:
    """Stands, arms moving."""
    return [(m.seconds(0.5, 1.5), m.standing()) for _ in range(4)]


def walk(m: Mover) -> Keys:
    """Walks and turns."""
    keys: Keys = []
    step, swing, turn = m.seconds(0.35, 0.7), m.rng.uniform(15, 32), m.rng.normal(0, 15)
    heading, x, forward = float(m.rng.choice([0, 180, 90, -60])), 0.0, 1.0
    for _ in range(10):
        forward, heading, x = -forward, heading + turn, x + 0.3
        one = m.upright(-90 + forward * swing, -100 + forward * swing, 4.0)
        keys.append((step, replace(
            one, x=x, heading=heading,
            thigh_right=-90 - forward * swing, shin_right=-110 - forward * swing,
            upper_arm_left=-180 - forward * swing, upper_arm_right=-180 + forward * swing,
        )))  # fmt: skip
    return keys


def squat(m: Mover) -> Keys:
    """Squats, some deep."""
    keys: Keys = []
    depth, lean, arms = (
        m.rng.uniform(-40, 30),
        m.rng.uniform(10, 50),
        -float(m.rng.uniform(40, 180)),
    )
    for _ in range(4):
        low = m.upright(depth, m.rng.uniform(-125, -105), lean, arms)
        keys += [(m.seconds(0.5, 1.5), low), (m.seconds(0, 0.5), low),
                 (m.seconds(0.5, 1.5), m.standing())]  # fmt: skip
    return keys


def push_up(m: Mover) -> Keys:
    """Push-ups, knees straight; at times a rest on the floor, prone."""
    keys: Keys = []
    for _ in range(4):
        high, low = m.rng.uniform(15, 28), m.rng.uniform(-2, 8)
        keys += [(m.seconds(0.5, 1.5), _prone(m, high, -90.0, -90.0)),
                 (m.seconds(0.5, 1.5), _prone(m, low, m.rng.uniform(-20, 40), -95.0))]  # fmt: skip
    return keys


def bend_over(m: Mover) -> Keys:
    """Bends forward and comes up: the trunk's angle alone looks like a sit-up."""
    keys: Keys = []
    for _ in range(4):
        low = m.upright(-90 - m.rng.uniform(0, 10), -90.0, m.rng.uniform(70, 130), -90.0)
        keys += [(m.seconds(0.6, 1.8), low), (m.seconds(0.6, 1.8), m.standing())]
    return keys


def use_chair(m: Mover) -> Keys:
    """Sits down on a chair, leans back, stands up."""
    keys: Keys = []
    for _ in range(3):
        seat = m.upright(
            m.rng.uniform(-10, 8), m.rng.uniform(-95, -70), m.rng.uniform(-30, 15), -140.0
        )
        keys += [(m.seconds(0.6, 1.8), seat), (m.seconds(0.3, 2), seat),
                 (m.seconds(0.6, 1.8), m.standing())]  # fmt: skip
    return keys


def swing_arms(m: Mover) -> Keys:
    """Jumping jacks from the side."""
    keys: Keys = []
    for _ in range(6):
        one = m.standing()
        keys += [
            (m.seconds(0.3, 0.6), _both(one, -90, -90, -20.0, -10.0)),
            (m.seconds(0.3, 0.6), one),
        ]
    return keys


def get_up(m: Mover) -> Keys:
    """From the floor to the feet."""
    return [(m.seconds(0.7, 2), m.floor(m.rng.uniform(75, 100))),
            (m.seconds(0.3, 0.8), m.crouching()),
            (m.seconds(0.5, 1.5), m.standing()),
            (m.seconds(0.8, 3), m.standing())]  # fmt: skip


def get_down(m: Mover) -> Keys:
    """From the feet to the floor."""
    return [(m.seconds(0.8, 3), m.standing()),
            (m.seconds(0.5, 1.5), m.crouching()),
            (m.seconds(0.3, 0.8), m.floor(m.rng.uniform(75, 100))),
            (m.seconds(0.7, 2), m.lying()),
            (m.seconds(0.3, 1.5), m.lying())]  # fmt: skip


def up_and_down(m: Mover) -> Keys:
    """Gets up and lies down again: down, up and down, and yet no sit-up."""
    return [(m.seconds(0.5, 2), m.lying()), *get_up(m), *get_down(m)]


Motion = Callable[[Mover], Keys]
NEGATIVES: tuple[Motion, ...] = (
    lie_still, raise_legs, bridge, sit_on_floor, stand, walk, squat, push_up, bend_over,
    use_chair, swing_arms, up_and_down,
)  # fmt: skip


def sample(keys: Keys, seconds: Array) -> Array:
    """Postures at given times, shape (t, columns): smooth from key to key, at rest in each."""
    at = np.cumsum([duration for duration, _ in keys])
    vectors = np.stack([posture.vector() for _, posture in keys])
    after = np.clip(np.searchsorted(at, seconds, side="right"), 1, len(keys) - 1)
    span = np.maximum(at[after] - at[after - 1], 1e-6)
    share = np.clip((seconds - at[after - 1]) / span, 0, 1)
    eased = ((1 - np.cos(np.pi * share)) / 2)[:, None]
    track: Array = vectors[after - 1] * (1 - eased) + vectors[after] * eased
    return track


def on_back(track: Array) -> npt.NDArray[np.bool_]:
    """Where a sit-up may be under way, shape (t,)."""
    return track[:, COLUMN["on_back"]] > 0.5


def _both(posture: Posture, thigh: float, shin: float, upper_arm: float, forearm: float) -> Posture:
    """Left and right alike."""
    return replace(
        posture,
        thigh_left=thigh, thigh_right=thigh, shin_left=shin, shin_right=shin,
        upper_arm_left=upper_arm, upper_arm_right=upper_arm,
        forearm_left=forearm, forearm_right=forearm,
    )  # fmt: skip


def _prone(m: Mover, slope: float, upper_arm: float, forearm: float) -> Posture:
    """Face down and straight, at `slope` degrees; arms' directions in the world."""
    chest = 180.0 - slope
    legs = float(m.body.thigh + m.body.shin) * float(np.sin(np.radians(slope)))
    nod = float(m.rng.uniform(-10, 30))
    return _both(
        Posture(z=TOUCHING_M + legs, pelvis=chest, chest=chest, head=chest - nod, face=90.0,
                on_back=0.0),
        -slope, -slope, upper_arm - chest, forearm - chest,
    )  # fmt: skip
