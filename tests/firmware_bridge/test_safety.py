"""Whatever dies, the motors end stopped. Times are the emulated chip's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from reflexarc.firmware_bridge import Board, LinkLostError
from reflexarc.firmware_bridge.build import build_firmware
from reflexarc.firmware_bridge.emulator import CPU_HZ, Emulator, EmulatorStatus
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType

KeepDriving = Callable[[int, int, float], None]

DRIVING_HOST = """
import sys, time
from reflexarc.firmware_bridge import Board
board = Board.connect(sys.argv[1])
while True:
    board.drive(3000, -3000)
    time.sleep(0.02)
"""


@pytest.fixture
def driving_host(emulator: Emulator) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that drives the board for ever."""
    with subprocess.Popen([sys.executable, "-c", DRIVING_HOST, emulator.port]) as process:
        while abs(emulator.status().speed[0]) < 2000:
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


def assert_quiet_after_host_timeout(status: EmulatorStatus) -> None:
    silent = [edge - status.last_rx_cycle for edge in status.last_edge_cycle]
    assert status.duty == (0, 0)
    assert min(silent) > 0.290 * CPU_HZ
    assert max(silent) < 0.310 * CPU_HZ


def test_host_is_killed(emulator: Emulator, driving_host: subprocess.Popen[bytes]) -> None:
    os.kill(driving_host.pid, signal.SIGKILL)
    driving_host.wait()
    assert_quiet_after_host_timeout(emulator.wait(0.5))


def test_host_is_frozen(emulator: Emulator, driving_host: subprocess.Popen[bytes]) -> None:
    os.kill(driving_host.pid, signal.SIGSTOP)
    assert_quiet_after_host_timeout(emulator.wait(0.5))


def test_host_is_silent(emulator: Emulator, board: Board, keep_driving: KeepDriving) -> None:
    keep_driving(3000, -3000, 0.3)
    assert_quiet_after_host_timeout(emulator.wait(0.5))
    state = board.wait_state()
    assert state.host_timed_out and not state.motors_on


def test_after_a_timeout_only_a_drive_starts_them_again(
    emulator: Emulator, board: Board, keep_driving: KeepDriving
) -> None:
    keep_driving(3000, -3000, 0.3)
    quiet = emulator.wait(0.5)
    board._link.request(MessageType.NONE)
    assert emulator.wait(0.1).last_edge_cycle == quiet.last_edge_cycle
    keep_driving(3000, -3000, 0.3)
    assert not board.wait_state().host_timed_out
    assert emulator.status().speed[0] > 2000


def test_the_cable_is_pulled(emulator: Emulator, board: Board, keep_driving: KeepDriving) -> None:
    keep_driving(3000, -3000, 0.3)
    emulator.unplug()
    with pytest.raises(LinkLostError, match=r"unplugged.*check the cable"):
        while True:
            board.drive(3000, -3000)
    with pytest.raises(LinkLostError):
        board.wait_state()
    assert_quiet_after_host_timeout(emulator.wait(0.5))


def test_after_replugging_the_board_is_there_again(emulator: Emulator, board: Board) -> None:
    emulator.unplug()
    with pytest.raises(LinkLostError):
        board.wait_state(after=board.state, timeout_s=5)
    emulator.replug()
    with Board.connect(emulator.port) as again:
        assert again.hello.boots == 1
        assert again.drive(1000, 1000) == (1000, 1000)


def test_the_chip_hangs() -> None:
    with Emulator(build_firmware({"REFLEXARC_TEST_HOOKS": 1})) as emulator:
        with Board.connect(emulator.port) as board:
            for _ in range(10):
                board.drive(4000, 4000)
                emulator.wait(0.02)
            board._link.send(MessageType.HANG)
            status = emulator.wait(0.3)
        assert status.resets == 1
        assert status.duty == (0, 0)
        # 120 ms of watchdog, and up to one control period since its last kick.
        assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.135 * CPU_HZ
        with Board.connect(emulator.port) as board:
            assert board.hello.reset_cause & messages.RESET_WATCHDOG
            assert board.hello.boots == 2
            state = board.wait_state()
            assert state.watchdog_reset and not state.motors_on


def test_reset_leaves_the_motors_off_and_the_encoders_right(
    emulator: Emulator, board: Board, keep_driving: KeepDriving
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


def test_an_interpreter_that_just_ends_does_not_hang(emulator: Emulator) -> None:
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
