"""What a board driver can give the robot: wheels, servos, or both.

Angles are degrees from a servo's middle: pan left, tilt up and gripper open are
positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from reflexarc.firmware_bridge.state import BoardState


@runtime_checkable
class Wheels(Protocol):
    """Two driven wheels. They turn only while the host talks; see `Board`."""

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set speeds in counts/s; gives those that hold after clamping."""

    def stop(self) -> None:
        """Motors off at once."""

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a state newer than `after`, by default than now's."""

    def close(self) -> None:
        """Stop, and free the port. Never raises."""


@runtime_checkable
class Servos(Protocol):
    """Servos by name. After opening all are limp until they are first set.

    While a servo moves, call `set_servos` or `servo_angles` a few times a second:
    one with a watchdog of its own stops when the host falls silent.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The servos that there are."""

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Move the named servos; gives the targets that hold after clamping."""

    def servo_angles(self) -> dict[str, float | None]:
        """Where each one is; None where that cannot be known (a limp hobby servo)."""

    def release_servos(self, names: Iterable[str] | None = None) -> None:
        """Let the named ones, or all, go limp."""

    def close(self) -> None:
        """Release all, and free the port. Never raises."""
