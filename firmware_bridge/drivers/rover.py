"""The rover's own board, running this project's firmware.

When the host dies: motors off after 300 ms by the firmware; servos hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reflexarc.firmware_bridge.board import Board
from reflexarc.firmware_bridge.drivers.bus_config import parse_config
from reflexarc.firmware_bridge.drivers.names import check_angles, known_servos
from reflexarc.firmware_bridge.errors import BoardError
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.state import SERVO_NAMES, BoardState


class RoverConfig(BaseModel):
    """Where the board is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: str = Field("auto", description="serial port, or auto: the only board that answers")
    baudrate: int = Field(messages.BAUDRATE, gt=0)


class Rover:
    """A connected `Board` as `Wheels` and `Servos`; a context manager.

    Args:
        board: taken over: closed with this.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        """For what the interfaces do not have: light, range, faults, settings."""

    @property
    def names(self) -> tuple[str, ...]:
        """Pan, tilt and gripper."""
        return SERVO_NAMES

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """As `Board.drive`."""
        return self.board.drive(left, right)

    def stop(self) -> None:
        """As `Board.stop`."""
        self.board.stop()

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """As `Board.wait_state`."""
        return self.board.wait_state(timeout_s, after)

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """As `Board.set_servos`."""
        check_angles(angles, SERVO_NAMES)
        return self.board.set_servos(angles)

    def servo_angles(self) -> dict[str, float | None]:
        """Where each one's pulse was at most 50 ms ago, in degrees; None for a limp one."""
        return dict(self.board.read_state().servos)

    def release_servos(self, names: Iterable[str] | None = None) -> None:
        """As `Board.release_servos`."""
        self.board.release_servos(
            SERVO_NAMES if names is None else known_servos(names, SERVO_NAMES)
        )

    def close(self) -> None:
        """Release the servos, stop, and free the port. Never raises."""
        with contextlib.suppress(BoardError):
            self.release_servos()
        self.board.close()

    def __enter__(self) -> Rover:
        """Itself, already connected."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()


def open_rover(config: Mapping[str, Any]) -> Rover:
    """Connect to the board of a `RoverConfig`; motors off.

    Raises:
        DriverConfigError: settings that cannot be used.
        BoardError: as `Board.connect`.
    """
    settings = parse_config(RoverConfig, config, "rover")
    return Rover(Board.connect(settings.port, baudrate=settings.baudrate))
