"""The host's own Board, unchanged, on the second chip."""

from __future__ import annotations

from typing import Any

from reflexarc.firmware_bridge import Board


def test_the_board_connects_and_tells_what_it_has(machine: Any) -> None:
    with Board.connect(machine.port, reconnect=False) as board:
        assert board.info.kind == "stm32f405"
        assert "servos" in board.info.capabilities
        assert "battery" not in board.info.capabilities
        first = board.wait_state()
        second = board.wait_state(after=first)
        assert second.chip_us > first.chip_us
        assert second.encoder == (0, 0)


def test_the_board_drives_it(machine: Any) -> None:
    with Board.connect(machine.port, reconnect=False) as board:
        assert board.drive(500, -500) == (500, -500)
        assert board.read_state().motors_on
        board.stop()
        assert not board.read_state().motors_on
        assert board.set_servos({"pan": 10.0}) == {"pan": 10.0}
