"""What the firmware finds wrong with a wheel, and what it must not."""

from __future__ import annotations

import random

import pytest
from host_chip import HostChip

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

LEFT, RIGHT = 0, 1
FAULTS = {
    ("encoder", LEFT): messages.FAULT_ENCODER_LEFT,
    ("encoder", RIGHT): messages.FAULT_ENCODER_RIGHT,
    ("stall", LEFT): messages.FAULT_STALL_LEFT,
    ("stall", RIGHT): messages.FAULT_STALL_RIGHT,
    ("runaway", LEFT): messages.FAULT_RUNAWAY_LEFT,
    ("runaway", RIGHT): messages.FAULT_RUNAWAY_RIGHT,
}


def until_off(chip: HostChip, left: int, right: int, most_s: float) -> float:
    """Drive until the motors are off; gives the seconds."""
    start = chip.world.us
    payload = messages.Drive((left, right)).pack()
    while chip.world.us - start < most_s * 1e6:
        if (chip.world.us - start) % 20_000 == 0:
            chip.send(MessageType.DRIVE, payload)
        chip.run(0.001)
        if chip.world.us - start > 30_000 and chip.duty == (0, 0):
            return float(chip.world.us - start) / 1e6
    raise AssertionError(f"still driving after {most_s} s: {chip.duty}, {chip.motors}")


# ---- what is normal


@pytest.mark.parametrize("time_constant_s", [0.03, 0.06, 0.15, 0.4])
@pytest.mark.parametrize("gain", [0.6, 1.0, 1.2])
def test_starts_stops_and_reversals_trip_nothing(
    chip: HostChip, time_constant_s: float, gain: float
) -> None:
    for motor in chip.motors:
        motor.time_constant_s, motor.gain = time_constant_s, gain
    for left, right in [
        (5000, 5000),
        (-5000, -5000),
        (5000, -5000),
        (-5000, 5000),
        (0, 0),
        (300, -300),
        (-300, 300),
        (60, 60),
        (1000, 3000),
        (-1000, 1000),
        (0, 0),
    ]:
        chip.keep_driving(left, right, 0.5)
        assert chip.state().faults == 0, (left, right)
    chip.keep_driving(5000, 5000, 0.4)
    chip.ask(MessageType.STOP)
    chip.keep_driving(-5000, -5000, 0.4)
    assert chip.state().faults == 0


@pytest.mark.parametrize("seed", range(4))
def test_any_set_points_at_any_time_trip_nothing(chip: HostChip, seed: int) -> None:
    chance = random.Random(seed)
    for motor in chip.motors:
        motor.time_constant_s = chance.uniform(0.03, 0.3)
    for _ in range(60):
        left, right = (chance.choice((0, 1, -1)) * chance.randrange(5001) for _ in range(2))
        chip.keep_driving(left, right, chance.choice((0.02, 0.04, 0.1, 0.2)))
    assert chip.state().faults == 0


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8])
def test_starting_under_load_trips_nothing(chip: HostChip, load: float) -> None:
    for motor in chip.motors:
        motor.load = load
    chip.keep_driving(4000, -4000, 2.0)
    state = chip.state()
    assert state.faults == 0
    assert abs(state.speed[LEFT]) > 700


def test_bumps_of_load_trip_nothing(chip: HostChip) -> None:
    for speed in (600, 2000, 4000):
        for load in (0.3, 0.6, 0.8):
            chip.keep_driving(speed, -speed, 0.3)
            for motor in chip.motors:
                motor.load = load
            chip.keep_driving(speed, -speed, 0.3)
            for motor in chip.motors:
                motor.load = 0.0
    assert chip.state().faults == 0


def test_a_wheel_held_for_a_moment_goes_on(chip: HostChip) -> None:
    chip.motors[LEFT].jammed = True
    chip.keep_driving(2000, 2000, 0.3)
    chip.motors[LEFT].jammed = False
    chip.keep_driving(2000, 2000, 0.7)
    state = chip.state()
    assert state.faults == 0 and state.speed[LEFT] == pytest.approx(2000, rel=0.05)


# ---- what is wrong


@pytest.mark.parametrize("wheel", [LEFT, RIGHT])
@pytest.mark.parametrize("speed", [1000, 5000, -1000, -5000])
def test_an_encoder_that_falls_silent(chip: HostChip, wheel: int, speed: int) -> None:
    chip.keep_driving(speed, speed, 0.5)
    chip.motors[wheel].channels = ""
    seconds = until_off(chip, speed, speed, 1.0)
    assert seconds <= 0.040 + 0.011
    assert chip.state().faults == FAULTS["encoder", wheel]


@pytest.mark.parametrize("wheel", [LEFT, RIGHT])
@pytest.mark.parametrize("speed", [1000, -4000])
def test_an_encoder_with_one_dead_channel(chip: HostChip, wheel: int, speed: int) -> None:
    chip.keep_driving(speed, speed, 0.5)
    chip.motors[wheel].channels = "a"
    seconds = until_off(chip, speed, speed, 1.0)
    assert seconds <= 0.15
    assert chip.state().faults == FAULTS["encoder", wheel]


@pytest.mark.parametrize("wheel", [LEFT, RIGHT])
def test_an_encoder_that_was_never_there(chip: HostChip, wheel: int) -> None:
    chip.motors[wheel].channels = ""
    seconds = until_off(chip, 2000, 2000, 2.0)
    assert seconds <= 1.0
    assert chip.state().faults == FAULTS["stall", wheel]


@pytest.mark.parametrize("wheel", [LEFT, RIGHT])
@pytest.mark.parametrize("speed", [300, 5000, -5000])
def test_a_stalled_motor(chip: HostChip, wheel: int, speed: int) -> None:
    chip.motors[wheel].jammed = True
    seconds = until_off(chip, speed, speed, 2.0)
    assert 0.39 < seconds <= (0.45 if abs(speed) == 5000 else 1.2)
    assert chip.state().faults == FAULTS["stall", wheel]


@pytest.mark.parametrize("wheel", [LEFT, RIGHT])
@pytest.mark.parametrize("speed", [200, 1000, 5000, -5000])
def test_a_motor_wired_the_wrong_way_round(chip: HostChip, wheel: int, speed: int) -> None:
    chip.motors[wheel].swapped = True
    seconds = until_off(chip, speed, speed, 2.0)
    assert seconds <= (0.15 if abs(speed) >= 1000 else 0.5)
    assert chip.state().faults == FAULTS["runaway", wheel]


def test_a_swapped_motor_that_is_pushed_at_standstill(chip: HostChip) -> None:
    chip.motors[LEFT].swapped = True
    chip.keep_driving(0, 0, 0.1)
    chip.motors[LEFT].speed = 1500.0
    until_off(chip, 0, 0, 1.0)
    chip.run(0.3)
    assert chip.state().faults == FAULTS["runaway", LEFT]


def test_the_settings_turn_a_swapped_motor_and_encoder_round(chip: HostChip) -> None:
    settings = messages.DriveSettings.unpack(chip.ask(MessageType.GET_DRIVE_SETTINGS).payload)
    options = messages.SETTING_LEFT_MOTOR_REVERSED
    chip.ask(
        MessageType.DRIVE_SETTINGS,
        messages.DriveSettings(**{**vars(settings), "options": options}).pack(),
    )
    chip.motors[LEFT].swapped = True
    chip.keep_driving(2000, 2000, 0.6)
    state = chip.state()
    assert state.faults == 0
    assert list(state.speed) == pytest.approx([2000, 2000], rel=0.03)


def test_a_fault_bars_driving_until_it_is_cleared(chip: HostChip) -> None:
    chip.motors[LEFT].jammed = True
    until_off(chip, 4000, 4000, 1.0)
    refused = messages.Ack.unpack(chip.drive(1000, 1000).payload)
    assert refused == messages.Ack(MessageType.DRIVE, Status.FAULT, messages.FAULT_STALL_LEFT)
    assert chip.duty == (0, 0)
    chip.motors[LEFT].jammed = False
    assert chip.clear() == 0
    assert chip.drive(1000, 1000).type == MessageType.DRIVE_REPLY
    assert chip.duty[0] > 0
