"""A plain model of the rover's body, in simulated time, that remembers every command.

For tests in volume; what the real firmware makes of commands is tested on the emulated chip.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.config import Geometry

PERIOD_NS = 10_000_000
LAG_S = 0.06
SLEW_DEG_S = 180.0


class Sent(NamedTuple):
    """A command as it reached the board."""

    at_ns: int
    what: str
    values: tuple[float, ...] | dict[str, float] | str


@dataclass
class ModelBoard:
    """Two wheels that follow with a lag of 60 ms, servos that slew, a light.

    Attributes:
        now_ns: simulated time; `step` lets a control period pass.
        sent: all commands.
        gain: of each wheel: what it makes of its order.
        range_m, battery_v, bump, faults: what the next state says.
    """

    geometry: Geometry
    gain: tuple[float, float] = (1.0, 1.0)
    now_ns: int = 0
    range_m: float | None = None
    battery_v: float = 7.4
    bump: bool = False
    faults: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.sent: list[Sent] = []
        self.order = (0, 0)
        self.speed = [0.0, 0.0]
        self.position = [0.0, 0.0]
        self.servos: dict[str, float | None] = dict.fromkeys(("pan", "tilt", "gripper"))
        self.targets: dict[str, float] = {}
        self.light = "off"

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self.sent.append(Sent(self.now_ns, "drive", (left, right)))
        self.order = (left, right)
        return left, right

    def stop(self) -> None:
        self.sent.append(Sent(self.now_ns, "stop", (0, 0)))
        self.order = (0, 0)

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        self.sent.append(Sent(self.now_ns, "servos", dict(angles)))
        self.targets.update(angles)
        for name, angle in angles.items():
            if self.servos[name] is None:  # limp: the first pulse is where it goes
                self.servos[name] = angle
        return dict(angles)

    def set_light(self, color: str) -> None:
        self.sent.append(Sent(self.now_ns, "light", color))
        self.light = color

    def clear_faults(self) -> frozenset[str]:
        self.faults = frozenset()
        return self.faults

    def metres(self) -> tuple[float, float]:
        """What each wheel has rolled."""
        left, right = (counts / self.geometry.counts_per_m for counts in self.position)
        return left, right

    def step(self) -> BoardState:
        """The state after one more control period."""
        self.now_ns += PERIOD_NS
        period_s = PERIOD_NS * 1e-9
        share = 1 - math.exp(-period_s / LAG_S)
        for i in (0, 1):
            self.speed[i] += share * (self.order[i] * self.gain[i] - self.speed[i])
            self.position[i] += self.speed[i] * period_s
        for name, target in self.targets.items():
            way = target - (self.servos[name] or 0.0)
            step = SLEW_DEG_S * period_s
            self.servos[name] = (self.servos[name] or 0.0) + max(-step, min(step, way))
        return self.state()

    def state(self) -> BoardState:
        """As it is now."""
        return BoardState(
            stamp_ns=self.now_ns,
            measured_ns=self.now_ns,
            chip_us=self.now_ns // 1000,
            encoder=(math.floor(self.position[0]), math.floor(self.position[1])),
            speed=(round(self.speed[0]), round(self.speed[1])),
            duty=(0, 0),
            battery_v=self.battery_v,
            motors_on=self.order != (0, 0),
            host_timed_out=False,
            watchdog_reset=False,
            saturated=False,
            bump=self.bump,
            emergency_stop=False,
            servos_moving=any(self.servos[n] != t for n, t in self.targets.items()),
            saving=False,
            faults=self.faults,
            range_m=self.range_m,
            servos=dict(self.servos),
            rx_errors=0,
            longest_period_us=0,
            stack_free=0,
        )
