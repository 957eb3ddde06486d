"""What switches the motors off, and what CLEAR does about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from host_chip import HostChip

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

StartChip = Callable[..., HostChip]

BUMP, STOP, BATTERY = (
    messages.FAULT_BUMP,
    messages.FAULT_EMERGENCY_STOP,
    messages.FAULT_BATTERY_LOW,
)


def ms_until_off(chip: HostChip, most_ms: int) -> int:
    for ms in range(1, most_ms + 1):
        chip.run(0.001)
        if chip.duty == (0, 0):
            return ms
    raise AssertionError(f"still driving after {most_ms} ms")


def refusal(chip: HostChip, type_: MessageType, payload: bytes) -> messages.Ack:
    return messages.Ack.unpack(chip.ask(type_, payload).payload)


def fit_emergency_stop(chip: HostChip, fitted: bool) -> None:
    reply = chip.ask(MessageType.GET_DRIVE_SETTINGS)
    settings = vars(messages.DriveSettings.unpack(reply.payload))
    settings["options"] = messages.SETTING_EMERGENCY_STOP_FITTED if fitted else 0
    chip.ask(MessageType.DRIVE_SETTINGS, messages.DriveSettings(**settings).pack())


# ---- the host


def test_a_silent_host_stops_the_motors(chip: HostChip) -> None:
    chip.keep_driving(3000, 3000, 0.5)
    chip.drive(3000, 3000)
    assert 295 <= ms_until_off(chip, 400) <= 302
    assert chip.state().flags & messages.FLAG_HOST_TIMEOUT
    chip.run(0.5)
    chip.drive(3000, 3000)
    state = chip.state()
    assert chip.duty[0] > 0 and not state.flags & messages.FLAG_HOST_TIMEOUT
    assert state.faults == 0


def test_only_set_points_keep_the_motors_on(chip: HostChip) -> None:
    others = [
        (MessageType.CLEAR, messages.Clear(0xFFFF).pack()),
        (MessageType.SERVOS, messages.Servos((0, 0, 0), 7).pack()),
        (MessageType.LIGHT, messages.Light(7).pack()),
        (MessageType.GET_STATE, b""),
        (MessageType.GET_HEALTH, b""),
        (MessageType.GET_DRIVE_SETTINGS, b""),
        (MessageType.GET_SERVO_SETTINGS, b""),
        (MessageType.GET_CLOCK, b""),
        (MessageType.SAVE_SETTINGS, b""),
        (MessageType.DRIVE, b"\0"),
        (0x33, b""),
    ]
    chip.drive(3000, 3000)
    start = chip.world.us
    while chip.duty != (0, 0):
        chip.send(*others[(chip.world.us - start) // 10_000 % len(others)])
        chip.run(0.01)
        assert chip.world.us - start <= 310_000
    assert chip.world.us - start >= 290_000
    assert chip.state().flags & messages.FLAG_HOST_TIMEOUT


def test_servos_hold_when_the_host_is_silent(chip: HostChip) -> None:
    chip.ask(MessageType.SERVOS, messages.Servos((100, 100, 100), 7).pack())
    chip.drive(2000, 2000)
    chip.run(1.0)
    assert chip.duty == (0, 0)
    assert tuple(chip.world.pulse_us) == (1600, 1600, 1600)


def test_a_host_that_only_speaks_nonsense_is_silent(chip: HostChip) -> None:
    chip.drive(3000, 3000)
    world = chip.world
    for ms in range(400):
        world.from_host[world.received] = 0x55 if ms % 7 else 0
        world.received += 1
        chip.run(0.001)
    assert chip.duty == (0, 0)


# ---- emergency stop


def test_a_chip_without_settings_obeys_its_emergency_stop(start_chip: StartChip) -> None:
    chip = start_chip()
    chip.world.emergency_stop_open = True  # No wire at all looks like this.
    chip.run(0.01)
    chip.hello()
    assert chip.state().faults == STOP
    assert refusal(chip, MessageType.DRIVE, messages.Drive((1, 1)).pack()).status == Status.FAULT


def test_emergency_stop_while_driving(chip: HostChip) -> None:
    fit_emergency_stop(chip, True)
    chip.keep_driving(3000, 3000, 0.3)
    chip.world.emergency_stop_open = True
    assert ms_until_off(chip, 20) <= 6
    state = chip.state()
    assert state.faults == STOP and state.flags & messages.FLAG_EMERGENCY_STOP
    assert chip.clear() == STOP
    chip.world.emergency_stop_open = False
    chip.run(0.02)
    assert chip.state().faults == STOP
    assert (
        refusal(chip, MessageType.DRIVE, messages.Drive((500, 500)).pack()).status == Status.FAULT
    )
    assert chip.clear() == 0
    assert chip.drive(500, 500).type == MessageType.DRIVE_REPLY


def test_emergency_stop_matters_at_standstill_too(chip: HostChip) -> None:
    fit_emergency_stop(chip, True)
    chip.world.emergency_stop_open = True
    chip.run(0.01)
    chip.world.emergency_stop_open = False
    chip.run(0.01)
    assert chip.state().faults == STOP


def test_an_emergency_stop_that_is_not_fitted_does_not_matter(chip: HostChip) -> None:
    fit_emergency_stop(chip, False)
    chip.world.emergency_stop_open = True
    chip.keep_driving(3000, 3000, 0.3)
    state = chip.state()
    assert state.faults == 0 and not state.flags & messages.FLAG_EMERGENCY_STOP


def test_contact_bounce_is_no_emergency(chip: HostChip) -> None:
    fit_emergency_stop(chip, True)
    for _ in range(50):
        chip.world.emergency_stop_open = True
        chip.run(0.002)
        chip.world.emergency_stop_open = False
        chip.run(0.002)
    assert chip.state().faults == 0


# ---- bump


@pytest.mark.parametrize("speeds", [(3000, 3000), (1000, -1000), (0, 500)])
def test_bump_while_driving_forward(chip: HostChip, speeds: tuple[int, int]) -> None:
    chip.keep_driving(*speeds, 0.3)
    chip.world.bump = True
    assert ms_until_off(chip, 20) <= 6
    state = chip.state()
    assert state.faults == BUMP and state.flags & messages.FLAG_BUMP


def test_bump_while_rolling_forward_on_a_zero_set_point(chip: HostChip) -> None:
    chip.keep_driving(5000, 5000, 0.3)
    chip.drive(0, 0)
    chip.world.bump = True
    assert ms_until_off(chip, 20) <= 6
    assert chip.state().faults == BUMP


def test_bump_while_backing_away_is_no_fault(chip: HostChip) -> None:
    chip.world.bump = True
    chip.keep_driving(-2000, -2000, 0.5)
    state = chip.state()
    assert state.faults == 0 and state.flags & messages.FLAG_BUMP
    assert state.speed[0] == pytest.approx(-2000, rel=0.05)


def test_after_clear_a_pressed_bump_lets_only_back(chip: HostChip) -> None:
    chip.keep_driving(2000, 2000, 0.3)
    chip.world.bump = True
    chip.run(0.5)
    assert chip.clear() == 0
    reply = chip.drive(2000, -1000)
    assert messages.DriveReply.unpack(reply.payload).speed == (0, -1000)
    chip.keep_driving(-1000, -1000, 0.3)
    assert chip.state().faults == 0
    chip.world.bump = False
    chip.keep_driving(2000, 2000, 0.3)
    assert chip.state().speed[0] > 1500


# ---- battery


@pytest.mark.parametrize(
    ("volts", "least_ms", "most_ms"),
    [(5.9, 980, 1012), (5.0, 980, 1012), (4.7, 8, 21), (0.0, 8, 21)],
)
def test_a_low_battery_cuts_all_that_draws_current(
    chip: HostChip, volts: float, least_ms: int, most_ms: int
) -> None:
    chip.ask(MessageType.SERVOS, messages.Servos((100, 100, 100), 7).pack())
    chip.ask(MessageType.LIGHT, messages.Light(5).pack())
    chip.keep_driving(2000, 2000, 0.2)
    assert chip.world.light == 5
    chip.world.battery = chip.battery(volts)
    payload, start = messages.Drive((2000, 2000)).pack(), chip.world.us
    while chip.duty != (0, 0):
        if (chip.world.us - start) % 20_000 == 0:
            chip.send(MessageType.DRIVE, payload)
        chip.run(0.001)
        assert chip.world.us - start < 2_000_000
    assert least_ms <= (chip.world.us - start) / 1000 <= most_ms
    assert chip.state().faults == BATTERY
    assert tuple(chip.world.pulse_us) == (0, 0, 0) and chip.world.light == 0
    for type_, message in (
        (MessageType.DRIVE, messages.Drive((1, 1))),
        (MessageType.SERVOS, messages.Servos((0, 0, 0), 7)),
        (MessageType.LIGHT, messages.Light(7)),
    ):
        assert refusal(chip, type_, message.pack()) == messages.Ack(type_, Status.FAULT, BATTERY)
    assert chip.clear() == BATTERY
    chip.world.battery = chip.battery(7.4)
    chip.run(0.02)
    assert chip.clear() == 0


def test_short_dips_of_the_battery_are_no_fault(chip: HostChip) -> None:
    for _ in range(5):
        chip.world.battery = chip.battery(5.5)
        chip.keep_driving(2000, 2000, 0.9)
        chip.world.battery = chip.battery(7.4)
        chip.keep_driving(2000, 2000, 0.04)
    for _ in range(20):
        chip.world.battery = chip.battery(3.0)
        chip.run(0.009)
        chip.world.battery = chip.battery(7.4)
        chip.run(0.011)
    assert chip.state().faults == 0


def test_a_cut_of_zero_switches_the_rule_off(chip: HostChip) -> None:
    reply = chip.ask(MessageType.GET_DRIVE_SETTINGS)
    settings = {**vars(messages.DriveSettings.unpack(reply.payload)), "battery_cut_mv": 0}
    chip.ask(MessageType.DRIVE_SETTINGS, messages.DriveSettings(**settings).pack())
    chip.world.battery = 0
    chip.run(2.0)
    assert chip.state().faults == 0


# ---- several, and only some cleared


def test_clear_forgets_only_what_it_names(chip: HostChip) -> None:
    fit_emergency_stop(chip, True)
    chip.keep_driving(2000, 2000, 0.2)
    chip.world.bump = True
    chip.run(0.01)
    chip.world.emergency_stop_open = True
    chip.run(0.01)
    chip.world.emergency_stop_open = chip.world.bump = False
    chip.run(0.01)
    assert chip.state().faults == BUMP | STOP
    assert chip.clear(BUMP) == STOP
    assert chip.clear(STOP) == 0


def test_hello_stops_the_motors_and_keeps_the_faults(chip: HostChip) -> None:
    chip.keep_driving(2000, 2000, 0.2)
    chip.hello()
    assert chip.duty == (0, 0)
    chip.keep_driving(2000, 2000, 0.2)
    chip.world.bump = True
    chip.run(0.01)
    chip.hello()
    assert chip.state().faults == BUMP
