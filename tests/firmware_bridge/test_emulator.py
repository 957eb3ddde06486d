import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import CPU_HZ, Emulator, EmulatorError, WheelModel

KeepDriving = Callable[[int, int, float], None]

ORPHAN_MAKER = """
import time
from reflexarc.firmware_bridge.emulator import Emulator
emulator = Emulator()
print(emulator.pid, emulator.port, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_emulated_time_keeps_up_with_the_clock(emulator: Emulator) -> None:
    before = emulator.status()
    after = emulator.wait(0.5)
    # The pair of clocks belongs together, so this holds on a busy machine too.
    assert after.cycle_at(after.wall_ns) == after.cycle
    assert after.cycle - before.cycle >= 0.5 * CPU_HZ


def test_it_can_run_faster(firmware: FirmwareImage) -> None:
    with Emulator(firmware, speed=0) as emulator:
        status = emulator.wait(20)
        assert status.seconds >= 20 and status.alive


def test_the_trace_follows_a_command_through_the_chip(emulator: Emulator, board: Board) -> None:
    emulator.trace()
    sent_ns = time.monotonic_ns()
    board.drive(3000, 0)
    answered_ns = time.monotonic_ns()
    emulator.wait(0.02)
    trace = emulator.trace()
    (frame,) = trace.frames
    first_change = trace.motor[0]
    assert (first_change.motor, trace.lost) == (0, 0)
    assert sent_ns < frame.first_wall_ns < frame.end_wall_ns < answered_ns
    # Ten bytes; nine byte times of 320 cycles between the first and the last.
    assert frame.length == 10
    assert frame.end_cycle - frame.first_cycle == pytest.approx(9 * 320, abs=8)
    assert frame.end_cycle < first_change.cycle


def test_the_trace_is_fetched_once(emulator: Emulator, board: Board) -> None:
    board.drive(3000, 3000)
    emulator.wait(0.02)
    board.stop()
    emulator.wait(0.1)
    assert emulator.trace().motor[-1].duty == 0
    assert emulator.trace() == ([], [], 0)


def test_long_traces_come_whole(emulator: Emulator, board: Board) -> None:
    emulator.trace()
    before = board.statistics().frames_sent
    for _ in range(450):
        board.drive(0, 0)
    sent = board.statistics().frames_sent - before
    emulator.wait(0.05)
    assert len(emulator.trace().frames) == sent >= 450


def test_a_body_outside_can_turn_the_wheels(emulator: Emulator, board: Board) -> None:
    emulator.exchange(0, 0)
    board.drive(2750, -2750)
    emulator.wait(0.05)
    drive = emulator.exchange(1000, -500).drive
    assert drive[0] > 0.3 and drive[1] < -0.3
    emulator.wait(0.5)
    state = board.wait_state()
    assert state.speed == (pytest.approx(1000, abs=5), pytest.approx(-500, abs=5))


def test_a_weaker_motor_is_slower(firmware: FirmwareImage) -> None:
    weak = WheelModel(no_load_speed=2000)
    with Emulator(firmware, wheel=weak) as emulator, Board.connect(emulator.port) as board:
        for _ in range(30):
            board.drive(5000, 5000)
            emulator.wait(0.02)
        assert emulator.status().speed[0] == pytest.approx(2000, rel=0.05)
        assert board.wait_state().saturated


def test_the_port_can_be_named(firmware: FirmwareImage, tmp_path: Path) -> None:
    path = tmp_path / "ttyROVER"
    with Emulator(firmware, link_path=path) as emulator:
        assert emulator.port == str(path)
        Board.connect(str(path)).close()
    assert not path.is_symlink()


def test_nothing_stays_behind(firmware: FirmwareImage) -> None:
    emulator = Emulator(firmware)
    folder = Path(emulator.port).parent
    emulator.close()
    emulator.close()
    assert not is_running(emulator.pid)
    assert not folder.exists()
    with pytest.raises(EmulatorError, match="closed"):
        emulator.status()


def test_it_does_not_outlive_a_killed_python() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHAN_MAKER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid, port = process.stdout.readline().decode().split()
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while is_running(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not Path(port).parent.exists()


def test_a_file_that_is_no_firmware(tmp_path: Path) -> None:
    (tmp_path / "firmware.elf").write_text("not an ELF file")
    with pytest.raises(EmulatorError, match="check that the firmware is an ELF file"):
        Emulator(tmp_path / "firmware.elf")


def test_a_folder_that_is_not_there(firmware: FirmwareImage) -> None:
    with pytest.raises(EmulatorError, match="No such file or directory"):
        Emulator(firmware, link_path="/nowhere/tty")
