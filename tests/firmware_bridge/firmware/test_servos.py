"""Servo targets, slew limits and pulses."""

from __future__ import annotations

import itertools

import pytest
from host_chip import HostChip

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import SERVO_RELEASED, MessageType

PAN, TILT, GRIPPER = range(3)


def set_servos(chip: HostChip, angles: tuple[int, int, int], mask: int = 7) -> tuple[int, ...]:
    reply = chip.ask(MessageType.SERVOS, messages.Servos(angles, mask).pack())
    return messages.ServosReply.unpack(reply.payload).angle


def change_settings(chip: HostChip, **fields: tuple[int, int, int]) -> None:
    reply = chip.ask(MessageType.GET_SERVO_SETTINGS)
    settings = messages.ServoSettings.unpack(reply.payload)
    changed = messages.ServoSettings(**{**vars(settings), **fields})
    ack = messages.Ack.unpack(chip.ask(MessageType.SERVO_SETTINGS, changed.pack()).payload)
    assert ack.status == 0


def test_no_pulses_before_the_first_command(chip: HostChip) -> None:
    chip.run(0.1)
    assert tuple(chip.world.pulse_us) == (0, 0, 0)
    assert chip.health().servo == (SERVO_RELEASED,) * 3


def test_only_named_servos_get_pulses(chip: HostChip) -> None:
    assert set_servos(chip, (100, 200, 300), mask=0b010) == (SERVO_RELEASED, 200, SERVO_RELEASED)
    chip.run(0.05)
    assert tuple(chip.world.pulse_us) == (0, 1700, 0)


@pytest.mark.parametrize(
    ("angle", "trim", "scale", "pulse"),
    [(0, 0, 900, 1500), (900, 0, 900, 2400), (-450, 20, 900, 1070), (450, -10, -800, 1090)],
)
def test_pulse_of_an_angle(chip: HostChip, angle: int, trim: int, scale: int, pulse: int) -> None:
    change_settings(chip, trim=(0, trim, 0), scale=(900, scale, 900))
    set_servos(chip, (0, angle, 0), mask=0b010)
    assert chip.world.pulse_us[TILT] == pulse


def test_angles_are_clamped_to_the_range(chip: HostChip) -> None:
    assert set_servos(chip, (32766, -32768, 32766)) == (900, -450, 450)
    change_settings(chip, lowest=(-100, -200, -300), highest=(100, 200, 300))
    assert set_servos(chip, (5000, 5000, -5000)) == (100, 200, -300)


@pytest.mark.parametrize("speed", [30, 180, 600])
def test_the_slew_limit_holds(chip: HostChip, speed: int) -> None:
    change_settings(chip, speed=(speed, 180, 180))
    set_servos(chip, (-600, 0, 0), mask=1)
    set_servos(chip, (600, 0, 0), mask=1)
    pulses = [chip.world.pulse_us[PAN]]

    def note() -> None:
        pulses.append(chip.world.pulse_us[PAN])

    chip.each_ms = note
    moving = 0
    while chip.state().flags & messages.FLAG_SERVOS_MOVING:
        moving += 1
        assert moving < 5000
    # 1 us is 0.1 degree; a control period is 10 ms.
    limit = -(-speed // 10)
    steps = [after - before for before, after in itertools.pairwise(pulses)]
    assert max(steps) <= limit and min(steps) >= 0
    assert pulses[-1] == 2100
    turned_ms = next(i for i, pulse in enumerate(pulses) if pulse == 2100)
    assert turned_ms == pytest.approx(120 / speed * 1000, abs=25)


def test_the_first_command_goes_to_its_target_at_once(chip: HostChip) -> None:
    set_servos(chip, (900, 0, 0), mask=1)
    assert chip.world.pulse_us[PAN] == 2400
    assert not chip.state().flags & messages.FLAG_SERVOS_MOVING


def test_a_released_servo_gets_no_pulses(chip: HostChip) -> None:
    set_servos(chip, (300, 300, 300))
    released = set_servos(chip, (SERVO_RELEASED, 0, SERVO_RELEASED), mask=0b101)
    assert released == (SERVO_RELEASED, 300, SERVO_RELEASED)
    assert tuple(chip.world.pulse_us) == (0, 1800, 0)


def test_new_settings_keep_the_pulse_in_the_new_range(chip: HostChip) -> None:
    set_servos(chip, (900, 0, 0), mask=1)
    change_settings(chip, lowest=(-300, -450, -450), highest=(300, 900, 450))
    assert chip.world.pulse_us[PAN] == 1800
    assert chip.health().servo[PAN] == 300
    # Where hal_servo_set() sees a pulse outside of 500..2500 us, it aborts.
    change_settings(chip, scale=(2900, 900, 900))
    chip.run(0.1)
    assert chip.world.pulse_us[PAN] == 1500 + 300 * 2900 // 900
