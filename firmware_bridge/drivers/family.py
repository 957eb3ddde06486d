"""What differs between makes of bus servos."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from reflexarc.firmware_bridge.drivers.bus import Packets, Reply, ServoBus
from reflexarc.firmware_bridge.drivers.bus_port import BusPort

# Both families: 12 bits a turn, 2048 in the middle.
STEPS_PER_DEGREE = 4096 / 360
CENTRE = 2048


@dataclass(frozen=True)
class Goal:
    """Where a servo shall go."""

    position: int
    """Steps."""
    speed: float
    """Steps a second, at most."""


class Family(Protocol):
    """What differs between makes of servos."""

    @property
    def name(self) -> str:
        """For messages."""

    @property
    def baudrates(self) -> tuple[int, ...]:
        """Common ones, the factory setting first."""

    def packets(self, port: BusPort) -> Packets:
        """Speak the protocol over `port`."""

    def prepare(self, bus: ServoBus, servo: int) -> tuple[int, int]:
        """Set a limp one to position control; gives its own limits in steps."""

    def move(self, bus: ServoBus, goals: Mapping[int, Goal]) -> dict[int, Reply]:
        """Go there, torque on; gives status packets that came after it."""

    def positions(self, bus: ServoBus, servos: Collection[int]) -> dict[int, tuple[int, Reply]]:
        """Where each one is, in steps, with the status packet that says so."""

    def release(self, bus: ServoBus, servos: Collection[int]) -> None:
        """Torque off."""

    def faults(self, bus: ServoBus, servo: int, reply: Reply) -> tuple[str, ...]:
        """What a status packet says is wrong."""
