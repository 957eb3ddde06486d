"""The firmware's binary on the emulated chip: what only the chip's own parts can show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from raw_line import RawLine

from reflexarc.firmware_bridge.build import FirmwareImage, build_firmware
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType, SettingsSource, Status

RAM_BYTES = 2048
STACK_RESERVE, GUARD_BYTES = 320, 48


@pytest.fixture
def line(emulator: EmulatedBoard) -> Iterator[RawLine]:
    with RawLine(emulator.port) as opened:
        opened.hello()
        yield opened


def drive_settings(line: RawLine) -> messages.DriveSettings:
    return messages.DriveSettings.unpack(line.ask(MessageType.GET_DRIVE_SETTINGS).payload)


def with_test_hooks() -> EmulatedBoard:
    return EmulatedBoard(build_firmware({"REFLEXARC_TEST_HOOKS": 1}))


def test_it_says_what_it_is(line: RawLine) -> None:
    hello = line.hello()
    assert hello.board_kind == messages.BoardKind.ATMEGA328P
    assert hello.firmware_version == (0, 2)
    assert hello.capabilities == 0x00FF
    assert hello.settings_source == SettingsSource.EMPTY
    assert hello.receive_buffer == 127


def test_settings_are_in_the_eeprom_after_a_reset(emulator: EmulatedBoard, line: RawLine) -> None:
    settings = messages.DriveSettings(**{**vars(drive_settings(line)), "max_speed": 4321})
    assert line.status(MessageType.DRIVE_SETTINGS, settings.pack()) == Status.OK
    assert line.status(MessageType.SAVE_SETTINGS) == Status.OK
    started = emulator.status().cycle
    while line.state().flags & messages.FLAG_SAVING:
        assert emulator.status().cycle - started < CPU_HZ
    emulator.reset()
    assert line.hello().settings_source == SettingsSource.SAVED
    assert drive_settings(line) == settings
    assert line.drive(5000, -5000) == (4321, -4321)


def test_saving_does_not_hold_up_the_control(emulator: EmulatedBoard, line: RawLine) -> None:
    line.status(MessageType.SAVE_SETTINGS)
    emulator.wait(0.3)
    assert not line.state().flags & messages.FLAG_SAVING
    assert line.health().longest_period_us < 11_000


def test_a_reset_in_mid_save_leaves_the_older_settings(
    emulator: EmulatedBoard, line: RawLine
) -> None:
    old = messages.DriveSettings(**{**vars(drive_settings(line)), "max_speed": 4000})
    line.status(MessageType.DRIVE_SETTINGS, old.pack())
    line.status(MessageType.SAVE_SETTINGS)
    emulator.wait(0.4)
    new = messages.DriveSettings(**{**vars(old), "max_speed": 3000})
    for _ in range(4):
        line.status(MessageType.DRIVE_SETTINGS, new.pack())
        line.status(MessageType.SAVE_SETTINGS)
        emulator.wait(0.03)
        emulator.reset()
        assert line.hello().settings_source == SettingsSource.SAVED
        assert drive_settings(line) == old


def test_the_stack_stays_within_its_reserve(
    emulator: EmulatedBoard, line: RawLine, firmware: FirmwareImage
) -> None:
    line.status(MessageType.SAVE_SETTINGS)
    for _ in range(10):
        line.drive(5000, -5000)
        line.ask(MessageType.SERVOS, messages.Servos((300, 300, 300), 7).pack())
        line.ask(MessageType.GET_SERVO_SETTINGS)
        emulator.wait(0.05)
    static_bytes = firmware.ram_bytes - STACK_RESERVE
    used = RAM_BYTES - static_bytes - GUARD_BYTES - line.health().stack_free
    assert 60 < used <= STACK_RESERVE


def test_a_stack_overflow_restarts_the_chip_with_its_cause() -> None:
    with with_test_hooks() as emulator, RawLine(emulator.port) as line:
        line.hello()
        while abs(emulator.status().speed[0]) < 2000:
            line.drive(4000, 4000)
        line.send(MessageType.OVERFLOW)
        status = emulator.wait(0.2)
        assert status.resets == 1 and status.duty == (0, 0)
        # One control period until the guard is looked at; the reset comes later.
        assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.012 * CPU_HZ
        hello = line.hello()
        assert hello.reset_cause == messages.RESET_STACK_OVERFLOW
        assert (hello.boots, hello.last_session) == (2, 0)
        emulator.reset()
        assert line.hello().reset_cause == messages.RESET_EXTERNAL


def test_the_watchdog_restarts_a_chip_that_hangs() -> None:
    with with_test_hooks() as emulator, RawLine(emulator.port) as line:
        assert line.hello().capabilities & messages.CAPABILITY_TEST_HOOKS
        while abs(emulator.status().speed[0]) < 2000:
            line.drive(4000, 4000)
        line.send(MessageType.HANG)
        status = emulator.wait(0.3)
        assert status.resets == 1 and status.duty == (0, 0)
        # 120 ms, and up to one control period since the last kick.
        assert max(status.last_edge_cycle) - status.last_rx_cycle < 0.135 * CPU_HZ
        hello = line.hello()
        assert hello.reset_cause & messages.RESET_WATCHDOG
        assert (hello.boots, hello.last_session) == (2, 0)


def test_edges_are_timed_well_enough_for_a_steady_speed(
    emulator: EmulatedBoard, line: RawLine
) -> None:
    emulator.exchange(1234.0, -789.0)
    emulator.wait(0.2)
    for _ in range(20):
        state = line.state()
        assert state.speed[0] == pytest.approx(1234, abs=3)
        assert state.speed[1] == pytest.approx(-789, abs=3)


@pytest.mark.parametrize("mm", [7_000, 42_000, 45_000])
def test_a_range_sensor_that_answers_too_late_answers_nothing(
    emulator: EmulatedBoard, line: RawLine, mm: int
) -> None:
    emulator.set_range(mm)
    for _ in range(30):
        emulator.wait(0.05)
        assert line.health().range_mm == messages.RANGE_NONE
    emulator.set_range(500)
    emulator.wait(0.5)
    assert line.health().range_mm == pytest.approx(500, abs=2)


def test_no_edge_is_lost_at_full_speed_on_a_busy_line(
    emulator: EmulatedBoard, line: RawLine
) -> None:
    start = line.state().encoder
    emulator.exchange(5000.0, -5000.0)
    end_cycle = emulator.status().cycle + 2 * CPU_HZ
    while emulator.status().cycle < end_cycle:
        for _ in range(8):
            line.send(MessageType.GET_STATE)
        line.read(0.01)
    emulator.exchange(0.0, 0.0)
    emulator.wait(0.05)
    end, truth = line.state().encoder, emulator.status().encoder
    assert abs(truth[0]) > 5000
    assert [end[i] - start[i] for i in (0, 1)] == list(truth)
    assert line.health().longest_period_us < 11_500
