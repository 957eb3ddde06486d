"""The same firmware on an emulated board in a process of its own: no hardware needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reflexarc.firmware_bridge.board import Board
from reflexarc.firmware_bridge.drivers.bus_config import parse_config
from reflexarc.firmware_bridge.drivers.rover import Rover
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.protocol import messages


class SimConfig(BaseModel):
    """What to emulate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: str = Field("auto", description="path where its port shall appear; auto is a private one")
    baudrate: int = Field(messages.BAUDRATE, gt=0)
    battery_v: float = Field(7.4, gt=0, le=12)


class SimulatedRover(Rover):
    """A `Rover` with the emulated board that it is connected to."""

    def __init__(self, board: Board, emulator: EmulatedBoard) -> None:
        super().__init__(board)
        self.emulator = emulator
        """To look at its pins, and to break it."""

    def close(self) -> None:
        """Close the board, then end the emulator. Never raises."""
        try:
            super().close()
        finally:
            self.emulator.close()


def open_sim(config: Mapping[str, Any]) -> SimulatedRover:
    """Start an emulated board and connect to it; both end with `close`.

    Raises:
        DriverConfigError: settings that cannot be used.
        ToolMissingError: the compiler for its chip, or the emulator's library.
        EmulatorError, BoardError: it did not start, or did not answer.
    """
    settings = parse_config(SimConfig, config, "sim")
    emulator = EmulatedBoard(
        battery_v=settings.battery_v,
        link_path=None if settings.port == "auto" else settings.port,
    )
    try:
        board = Board.connect(emulator.port, baudrate=settings.baudrate)
    except BaseException:
        emulator.close()
        raise
    return SimulatedRover(board, emulator)
