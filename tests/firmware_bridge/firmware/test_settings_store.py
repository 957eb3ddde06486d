"""Settings in non-volatile memory, and supplies that fail in mid-write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from host_chip import HostChip

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType, SettingsSource, Status

StartChip = Callable[..., HostChip]
EMPTY = b"\xff" * 128
# Invalidated, 52 more bytes, and the version at last.
STEPS = 54


def settings_of(chip: HostChip) -> tuple[messages.DriveSettings, messages.ServoSettings]:
    return (
        messages.DriveSettings.unpack(chip.ask(MessageType.GET_DRIVE_SETTINGS).payload),
        messages.ServoSettings.unpack(chip.ask(MessageType.GET_SERVO_SETTINGS).payload),
    )


def change(chip: HostChip, number: int) -> None:
    """Settings that every byte of differs from `number` to `number`."""
    drive, servo = settings_of(chip)
    drive = messages.DriveSettings(
        **{
            **vars(drive),
            "counts_per_revolution": 0x0101 * number,
            "wheel_diameter": 0x0203 * number,
            "wheel_separation": 0x0401 * number,
            "feed_forward": 0x0103 * number,
        }
    )
    servo = messages.ServoSettings(**{**vars(servo), "trim": (number, -number, 2 * number)})
    for type_, settings in (
        (MessageType.DRIVE_SETTINGS, drive),
        (MessageType.SERVO_SETTINGS, servo),
    ):
        assert status_of(chip, type_, settings.pack()) == Status.OK


def status_of(chip: HostChip, type_: MessageType, payload: bytes = b"") -> int:
    return messages.Ack.unpack(chip.ask(type_, payload).payload).status


def save(chip: HostChip) -> bytes:
    """Let it save; gives the memory's content."""
    assert status_of(chip, MessageType.SAVE_SETTINGS) == Status.OK
    chip.run(0.1)
    assert not chip.state().flags & messages.FLAG_SAVING
    return bytes(chip.world.memory)


def restarted(start_chip: StartChip, memory: bytes) -> tuple[HostChip, int]:
    chip = start_chip(memory)
    return chip, chip.hello().settings_source


def test_empty_memory_gives_the_built_in_values(start_chip: StartChip) -> None:
    chip, source = restarted(start_chip, EMPTY)
    assert source == SettingsSource.EMPTY
    drive, servo = settings_of(chip)
    assert drive.max_speed == messages.MAX_SPEED and servo.scale == (900, 900, 900)


def test_what_is_saved_is_there_after_a_restart(start_chip: StartChip, chip: HostChip) -> None:
    memory = EMPTY
    for number in range(1, 7):
        change(chip, number)
        wanted = settings_of(chip)
        memory = save(chip)
        chip, source = restarted(start_chip, memory)
        assert source == SettingsSource.SAVED
        assert settings_of(chip) == wanted


def test_unsaved_settings_do_not_survive(start_chip: StartChip, chip: HostChip) -> None:
    built_in = settings_of(chip)
    change(chip, 3)
    assert settings_of(chip) != built_in
    chip, _ = restarted(start_chip, bytes(chip.world.memory))
    assert settings_of(chip) == built_in


@pytest.mark.parametrize("saves_before", [1, 2, 3])
def test_the_power_fails_at_any_byte_of_a_save(start_chip: StartChip, saves_before: int) -> None:
    chip, _ = restarted(start_chip, EMPTY)
    memory = EMPTY
    for number in range(1, saves_before + 1):
        change(chip, number)
        memory = save(chip)
    old = settings_of(chip)
    seen = set()
    for writes in range(STEPS + 1):
        chip, _ = restarted(start_chip, memory)
        change(chip, 9)
        new = settings_of(chip)
        chip.world.writes_left = writes
        torn = save(chip)
        after, source = restarted(start_chip, torn)
        assert source == SettingsSource.SAVED
        assert settings_of(after) in (old, new), writes
        seen.add(settings_of(after) == new)
    assert seen == {False, True}


def test_the_power_fails_in_the_first_save_of_all(start_chip: StartChip) -> None:
    for writes in range(STEPS):
        chip, _ = restarted(start_chip, EMPTY)
        built_in = settings_of(chip)
        change(chip, 5)
        chip.world.writes_left = writes
        after, source = restarted(start_chip, save(chip))
        if source != SettingsSource.SAVED:
            assert settings_of(after) == built_in, writes


def test_a_broken_slot_leaves_the_older_one(start_chip: StartChip, chip: HostChip) -> None:
    change(chip, 1)
    first = save(chip)
    old = settings_of(chip)
    change(chip, 2)
    second = save(chip)
    newest = [i for i in range(128) if first[i] != second[i]]
    for at in newest:
        broken = bytearray(second)
        broken[at] ^= 0x10
        after, source = restarted(start_chip, bytes(broken))
        assert source == SettingsSource.SAVED
        assert settings_of(after) == old


def test_corrupt_memory_gives_the_built_in_values(start_chip: StartChip, chip: HostChip) -> None:
    built_in = settings_of(chip)
    change(chip, 1)
    memory = bytearray(save(chip))
    for at, byte in enumerate(memory):
        if byte != 0xFF:
            broken = bytearray(memory)
            broken[at] ^= 0x01
            after, source = restarted(start_chip, bytes(broken))
            assert source == SettingsSource.CORRUPT, at
            assert settings_of(after) == built_in
    _, source = restarted(start_chip, bytes(128))
    assert source == SettingsSource.CORRUPT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("counts_per_revolution", 0),
        ("wheel_diameter", 0),
        ("wheel_separation", 0),
        ("feed_forward", 16385),
        ("proportional", 16385),
        ("integral", 16385),
        ("max_speed", 99),
        ("max_speed", 5001),
        ("battery_cut_mv", 15001),
        ("options", 0x20),
    ],
)
def test_a_bad_drive_setting_is_refused_with_all_its_message(
    chip: HostChip, field: str, value: int
) -> None:
    before = settings_of(chip)
    bad = messages.DriveSettings(**{**vars(before[0]), "counts_per_revolution": 777, field: value})
    assert status_of(chip, MessageType.DRIVE_SETTINGS, bad.pack()) == Status.BAD_VALUE
    assert settings_of(chip) == before


@pytest.mark.parametrize("servo", range(3))
@pytest.mark.parametrize(
    "values",
    [
        {"lowest": -1801},
        {"highest": 1801},
        {"lowest": 500, "highest": 400},
        {"trim": 501},
        {"trim": -32768},
        {"scale": 0},
        {"scale": -32768},
        {"scale": 3001},
        {"speed": 0},
        {"speed": 2001},
        {"highest": 1200},  # 2,700 us
        {"lowest": -1200},  # 300 us
        {"scale": -1200, "highest": 900, "lowest": -900},  # 300 us
    ],
)
def test_a_bad_servo_setting_is_refused_with_all_its_message(
    chip: HostChip, servo: int, values: dict[str, int]
) -> None:
    before = settings_of(chip)
    fields = {name: list(value) for name, value in vars(before[1]).items()}
    fields["speed"] = [77, 77, 77]
    for name, value in values.items():
        fields[name][servo] = value
    bad = messages.ServoSettings(**{name: tuple(value) for name, value in fields.items()})
    assert status_of(chip, MessageType.SERVO_SETTINGS, bad.pack()) == Status.BAD_VALUE
    assert settings_of(chip) == before


def test_settings_wait_for_the_motors_and_for_a_save(chip: HostChip) -> None:
    drive = settings_of(chip)[0].pack()
    chip.drive(1000, 1000)
    requests = [
        (MessageType.DRIVE_SETTINGS, drive),
        (MessageType.SERVO_SETTINGS, settings_of(chip)[1].pack()),
        (MessageType.SAVE_SETTINGS, b""),
        (MessageType.DEFAULT_SETTINGS, b""),
    ]
    for request in requests:
        assert status_of(chip, *request) == Status.BUSY
    chip.ask(MessageType.STOP)
    chip.world.memory_busy = True
    assert status_of(chip, MessageType.SAVE_SETTINGS) == Status.OK
    assert chip.state().flags & messages.FLAG_SAVING
    for type_, payload in requests:
        # A save that is repeated, since its reply got lost, is the same save.
        wanted = Status.OK if type_ == MessageType.SAVE_SETTINGS else Status.BUSY
        assert status_of(chip, type_, payload) == wanted
    chip.world.memory_busy = False
    chip.run(0.1)
    for request in requests:
        assert status_of(chip, *request) == Status.OK
        chip.run(0.1)


def test_a_repeated_save_is_one_save(start_chip: StartChip, chip: HostChip) -> None:
    change(chip, 1)
    first = save(chip)
    change(chip, 2)
    new = settings_of(chip)
    for _ in range(10):
        assert status_of(chip, MessageType.SAVE_SETTINGS) == Status.OK
    assert chip.state().flags & messages.FLAG_SAVING
    chip.run(0.1)
    memory = bytes(chip.world.memory)
    # The older slot alone has changed.
    assert {at // 64 for at in range(128) if first[at] != memory[at]} == {0}
    after, _ = restarted(start_chip, memory)
    assert settings_of(after) == new


def test_default_settings_hold_at_once_and_are_not_saved(
    start_chip: StartChip, chip: HostChip
) -> None:
    built_in = settings_of(chip)
    change(chip, 4)
    changed = settings_of(chip)
    memory = save(chip)
    assert status_of(chip, MessageType.DEFAULT_SETTINGS) == Status.OK
    assert settings_of(chip) == built_in
    chip, _ = restarted(start_chip, memory)
    assert settings_of(chip) == changed
