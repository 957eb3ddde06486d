"""Greeting, replies, streams and back-pressure."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from host_chip import SEND_BUFFER, HostChip

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import encode_frame
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

StartChip = Callable[..., HostChip]

# Payload and the type of the reply.
REQUESTS = {
    MessageType.DRIVE: (messages.Drive((0, 0)).pack(), MessageType.DRIVE_REPLY),
    MessageType.STOP: (b"", MessageType.ACK),
    MessageType.CLEAR: (messages.Clear(0).pack(), MessageType.CLEAR_REPLY),
    MessageType.SERVOS: (messages.Servos((0, 0, 0), 0).pack(), MessageType.SERVOS_REPLY),
    MessageType.LIGHT: (messages.Light(0).pack(), MessageType.ACK),
    MessageType.GET_STATE: (b"", MessageType.GET_STATE_REPLY),
    MessageType.GET_HEALTH: (b"", MessageType.GET_HEALTH_REPLY),
    MessageType.GET_DRIVE_SETTINGS: (b"", MessageType.GET_DRIVE_SETTINGS_REPLY),
    MessageType.GET_SERVO_SETTINGS: (b"", MessageType.GET_SERVO_SETTINGS_REPLY),
    MessageType.SAVE_SETTINGS: (b"", MessageType.ACK),
    MessageType.DEFAULT_SETTINGS: (b"", MessageType.ACK),
    MessageType.GET_CLOCK: (b"", MessageType.GET_CLOCK_REPLY),
}


def ack_of(chip: HostChip, type_: int, payload: bytes = b"") -> messages.Ack:
    frame = chip.ask(type_, payload)
    assert frame.type == MessageType.ACK
    return messages.Ack.unpack(frame.payload)


@pytest.mark.parametrize("type_", REQUESTS)
def test_each_request_has_its_reply(chip: HostChip, type_: MessageType) -> None:
    payload, reply = REQUESTS[type_]
    frame = chip.ask(type_, payload)
    assert frame.type == reply
    if reply == MessageType.ACK:
        assert messages.Ack.unpack(frame.payload) == messages.Ack(type_, Status.OK, 0)


@pytest.mark.parametrize("type_", REQUESTS)
def test_a_wrong_length_is_refused(chip: HostChip, type_: MessageType) -> None:
    payload, _ = REQUESTS[type_]
    for wrong in (payload + b"\0", payload[:-1]):
        if wrong != payload:
            assert ack_of(chip, type_, wrong) == messages.Ack(type_, Status.BAD_LENGTH, 0)


@pytest.mark.parametrize("type_", [*REQUESTS, 0x33, 0xE0, 0xFF])
def test_nothing_is_done_before_the_greeting(start_chip: StartChip, type_: int) -> None:
    chip = start_chip()
    payload = REQUESTS[MessageType(type_)][0] if type_ in REQUESTS else b""
    assert ack_of(chip, type_, payload).status == Status.HELLO_REQUIRED
    chip.run(0.2)
    assert not chip.frames, "a stream before the greeting"


@pytest.mark.parametrize("type_", [0, 0x33, 0x7E, 0x7F, 0x80, 0xE0, 0xF0, 0xFF])
def test_an_unknown_type_is_refused(chip: HostChip, type_: int) -> None:
    assert ack_of(chip, type_).status == Status.UNKNOWN_TYPE


def test_hello_tells_whose_session_was_before(start_chip: StartChip) -> None:
    chip = start_chip()
    last = []
    for session in (11, 11, 0xFFFFFFFF, 12):
        last.append(chip.hello(session).last_session)
        chip.state()
    assert last == [0, 11, 11, 0xFFFFFFFF]


def test_a_repeated_hello_has_the_same_answer(start_chip: StartChip) -> None:
    # The first reply may have got lost: a restart must not stay unseen for that.
    chip = start_chip()
    assert [chip.hello(11).last_session for _ in range(3)] == [0, 0, 0]
    chip.state()
    assert [chip.hello(11).last_session for _ in range(3)] == [11, 11, 11]
    assert [chip.hello(12).last_session for _ in range(3)] == [11, 11, 11]
    assert [chip.hello(11).last_session for _ in range(3)] == [12, 12, 12]


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x63", bytes(4), bytes(32)])
def test_hello_of_any_version_is_answered(start_chip: StartChip, payload: bytes) -> None:
    chip = start_chip()
    reply = messages.HelloReply.unpack(chip.ask(MessageType.HELLO, payload).payload)
    assert reply.protocol_version == messages.PROTOCOL_VERSION
    assert reply.schema_hash == messages.SCHEMA_HASH
    assert chip.hello().last_session != 0


def test_health_comes_before_the_first_state(start_chip: StartChip) -> None:
    chip = start_chip()
    chip.run(0.1)
    chip.hello()
    chip.run(0.03)
    assert [frame.type for frame in chip.frames[:2]] == [MessageType.HEALTH, MessageType.STATE]
    health = messages.Health.unpack(chip.frames[0].payload)
    assert health.battery_mv == pytest.approx(7400, abs=1)


def test_the_streams_come_in_time_and_in_order(chip: HostChip) -> None:
    chip.frames.clear()
    chip.run(1.005)  # Health comes half a period after a state.
    states = [frame for frame in chip.frames if frame.type == MessageType.STATE]
    healths = [frame for frame in chip.frames if frame.type == MessageType.HEALTH]
    assert (len(states), len(healths)) == (100, 20)
    for stream in (states, healths):
        assert all((b.seq - a.seq) & 0xFF == 1 for a, b in itertools.pairwise(stream))
    stamps = [messages.State.unpack(frame.payload).t_us for frame in states]
    assert {b - a for a, b in itertools.pairwise(stamps)} == {10_000}


def test_a_request_waits_until_its_reply_has_room(chip: HostChip) -> None:
    chip.frames.clear()
    seqs = [chip.send(MessageType.GET_SERVO_SETTINGS) for _ in range(20)]
    # hal_uart_write() aborts where there is no room.
    chip.world.send_room = 0
    chip.each_ms = lambda: setattr(chip.world, "send_room", min(chip.world.send_room, SEND_BUFFER))
    chip.run(0.1)
    replies = [f.seq for f in chip.frames if f.type == MessageType.GET_SERVO_SETTINGS_REPLY]
    assert replies == seqs


def test_the_streams_do_not_suffer_from_a_flood_of_requests(chip: HostChip) -> None:
    chip.frames.clear()
    for _ in range(100):
        while chip.world.received - chip.world.taken < 200 and chip.world.received < 3900:
            chip.send(MessageType.GET_STATE)
        chip.run(0.01)
    seqs = [frame.seq for frame in chip.frames if frame.type == MessageType.STATE]
    assert 99 <= len(seqs) <= 101
    assert all((b - a) & 0xFF == 1 for a, b in itertools.pairwise(seqs))


def test_a_line_that_never_pauses_does_not_hold_the_control_up(chip: HostChip) -> None:
    world = chip.world
    for at in range(3000):
        world.from_host[at] = 0x55 if at % 7 else 0
    world.received = 3000
    taken = [0]
    while world.taken < world.received:
        chip.library.app_run()
        taken.append(world.taken)
    assert max(b - a for a, b in itertools.pairwise(taken)) <= 127


def test_periods_that_were_missed_are_not_made_up_for(chip: HostChip) -> None:
    chip.run(0.1)
    kicks = chip.world.kicks
    chip.world.us += 95_000
    for _ in range(20):
        chip.library.app_run()
    assert chip.world.kicks - kicks == 1
    chip.run(0.1)
    assert chip.world.kicks - kicks == 11


def test_speeds_are_clamped_and_said_so(chip: HostChip) -> None:
    for asked, applied in [
        ((32767, -32768), (5000, -5000)),
        ((5001, 12), (5000, 12)),
    ]:
        reply = messages.DriveReply.unpack(chip.drive(*asked).payload)
        assert reply.speed == applied


def test_the_light_has_three_bits(chip: HostChip) -> None:
    for color in (7, 0, 1, 2, 4):
        assert ack_of(chip, MessageType.LIGHT, bytes([color | 0xF8])).status == Status.OK
        assert chip.world.light == color


def test_range_of_echoes(chip: HostChip) -> None:
    for echo_us, mm in [(583, 100), (5830, 1000), (23320, 4000), (24000, 0xFFFF), (0, 0xFFFF)]:
        chip.world.echo_us = echo_us
        chip.run(0.06)
        found = chip.health().range_mm
        assert found == mm or (mm != 0xFFFF and abs(found - mm) <= 1)
    triggers = chip.world.triggers
    chip.run(1.0)
    assert chip.world.triggers - triggers == 20


def test_what_the_line_lost_is_counted_and_stays_at_its_highest(chip: HostChip) -> None:
    assert chip.health().rx_errors == 0
    world = chip.world
    for byte in encode_frame(MessageType.STOP, 1)[:-2] + b"\x77\0":
        world.from_host[world.received] = byte
        world.received += 1
    chip.run(0.01)
    assert chip.health().rx_errors == 1
    world.lost_bytes = 250
    chip.run(0.002)
    world.lost_bytes = 5  # It wraps.
    chip.run(0.002)
    assert chip.health().rx_errors == 1 + 250 + 11

    def lose() -> None:
        world.lost_bytes = (world.lost_bytes + 200) & 0xFF

    chip.each_ms = lose
    chip.run(0.4)
    assert chip.health().rx_errors == 65535


def test_the_longest_period_is_told(chip: HostChip) -> None:
    chip.run(0.1)
    assert chip.health().longest_period_us == 10_000
    chip.world.us += 17_300
    chip.run(0.1)
    assert 17_300 <= chip.health().longest_period_us <= 27_300 + 1_000


def test_the_clock_is_told(chip: HostChip) -> None:
    chip.world.us = 2**32 - 20_000
    chip.run(0.03)
    reply = messages.GetClockReply.unpack(chip.ask(MessageType.GET_CLOCK).payload)
    assert reply.received_us == reply.sent_us == chip.world.us


def test_the_watchdog_is_kicked_once_a_period(chip: HostChip) -> None:
    kicks = chip.world.kicks
    chip.run(1.0)
    assert chip.world.kicks - kicks == 100
