"""What the gate needs of a robot's body, and how it is told to move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wheels:
    """Speed of each wheel in m/s, forward positive."""

    left: float
    right: float


REST = Wheels(0.0, 0.0)


class Body(Protocol):
    """What the gate needs of a board (`reflexarc.firmware_bridge.Board` has it)."""

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set wheel speeds in encoder counts/s; give what was applied."""
        ...

    def stop(self) -> None:
        """Motors off at once."""
        ...

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Move servos, degrees; give what was applied."""
        ...

    def set_light(self, color: str) -> None:
        """Set the light."""
        ...


class Readings(Protocol):
    """What the gate watches (`reflexarc.firmware_bridge.BoardState` has it)."""

    @property
    def stamp_ns(self) -> int:
        """When they came, monotonic."""
        ...

    @property
    def battery_v(self) -> float:
        """Volts."""
        ...

    @property
    def range_m(self) -> float | None:
        """To what is ahead; None for nothing near, or no sensor."""
        ...

    @property
    def faults(self) -> frozenset[str]:
        """What has switched the motors off on the board."""
        ...
