import contextlib
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from programs import run_program

from reflexarc.firmware_bridge import Board, BoardFaultError, ConnectionStatus, LinkLostError
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard, EmulatorError, WheelModel

KeepDriving = Callable[[int, int, float], None]

ORPHAN_MAKER = """
import time
from reflexarc.firmware_bridge.emulator import EmulatedBoard
emulator = EmulatedBoard()
print(emulator.pid, emulator.port, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_emulated_time_keeps_up_with_the_clock(emulator: EmulatedBoard) -> None:
    before = emulator.status()
    after = emulator.wait(0.5)
    # The pair of clocks belongs together, so this holds on a busy machine too.
    assert after.cycle_at(after.wall_ns) == after.cycle
    assert after.cycle - before.cycle >= 0.5 * CPU_HZ


def test_it_can_run_faster(firmware: FirmwareImage) -> None:
    with EmulatedBoard(firmware, speed=0) as emulator:
        status = emulator.wait(20)
        assert status.seconds >= 20 and status.alive


def test_the_trace_follows_a_command_through_the_chip(
    emulator: EmulatedBoard, board: Board
) -> None:
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


def test_the_trace_is_fetched_once(emulator: EmulatedBoard, board: Board) -> None:
    board.drive(3000, 3000)
    emulator.wait(0.02)
    board.stop()
    emulator.wait(0.1)
    assert emulator.trace().motor[-1].duty == 0
    assert emulator.trace() == ([], [], [], 0)


def test_long_traces_come_whole(emulator: EmulatedBoard, board: Board) -> None:
    emulator.trace()
    before = board.statistics().frames_sent
    for _ in range(450):
        board.drive(0, 0)
    sent = board.statistics().frames_sent - before
    emulator.wait(0.05)
    assert len(emulator.trace().frames) == sent >= 450


def test_a_body_outside_can_turn_the_wheels(emulator: EmulatedBoard, board: Board) -> None:
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
    with EmulatedBoard(firmware, wheel=weak) as emulator, Board.connect(emulator.port) as board:
        for _ in range(30):
            board.drive(5000, 5000)
            emulator.wait(0.02)
        assert emulator.status().speed[0] == pytest.approx(2000, rel=0.05)
        assert board.wait_state().saturated


def test_the_port_can_be_named(firmware: FirmwareImage, tmp_path: Path) -> None:
    path = tmp_path / "ttyROVER"
    with EmulatedBoard(firmware, link_path=path) as emulator:
        assert emulator.port == str(path)
        Board.connect(str(path)).close()
    assert not path.is_symlink()


def test_nothing_stays_behind(firmware: FirmwareImage) -> None:
    emulator = EmulatedBoard(firmware)
    folder = Path(emulator.port).parent
    emulator.close()
    emulator.close()
    assert not is_running(emulator.pid)
    assert not folder.exists()
    with pytest.raises(EmulatorError, match="closed"):
        emulator.status()


def test_it_does_not_outlive_a_killed_python() -> None:
    with run_program([sys.executable, "-c", ORPHAN_MAKER], stdout=subprocess.PIPE) as process:
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
        EmulatedBoard(tmp_path / "firmware.elf")


def test_a_folder_that_is_not_there(firmware: FirmwareImage) -> None:
    with pytest.raises(EmulatorError, match="No such file or directory"):
        EmulatedBoard(firmware, link_path="/nowhere/tty")


# ---- the world outside


def restarted(emulator: EmulatedBoard, board: Board) -> Board:
    end = emulator.status().seconds + 3
    while board.status is not ConnectionStatus.RESTARTED:
        assert emulator.status().seconds < end
        time.sleep(0.005)
    board.rearm()
    return board


def test_a_reset_leaves_the_world_outside_as_it_was(emulator: EmulatedBoard, board: Board) -> None:
    emulator.press_bump(True)
    emulator.open_emergency_stop(True)
    emulator.reset()
    state = restarted(emulator, board).wait_state()
    assert state.bump and state.emergency_stop
    emulator.press_bump(False)
    emulator.open_emergency_stop(False)
    emulator.reset()
    state = restarted(emulator, board).wait_state()
    assert not state.bump and not state.emergency_stop


@pytest.mark.parametrize("mm", [30, 250, 1500])
def test_the_range_sensor_answers(emulator: EmulatedBoard, board: Board, mm: int) -> None:
    emulator.set_range(mm)
    emulator.wait(0.3)
    assert board.wait_state().range_m == pytest.approx(mm / 1000, abs=0.003)
    emulator.set_range(None)
    asked = emulator.status().range_questions
    emulator.wait(0.5)
    assert board.wait_state().range_m is None
    assert emulator.status().range_questions > asked


def test_servo_pulses_are_measured_on_the_pins(emulator: EmulatedBoard, board: Board) -> None:
    assert emulator.status().servo_us == (0, 0, 0)
    for pin in ("B1", "B2", "C1"):
        emulator.watch(pin)
    board.set_servos({"pan": 0.0, "tilt": 0.0, "gripper": 0.0})
    status = emulator.wait(0.5)
    assert status.servo_us == pytest.approx((1500, 1500, 1500), abs=20)
    edges = emulator.trace().pins
    for pin in ("B1", "B2", "C1"):
        rises = [edge.cycle for edge in edges if edge.pin == pin and edge.high]
        levels = [edge.high for edge in edges if edge.pin == pin]
        assert len(rises) > 20
        assert all(a != b for a, b in itertools.pairwise(levels))
        for a, b in itertools.pairwise(rises):
            assert (b - a) / CPU_HZ == pytest.approx(0.02, abs=50e-6)
    board.release_servos(["tilt"])
    pan, tilt, gripper = emulator.wait(0.1).servo_us
    assert pan > 1000 and gripper > 1000 and tilt == 0


def test_the_light_is_seen(emulator: EmulatedBoard, board: Board) -> None:
    board.set_light("yellow")
    assert emulator.status().light == (1, 1, 0)


def test_the_eeprom_outlives_the_emulator(firmware: FirmwareImage, tmp_path: Path) -> None:
    path = tmp_path / "eeprom.bin"
    with EmulatedBoard(firmware, eeprom=path) as emulator, Board.connect(emulator.port) as board:
        assert board.info.settings_source == "empty"
        changed = board.read_settings().model_copy(update={"max_speed": 4321})
        board.write_settings(changed)
        board.save_settings()
    assert path.stat().st_size == 1024
    with EmulatedBoard(firmware, eeprom=path) as emulator, Board.connect(emulator.port) as board:
        assert board.info.settings_source == "saved"
        assert board.read_settings() == changed


def test_an_eeprom_file_that_cannot_be_read(firmware: FirmwareImage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmulatorError, match="EEPROM file"):
        EmulatedBoard(firmware, eeprom=tmp_path / "file" / "eeprom.bin")


def test_the_trace_as_a_file_for_gtkwave(firmware: FirmwareImage, tmp_path: Path) -> None:
    path = tmp_path / "board.vcd"
    with (
        EmulatedBoard(firmware, vcd=path) as emulator,
        Board.connect(emulator.port) as board,
    ):
        board.set_servos({"pan": 0.0})
        emulator.wait(0.2)
    text = path.read_text()
    code = dict(re.findall(r"\$var wire 1 (.) (\w+) ", text))
    pan = next(key for key, name in code.items() if name == "pan")
    now, rise, widths = 0, 0, []
    for line in text.partition("$end\n#0")[2].splitlines():
        if line.startswith("#"):
            now = int(line[1:])
        elif line == f"1{pan}":
            rise = now
        elif line == f"0{pan}" and rise:
            widths.append((now - rise) / 1e7)  # of 100 ps, to ms
    assert len(widths) >= 8
    assert widths == pytest.approx([1.5] * len(widths), abs=0.02)


def test_a_brown_out_forgets_everything(emulator: EmulatedBoard, board: Board) -> None:
    board.set_light("red")
    emulator.brown_out(0.2)
    assert emulator.status().in_reset
    assert emulator.status().light == (0, 0, 0)
    assert not emulator.wait(0.25).in_reset
    restarted(emulator, board)
    assert board.info.reset_causes == ("brown_out",)
    assert board.info.boots == 1


def test_a_jammed_wheel_stands(emulator: EmulatedBoard, keep_driving: KeepDriving) -> None:
    emulator.jam_wheel(0, True)
    keep_driving(2000, 2000, 0.2)
    left, right = emulator.status().speed
    assert left == 0 and right > 1500


def test_a_swapped_motor_turns_backward(emulator: EmulatedBoard, board: Board) -> None:
    emulator.swap_motor(1, True)
    board.drive(2000, 2000)
    left, right = emulator.wait(0.05).speed
    assert left > 0 > right


@pytest.mark.parametrize("channel", ["a", "b", "both"])
def test_an_encoder_without_a_wire(
    emulator: EmulatedBoard, keep_driving: KeepDriving, channel: Literal["a", "b", "both"]
) -> None:
    for pin in ("D2", "D3"):
        emulator.watch(pin)
    emulator.unplug_encoder(0, channel)
    emulator.wait(0.01)
    emulator.trace()
    with contextlib.suppress(BoardFaultError):
        keep_driving(2000, 2000, 0.1)
    silent = {"a": {"D2"}, "b": {"D3"}, "both": {"D2", "D3"}}[channel]
    assert {edge.pin for edge in emulator.trace().pins} == {"D2", "D3"} - silent


# ---- the line


def test_a_stalled_line_delivers_late_and_all(emulator: EmulatedBoard, board: Board) -> None:
    board.wait_state()
    missed = board.statistics().states_missed
    emulator.stall_line(0.1)
    before = emulator.status()
    emulator.wait(0.08)
    assert emulator.status().rx_bytes == before.rx_bytes
    emulator.wait(0.1)
    assert board.wait_state().rx_errors == 0
    assert board.statistics().states_missed == missed


def test_injected_bytes_reach_both_ends(emulator: EmulatedBoard, board: Board) -> None:
    before, errors = board.wait_state().rx_errors, board.statistics().crc_errors
    emulator.inject(b"\0nonsense that is a frame\0" * 3)
    emulator.inject_host(b"\0nonsense that is a frame\0" * 3)
    emulator.wait(0.1)
    assert board.wait_state().rx_errors >= before + 3
    statistics = board.statistics()
    assert statistics.crc_errors + statistics.framing_errors >= errors + 3


def test_doubled_bytes_are_counted(emulator: EmulatedBoard, board: Board) -> None:
    emulator.faults(duplicate_ppm=200_000)
    with contextlib.suppress(LinkLostError):
        for _ in range(20):
            board.drive(0, 0)
    emulator.faults()
    assert emulator.status().duplicated > 10


def test_interrupts_are_timed(emulator: EmulatedBoard, keep_driving: KeepDriving) -> None:
    keep_driving(3000, -3000, 0.3)
    worst = emulator.status().worst_latency
    assert {"PCINT1", "PCINT2", "TIMER2_COMPA", "USART_RX", "USART_UDRE"} <= set(worst)
    # A byte at 500 kbaud takes 320 cycles, and the chip holds two more.
    assert worst["USART_RX"] < 320


def test_six_at_once_do_not_mix(firmware: FirmwareImage) -> None:
    with contextlib.ExitStack() as stack:
        emulators = [stack.enter_context(EmulatedBoard(firmware)) for _ in range(6)]
        boards = [stack.enter_context(Board.connect(one.port)) for one in emulators]
        for number, board in enumerate(boards):
            assert board.drive(100 * number, -100 * number) == (100 * number, -100 * number)
        for number, emulator in enumerate(emulators):
            emulator.set_battery(7.0 + number / 10)
        for emulator in emulators:
            emulator.wait(0.3)
        for number, board in enumerate(boards):
            assert board.wait_state().battery_v == pytest.approx(7.0 + number / 10, abs=0.05)


@pytest.mark.parametrize("command", ["nonsense", "inject 0x", "watch Z9", "encoder 7 1", "range"])
def test_a_command_that_it_does_not_know(emulator: EmulatedBoard, command: str) -> None:
    with pytest.raises(EmulatorError, match="to obey"):
        emulator._command(command)
    assert emulator.status().alive
