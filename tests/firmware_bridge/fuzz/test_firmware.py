"""Random requests and broken frames at the firmware's whole control logic."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import (
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    encode_frame,
)
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

REQUESTS = 100
WINDOW = 127
NONVOLATILE_SIZE = 128
ERASED = b"\xff" * NONVOLATILE_SIZE
# What the requests' payloads are made of; a request without a class has none.
_PAYLOADS = {
    MessageType.HELLO: messages.Hello.LAYOUT.size,
    MessageType.DRIVE: messages.Drive.LAYOUT.size,
    MessageType.CLEAR: messages.Clear.LAYOUT.size,
    MessageType.SERVOS: messages.Servos.LAYOUT.size,
    MessageType.LIGHT: messages.Light.LAYOUT.size,
    MessageType.DRIVE_SETTINGS: messages.DriveSettings.LAYOUT.size,
    MessageType.SERVO_SETTINGS: messages.ServoSettings.LAYOUT.size,
}
_REPLY_SIZES = {
    MessageType.HELLO_REPLY: messages.HelloReply.LAYOUT.size,
    MessageType.DRIVE_REPLY: messages.DriveReply.LAYOUT.size,
    MessageType.CLEAR_REPLY: messages.ClearReply.LAYOUT.size,
    MessageType.SERVOS_REPLY: messages.ServosReply.LAYOUT.size,
    MessageType.GET_STATE_REPLY: messages.State.LAYOUT.size,
    MessageType.GET_HEALTH_REPLY: messages.Health.LAYOUT.size,
    MessageType.GET_DRIVE_SETTINGS_REPLY: messages.DriveSettings.LAYOUT.size,
    MessageType.GET_SERVO_SETTINGS_REPLY: messages.ServoSettings.LAYOUT.size,
    MessageType.GET_CLOCK_REPLY: messages.GetClockReply.LAYOUT.size,
}
_KNOWN = [type_ for type_ in MessageType if 0 < type_ < 0x7E]
_USUAL = [MessageType.HELLO, MessageType.DRIVE, MessageType.DRIVE, MessageType.CLEAR]


@pytest.fixture(scope="module")
def firmware_on_host(
    compile_c: Callable[[str, Sequence[str]], Callable[[bytes], bytes]],
) -> Callable[[bytes], bytes]:
    """The control logic with every chip function but its own."""
    sources = [
        str(path.relative_to(FIRMWARE_SOURCES))
        for path in sorted((FIRMWARE_SOURCES / "app").glob("*.c"))
        if path.name != "main.c"
    ]
    return compile_c("firmware", [*sources, "generated/reflexarc_bp.c"])


def _word(chance: random.Random) -> bytes:
    """16 bits: small ones, large ones, and the edges."""
    edge = chance.choice((0, 1, -1, 60, 800, 5000, -5000, 0x7FFF, -0x8000))
    value = chance.choice((edge, chance.randint(-6000, 6000), chance.randint(-0x8000, 0x7FFF)))
    return value.to_bytes(2, "little", signed=True)


def _settings(chance: random.Random) -> Frame:
    """Settings that may well be good: the rare way to change what is driven."""
    if chance.random() < 0.5:
        drive = messages.DriveSettings(
            counts_per_revolution=chance.randint(1, 5000),
            wheel_diameter=6500,
            wheel_separation=1500,
            feed_forward=chance.randint(0, 16384),
            proportional=chance.randint(0, 16384),
            integral=chance.randint(0, 16384),
            max_speed=chance.randint(100, 5000),
            battery_cut_mv=chance.randint(0, 15000),
            battery_full_scale_mv=15000,
            options=chance.randrange(32),
        )
        return Frame(MessageType.DRIVE_SETTINGS, 0, drive.pack())
    lowest, highest, trim, scale, speed = (
        (chance.randint(low, high), chance.randint(low, high), chance.randint(low, high))
        for low, high in ((-1800, 0), (0, 1800), (-500, 500), (-3000, 3000), (1, 2000))
    )
    servos = messages.ServoSettings(lowest, highest, trim, scale, speed)
    return Frame(MessageType.SERVO_SETTINGS, 0, servos.pack())


def _request(chance: random.Random) -> Frame:
    if chance.random() < 0.05:
        return _settings(chance)
    if chance.random() < 0.05:
        payload = chance.randbytes(chance.randint(0, messages.MAX_PAYLOAD))
        return Frame(chance.randrange(256), 0, payload)
    type_ = chance.choice(_USUAL if chance.random() < 0.5 else _KNOWN)
    if type_ is MessageType.CLEAR and chance.random() < 0.8:
        return Frame(type_, 0, messages.Clear(0xFFFF).pack())
    size = _PAYLOADS.get(type_, 0)
    return Frame(type_, 0, b"".join(_word(chance) for _ in range(size // 2 + 1))[:size])


def _garbage(chance: random.Random) -> bytes:
    """What no frame comes out of, often a damaged one."""
    line = bytearray(encode_frame(*_request(chance)))
    match chance.randrange(3):
        case 0:
            del line[chance.randrange(len(line)) :]
        case 1:
            line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
        case _:
            line[:] = chance.randbytes(chance.randint(1, 80))
    line.append(0)
    return b"\0" if FrameDecoder().feed(bytes(line)) else bytes(line)


def _orders(chance: random.Random) -> tuple[bytes, list[Frame]]:
    """What happens to the chip, and the requests in it."""
    orders = [chance.choice((ERASED, bytes(NONVOLATILE_SIZE), chance.randbytes(NONVOLATILE_SIZE)))]
    requests = []
    line = b""
    for number in range(REQUESTS):
        request = _request(chance)._replace(seq=number)
        requests.append(request)
        if chance.random() < 0.1:
            line += _garbage(chance)
        line += encode_frame(*request)
        if number < REQUESTS - 1 and len(line) < WINDOW - MAX_ENCODED and chance.random() < 0.5:
            continue  # Several at once, as many as the chip's window takes.
        orders.append(b"L" + bytes((len(line),)) + line)
        line = b""
        orders.append(b"W" + bytes((chance.choice((0, 1, 2, 10, 10, 30, 255)),)))
        match chance.randrange(20):
            case 0:
                orders.append(b"B" + bytes((chance.random() < 0.3,)))
            case 1:
                orders.append(b"E" + bytes((chance.random() < 0.3,)))
            case 2:
                orders.append(b"V" + bytes((chance.choice((0, 90, 130, 200, 255)),)))
            case 3 | 4 | 5:
                orders.append(b"M" + chance.randbytes(2))
    orders.append(b"W\x64")
    return b"".join(orders), requests


def _check(requests: list[Frame], said: list[Frame]) -> int:
    """Each request was answered once, in its order, rightly. Gives the drives accepted."""
    streams = [frame for frame in said if frame.type in (MessageType.STATE, MessageType.HEALTH)]
    for type_ in (MessageType.STATE, MessageType.HEALTH):
        counts = [frame.seq for frame in streams if frame.type == type_]
        assert counts == [(counts[0] + i) & 0xFF for i in range(len(counts))]
    replies = [frame for frame in said if frame not in streams]
    assert [reply.seq for reply in replies] == [request.seq for request in requests]
    greeted, accepted = False, 0
    for request, reply in zip(requests, replies, strict=True):
        if reply.type != MessageType.ACK:
            assert reply.type == request.type + 0x80
            assert len(reply.payload) == _REPLY_SIZES[MessageType(reply.type)]
        else:
            ack = messages.Ack.unpack(reply.payload)
            assert ack.request == request.type
            assert (ack.status == Status.HELLO_REQUIRED) == (not greeted)
            assert (ack.detail != 0) == (ack.status == Status.FAULT)
        greeted = greeted or request.type == MessageType.HELLO
        if reply.type == MessageType.DRIVE_REPLY:
            accepted += 1
            applied = messages.DriveReply.unpack(reply.payload).speed
            asked = messages.Drive.unpack(request.payload).speed
            for got, wanted in zip(applied, asked, strict=True):
                assert abs(got) <= messages.MAX_SPEED
                assert got in (wanted, 0) or 0 < got / wanted < 1
    return accepted


def test_random_requests_break_no_rule(
    firmware_on_host: Callable[[bytes], bytes], cases: int, tally: Callable[[str], None]
) -> None:
    thrown = driven = 0

    @settings(max_examples=-(-cases // REQUESTS), database=None, phases=[Phase.generate])
    @given(seed=st.integers(0, 2**64 - 1))
    def throw(seed: int) -> None:
        nonlocal thrown, driven
        orders, requests = _orders(random.Random(seed))
        said = FrameDecoder().feed(firmware_on_host(orders))
        driven += _check(requests, said)
        thrown += len(requests)

    throw()
    tally(f"firmware: {thrown:,} requests, all answered once; {driven:,} of them drove")
    assert driven > 0.1 * thrown
