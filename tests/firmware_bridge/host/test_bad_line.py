"""A cable that breaks bytes; tests/hil has the commands."""

import os

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard


def test_states_go_on_past_broken_ones(emulator: EmulatedBoard, board: Board) -> None:
    emulator.faults(flip_ppm=20_000)
    state = board.wait_state()
    for _ in range(100):
        state = board.wait_state(after=state)
        assert 6.9 < state.battery_v < 7.9
        assert state.encoder == (0, 0)
    statistics = board.statistics()
    assert statistics.crc_errors + statistics.framing_errors > 0
    assert statistics.states_missed > 0


def test_connecting_over_a_bad_line(emulator: EmulatedBoard) -> None:
    emulator.faults(flip_ppm=10_000, drop_ppm=10_000)
    with Board.connect(emulator.port, timeout_s=10) as board:
        assert board.drive(1000, 1000) == (1000, 1000)


def test_noise_before_a_frame_does_no_harm(emulator: EmulatedBoard, board: Board) -> None:
    os.write(board._engine.link._fd, bytes(range(1, 256)) * 4)
    emulator.wait(0.15)  # it comes with the next Health
    assert board.drive(1000, 1000) == (1000, 1000)
    assert board.wait_state().rx_errors > 0
