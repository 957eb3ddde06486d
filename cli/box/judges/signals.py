"""What the flight log's signals mean: the head's angles, nods and shakes, legs, lights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reflexarc.cli.box.record import Heard, Run
from reflexarc.sim.flight_reader import Flight

Array = npt.NDArray[np.float64]

_US_AT_0, _US_PER_DEG = 1500.0, 1000.0 / 90.0
"""Of the firmware's servos: the length of the pulse that means straight, and a degree more."""
NOD_DEG, SHAKE_DEG, WAVE_DEG = 15.0, 20.0, 10.0
"""So far at least goes the head in a gesture; the gestures themselves go 5 degrees further."""
_SETTLE_S = 0.15
LIGHTS = {
    (0, 0, 0): "off",
    (1, 0, 0): "red",
    (0, 1, 0): "green",
    (0, 0, 1): "blue",
    (1, 1, 1): "white",
}


def servo_deg(flight: Flight, number: int) -> Array:
    """A servo's angle by its pulse at each state, degrees; NaN where none comes.

    Args:
        flight: the log.
        number: 0 pan (left is positive), 1 tilt (up is positive), 2 gripper.
    """
    us = flight.servo_us[:, number]
    return np.where(us > 0, (us - _US_AT_0) / _US_PER_DEG, np.nan)


def shaken_at(flight: Flight, after: float, until: float) -> float | None:
    """When the pan servo's pulses have swung to both sides, after they were straight."""
    pan = servo_deg(flight, 0)
    left = right = None
    for t, angle in zip(flight.t.tolist(), pan.tolist(), strict=True):
        if after <= t <= until:
            left = t if left is None and angle > SHAKE_DEG else left
            right = t if right is None and angle < -SHAKE_DEG else right
    return None if left is None or right is None else max(left, right)


def nods(flight: Flight, after: float, until: float) -> list[float]:
    """When the tilt servo's pulses went away from where they rested by a nod, and came back.

    A nod goes up, or down where the head could go no higher; both count.
    """
    tilt = servo_deg(flight, 1)
    inside = (flight.t >= after) & (flight.t <= until) & ~np.isnan(tilt)
    if not inside.any():
        return []
    rest = float(np.median(tilt[inside]))
    times, away = [], False
    for t, angle in zip(flight.t[inside].tolist(), tilt[inside].tolist(), strict=True):
        off = abs(angle - rest)
        if off > NOD_DEG and not away:
            times.append(t)
        away = off > NOD_DEG or (away and off > NOD_DEG / 3)
    return times


def waved(flight: Flight, after: float, until: float) -> bool:
    """Whether the head went to both sides while it was lifted."""
    pan, tilt = servo_deg(flight, 0), servo_deg(flight, 1)
    up = (flight.t >= after) & (flight.t <= until) & (tilt > WAVE_DEG)
    return bool((pan[up] > WAVE_DEG).any() and (pan[up] < -WAVE_DEG).any())


def lights(flight: Flight, after: float = 0.0, until: float = math.inf) -> list[tuple[float, str]]:
    """Each change of the light's pins: when, and which colour from then on."""
    changes: list[tuple[float, str]] = []
    for t, pins in zip(flight.t.tolist(), flight.light.tolist(), strict=True):
        colour = LIGHTS.get(tuple(pins), str(tuple(pins)))
        if after <= t <= until and (not changes or changes[-1][1] != colour):
            changes.append((t, colour))
    return changes


@dataclass(frozen=True)
class Leg:
    """A move or a turn, and what the body really did.

    Attributes:
        action: as plain data.
        begin, end: simulated seconds.
        outcome: "finished", "failed", or "" if the run ended first.
        words: of its end.
        distance_m: from where it was to where it stood, along its heading at first.
        angle_deg: by which it turned, left is positive.
    """

    action: dict[str, Any]
    begin: float
    end: float
    outcome: str
    words: str
    distance_m: float
    angle_deg: float

    @property
    def error(self) -> float:
        """Metres of a move, degrees of a turn, by which it is off."""
        if self.action["do"] == "move":
            return self.distance_m - float(self.action["distance_m"])
        return self.angle_deg - float(self.action["angle_deg"])


def legs(run: Run) -> list[Leg]:
    """All moves and turns, in order."""
    found: list[Leg] = []
    begun: Heard | None = None
    for heard in run.events:
        action = heard.value["action"] or {}
        if action.get("do") not in ("move", "turn"):
            continue
        if heard.value["event"] == "started":
            begun = heard
        elif heard.value["event"] in ("finished", "failed") and begun is not None:
            found.append(_leg(run, begun, heard))
            begun = None
    if begun is not None:
        found.append(_leg(run, begun, None))
    return found


def _leg(run: Run, begun: Heard, ended: Heard | None) -> Leg:
    end = run.end_s if ended is None else ended.t
    # It stands by the encoders' measure when it says so; the next leg begins at once.
    rests = min([*(h.t for h in run.of("started") if h.t > end), end + _SETTLE_S, run.end_s])
    begin = begun.t - 0.02
    return Leg(
        begun.value["action"],
        begun.t,
        end,
        "" if ended is None else ended.value["event"],
        "" if ended is None else ended.value["text"],
        run.flight.travelled(begin, rests),
        math.degrees(run.flight.turned(begin, rests)),
    )


def expected_pose(
    start: tuple[float, float, float], actions: list[dict[str, Any]]
) -> tuple[float, float, float]:
    """Where moves and turns add up to: x, y in metres, yaw in radians."""
    x, y, yaw = start
    for action in actions:
        if action["do"] == "move":
            x += action["distance_m"] * math.cos(yaw)
            y += action["distance_m"] * math.sin(yaw)
        elif action["do"] == "turn":
            yaw += math.radians(action["angle_deg"])
    return x, y, yaw
