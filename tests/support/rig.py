"""The board under test, real or emulated, and what the fault tests say of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reflexarc.firmware_bridge import Board, BoardState
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard


@dataclass
class Rig:
    """A port with a board behind it.

    Attributes:
        port: path of the serial port.
        emulated: the emulator's controls; None on real hardware.
    """

    port: str
    emulated: EmulatedBoard | None = None
    _boards: list[Board] = field(default_factory=list)

    def connect(self, *, reconnect: bool = False) -> Board:
        """A connected board, closed at the test's end."""
        board = Board.connect(self.port, reconnect=reconnect)
        self._boards.append(board)
        return board

    def close(self) -> None:
        """Close what was connected."""
        for board in self._boards:
            board.close()

    def wait(self, seconds: float) -> None:
        """Let the board's time pass."""
        if self.emulated is not None:
            self.emulated.wait(seconds)
        else:
            time.sleep(seconds)

    def keep(
        self, board: Board, command: Callable[[], object], chip_seconds: float
    ) -> list[BoardState]:
        """Repeat a command at every state, as a host must; gives the states."""
        states = [board.wait_state()]
        while (states[-1].chip_us - states[0].chip_us) < chip_seconds * 1e6:
            command()
            states.append(board.wait_state(after=states[-1]))
        return states

    def keep_until(self, board: Board, what: Callable[[], bool], chip_seconds: float) -> None:
        """Take states until something holds; it must within that time."""
        first = state = board.wait_state()
        while not what():
            assert state.chip_us - first.chip_us < chip_seconds * 1e6, "it did not happen"
            state = board.wait_state(after=state)


def ms_between(start_cycle: int, end_cycle: int) -> float:
    """Emulated milliseconds."""
    return (end_cycle - start_cycle) * 1e3 / CPU_HZ
