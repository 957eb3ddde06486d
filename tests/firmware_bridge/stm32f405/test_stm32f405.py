"""The same firmware on a Cortex-M4: what of it can be seen in qemu."""

from __future__ import annotations

import itertools
import os
from typing import Any

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import encode_frame
from reflexarc.firmware_bridge.protocol.messages import (
    Ack,
    BoardKind,
    Clear,
    ClearReply,
    Drive,
    DriveReply,
    GetClockReply,
    HelloReply,
    MessageType,
    Servos,
    ServosReply,
    SettingsSource,
    State,
    Status,
)

# TIM3's compare registers are the motors' duty, TIM4's the servos' pulses.
LEFT_DUTY, RIGHT_DUTY = 0x40000434, 0x40000438
PAN_PULSE, TILT_PULSE = 0x40000834, 0x40000838


def state(machine: Any) -> State:
    return State.unpack(machine.next(MessageType.STATE).payload)


def test_greets_as_what_it_is(machine: Any) -> None:
    reply = machine.greet()
    assert reply.type == MessageType.HELLO_REPLY
    hello = HelloReply.unpack(reply.payload)
    assert hello.protocol_version == messages.PROTOCOL_VERSION
    assert hello.schema_hash == messages.SCHEMA_HASH
    assert hello.board_kind == BoardKind.STM32F405
    assert hello.capabilities == (
        messages.CAPABILITY_SERVOS | messages.CAPABILITY_LIGHT | messages.CAPABILITY_TEST_HOOKS
    )
    assert (hello.reset_cause, hello.boots) == (messages.RESET_POWER_ON, 1)
    assert (hello.last_session, hello.settings_source) == (0, SettingsSource.EMPTY)
    assert hello.receive_buffer == 255


def test_says_no_before_the_greeting(machine: Any) -> None:
    reply = machine.ask(Drive((1000, 1000)))
    assert Ack.unpack(reply.payload).status == Status.HELLO_REQUIRED
    assert machine.register(LEFT_DUTY) == 0


def test_state_comes_every_10_ms_of_its_own_time(sleepless: Any) -> None:
    sleepless.greet()
    state(sleepless)  # Held up by the answer to the greeting.
    times = [state(sleepless).t_us for _ in range(50)]
    assert all(9_950 <= b - a <= 10_050 for a, b in itertools.pairwise(times))


def test_drives_and_stops(machine: Any) -> None:
    machine.greet()
    reply = machine.ask(Drive((1000, -20_000)))
    assert DriveReply.unpack(reply.payload).speed == (1000, -messages.MAX_SPEED)
    assert machine.register(LEFT_DUTY) > 20
    assert machine.register(RIGHT_DUTY) > 200
    assert Ack.unpack(machine.ask(type_=MessageType.STOP).payload).status == Status.OK
    assert (machine.register(LEFT_DUTY), machine.register(RIGHT_DUTY)) == (0, 0)


def chip_us(machine: Any) -> int:
    reply = machine.ask(type_=MessageType.GET_CLOCK)
    return GetClockReply.unpack(reply.payload).received_us


def test_a_silent_host_stops_the_motors(machine: Any) -> None:
    machine.greet()
    before = chip_us(machine)
    machine.ask(Drive((300, 300)))
    after = chip_us(machine)
    assert machine.register(LEFT_DUTY) > 0
    while (now := state(machine)).flags & messages.FLAG_MOTORS_ON:
        pass
    assert now.flags & messages.FLAG_HOST_TIMEOUT
    # The State that shows it may be one period younger.
    assert now.t_us - before >= 300_000
    assert now.t_us - after <= 320_000
    assert machine.register(LEFT_DUTY) == 0


def test_a_wheel_that_does_not_turn_is_found(machine: Any) -> None:
    machine.greet()
    states = [state(machine)]
    while not states[-1].faults:
        machine.ask(Drive((4000, 4000)))
        states.append(state(machine))
        assert len(states) < 100
    stalled = messages.FAULT_STALL_LEFT | messages.FAULT_STALL_RIGHT
    assert states[-1].faults & stalled
    driven = [now.t_us for now in states if now.flags & messages.FLAG_MOTORS_ON]
    # From the first State with motors on, one period late at most; the last one is off.
    assert 380_000 <= states[-1].t_us - driven[0] <= 420_000
    assert (machine.register(LEFT_DUTY), machine.register(RIGHT_DUTY)) == (0, 0)
    refused = Ack.unpack(machine.ask(Drive((100, 100))).payload)
    assert (refused.status, refused.detail) == (Status.FAULT, states[-1].faults)
    assert ClearReply.unpack(machine.ask(Clear(0xFFFF)).payload).faults == 0
    assert machine.ask(Drive((100, 100))).type == MessageType.DRIVE_REPLY


def test_servos_pulse(machine: Any) -> None:
    machine.greet()
    reply = machine.ask(Servos((0, 0, 0), mask=0b001))
    assert ServosReply.unpack(reply.payload).angle[0] == 0
    while state(machine).flags & messages.FLAG_SERVOS_MOVING:
        pass
    assert machine.register(PAN_PULSE) == 1500
    assert machine.register(TILT_PULSE) == 0


def test_a_restart_is_seen_and_drives_nothing(machine: Any) -> None:
    machine.greet(session=7)
    machine.ask(type_=MessageType.GET_CLOCK)
    assert HelloReply.unpack(machine.greet(session=7).payload).last_session == 7
    machine.ask(Drive((1000, 1000)))
    machine.monitor("system_reset")
    refused = machine.ask(Drive((1000, 1000)))
    assert Ack.unpack(refused.payload).status == Status.HELLO_REQUIRED
    assert machine.register(LEFT_DUTY) == 0
    hello = HelloReply.unpack(machine.greet(session=7).payload)
    assert (hello.last_session, hello.boots) == (0, 2)
    assert hello.reset_cause == messages.RESET_EXTERNAL


def test_a_stack_overflow_restarts_it(machine: Any) -> None:
    machine.greet()
    machine.ask(Drive((1000, 1000)))
    machine.ask(type_=MessageType.OVERFLOW)
    # One control period until the guard is looked at.
    replies = (Ack.unpack(machine.ask(type_=MessageType.STOP).payload) for _ in range(200))
    assert any(reply.status == Status.HELLO_REQUIRED for reply in replies)
    assert machine.register(LEFT_DUTY) == 0
    hello = HelloReply.unpack(machine.greet().payload)
    assert (hello.reset_cause, hello.boots) == (messages.RESET_STACK_OVERFLOW, 2)


def test_settings_are_kept_over_a_restart(machine: Any) -> None:
    machine.greet()
    reply = machine.ask(type_=MessageType.GET_DRIVE_SETTINGS)
    settings = messages.DriveSettings.unpack(reply.payload)
    changed = messages.DriveSettings(**(vars(settings) | {"max_speed": 1234}))
    assert Ack.unpack(machine.ask(changed).payload).status == Status.OK
    assert Ack.unpack(machine.ask(type_=MessageType.SAVE_SETTINGS).payload).status == Status.OK
    while state(machine).flags & messages.FLAG_SAVING:
        pass
    machine.monitor("system_reset")
    hello = HelloReply.unpack(machine.greet().payload)
    assert hello.settings_source == SettingsSource.SAVED
    reply = machine.ask(type_=MessageType.GET_DRIVE_SETTINGS)
    assert messages.DriveSettings.unpack(reply.payload) == changed


def test_garbage_and_bursts_lose_no_good_request(machine: Any) -> None:
    machine.greet()
    burst = b"".join(encode_frame(MessageType.GET_CLOCK, seq) for seq in range(40))
    os.write(machine.line, b"\xff" * 100 + b"\0" + burst)
    replies = [machine.next(MessageType.GET_CLOCK_REPLY).seq for _ in range(40)]
    assert replies == list(range(40))
