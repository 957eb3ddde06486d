"""What ends, ends with stopped motors. Times are the emulated chip's; tests/hil breaks more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.protocol import messages

KeepDriving = Callable[[int, int, float], None]


def test_after_a_timeout_only_a_drive_starts_them_again(
    emulator: EmulatedBoard, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(3000, -3000, 0.3)
    quiet = emulator.wait(0.5)
    assert board.wait_state().host_timed_out
    board.set_light("red")
    board.read_settings()
    assert emulator.wait(0.1).last_edge_cycle == quiet.last_edge_cycle
    keep_driving(3000, -3000, 0.3)
    assert not board.wait_state().host_timed_out
    assert emulator.status().speed[0] > 2000


def test_a_reset_leaves_the_encoders_right(
    emulator: EmulatedBoard, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(3000, 3000, 0.3)
    emulator.reset()
    status = emulator.wait(0.5)
    assert status.duty == (0, 0) and status.resets == 1
    board.close()
    with Board.connect(emulator.port) as again:
        assert again.hello.reset_cause == messages.RESET_EXTERNAL
        start, before = again.wait_state().encoder, emulator.status().encoder
        for _ in range(10):
            again.drive(2000, -2000)
            emulator.wait(0.02)
        again.stop()
        after = emulator.wait(0.5).encoder
        end = again.wait_state().encoder
    moved = [end[wheel] - start[wheel] for wheel in (0, 1)]
    assert moved == [after[wheel] - before[wheel] for wheel in (0, 1)]
    assert moved[0] > 100 and moved[1] < -100


def test_an_interpreter_that_just_ends_does_not_hang(emulator: EmulatedBoard) -> None:
    code = (
        "import sys\nfrom reflexarc.firmware_bridge import Board\n"
        "board = Board.connect(sys.argv[1])\nboard.drive(3000, 3000)\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, emulator.port],
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    status = emulator.wait(0.05)
    assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.002 * CPU_HZ, "no stop was sent"
