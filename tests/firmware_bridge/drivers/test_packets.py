"""Bytes on the wire against the vendors' own worked examples, both ways."""

from __future__ import annotations

import os
import random
import select
import sys
import tty
from collections.abc import Iterator

import pytest
from dynamixel_servos import DynamixelInstructions, DynamixelServo
from feetech_servos import FeetechInstructions, FeetechServo
from programs import run_program
from servo_line import ServoLine, flip, keep, lose, lose_byte

from reflexarc.firmware_bridge.drivers.bus import Packets
from reflexarc.firmware_bridge.drivers.bus_port import BusPort
from reflexarc.firmware_bridge.drivers.dynamixel import DynamixelPackets
from reflexarc.firmware_bridge.drivers.feetech import FeetechPackets


@pytest.fixture
def port(line: ServoLine) -> Iterator[BusPort]:
    port = BusPort(str(line.path), line.baudrate, reply_timeout_s=0.2)
    yield port
    port.close()


@pytest.fixture
def packets(family: str, port: BusPort) -> Packets:
    return FeetechPackets(port) if family == "feetech" else DynamixelPackets(port)


# ---- Feetech: "FT-SCS communication protocol", examples 1, 2, 4, 7 and 8

FEETECH_PING = "ff ff 01 02 01 fb"
FEETECH_SYNC_WRITE = (
    "ff ff fe 20 83 2a 06 01 00 08 00 00 e8 03 02 00 08 00 00 e8 03 "
    "03 00 08 00 00 e8 03 04 00 08 00 00 e8 03 58"
)
FEETECH_SYNC_READ = "ff ff fe 06 82 38 08 01 02 36"


def feetech_examples() -> list[FeetechServo]:
    servos = [FeetechServo(1, position=2048), FeetechServo(2, position=2047)]
    for servo, volts in zip(servos, (0x79, 0x77), strict=True):
        servo.memory[62] = volts
    servos[0].memory[63], servos[1].memory[63] = 0x1E, 0x23
    return servos


@pytest.mark.parametrize("family", ["feetech"], indirect=True)
def test_the_host_sends_feetechs_examples(line: ServoLine, packets: Packets) -> None:
    assert packets.ping(1)
    assert line.heard[-1].hex(" ") == FEETECH_PING
    packets.sync_write(0x2A, {i: bytes.fromhex("00 08 00 00 e8 03") for i in (1, 2, 3, 4)})
    packets.sync_read(0x38, 8, [1, 2])
    assert [packet.hex(" ") for packet in line.heard[-2:]] == [
        FEETECH_SYNC_WRITE,
        FEETECH_SYNC_READ,
    ]


@pytest.mark.parametrize(
    "request_, replies",
    [
        (FEETECH_PING, ["ff ff 01 02 00 fc"]),
        ("ff ff 01 09 03 2a 00 08 00 00 e8 03 d5", ["ff ff 01 02 00 fc"]),
        (
            FEETECH_SYNC_READ,
            [
                "ff ff 01 0a 00 00 08 00 00 00 00 79 1e 55",
                "ff ff 02 0a 00 ff 07 00 00 00 00 77 23 53",
            ],
        ),
    ],
)
def test_the_emulated_servos_answer_feetechs_examples(request_: str, replies: list[str]) -> None:
    instructions = FeetechInstructions(feetech_examples())
    (packet,) = instructions.feed(bytes.fromhex(request_))
    assert [reply.hex(" ") for reply in instructions.obey(packet)] == replies


def test_feetechs_read_example() -> None:
    instructions = FeetechInstructions([FeetechServo(1, position=0x0518)])
    (packet,) = instructions.feed(bytes.fromhex("ff ff 01 04 02 38 02 be"))
    assert instructions.obey(packet) == [bytes.fromhex("ff ff 01 04 00 18 05 dd")]


# ---- Dynamixel: e-Manual, "Protocol 2.0", the examples of each instruction

DYNAMIXEL_PING = "ff ff fd 00 01 03 00 01 19 4e"
DYNAMIXEL_SYNC_READ = "ff ff fd 00 fe 09 00 82 84 00 04 00 01 02 ce fa"
DYNAMIXEL_SYNC_WRITE = "ff ff fd 00 fe 11 00 83 74 00 04 00 01 96 00 00 00 02 aa 00 00 00 82 87"


@pytest.mark.parametrize("family", ["dynamixel"], indirect=True)
def test_the_host_sends_dynamixels_examples(line: ServoLine, packets: Packets) -> None:
    assert packets.ping(1)
    assert line.heard[-1].hex(" ") == DYNAMIXEL_PING
    packets.sync_write(116, {1: (150).to_bytes(4, "little"), 2: (170).to_bytes(4, "little")})
    packets.sync_read(132, 4, [1, 2])
    assert [packet.hex(" ") for packet in line.heard[-2:]] == [
        DYNAMIXEL_SYNC_WRITE,
        DYNAMIXEL_SYNC_READ,
    ]


@pytest.mark.parametrize(
    "request_, replies",
    [
        (DYNAMIXEL_PING, ["ff ff fd 00 01 07 00 55 00 06 04 26 65 5d"]),
        (
            "ff ff fd 00 01 07 00 02 84 00 04 00 1d 15",
            ["ff ff fd 00 01 08 00 55 00 a6 00 00 00 8c c0"],
        ),
        (
            "ff ff fd 00 01 09 00 03 74 00 00 02 00 00 ca 89",
            ["ff ff fd 00 01 04 00 55 00 a1 0c"],
        ),
        (
            DYNAMIXEL_SYNC_READ,
            [
                "ff ff fd 00 01 08 00 55 00 a6 00 00 00 8c c0",
                "ff ff fd 00 02 08 00 55 00 1f 08 00 00 ba be",
            ],
        ),
    ],
)
def test_the_emulated_servos_answer_dynamixels_examples(request_: str, replies: list[str]) -> None:
    servos = [
        DynamixelServo(1, position=166, model=1030, firmware=38),
        DynamixelServo(2, position=2079, model=1030, firmware=38),
    ]
    instructions = DynamixelInstructions(servos)
    (packet,) = instructions.feed(bytes.fromhex(request_))
    assert [reply.hex(" ") for reply in instructions.obey(packet)] == replies


@pytest.mark.parametrize("family", ["dynamixel"], indirect=True)
def test_a_header_inside_an_answer_is_unstuffed(line: ServoLine, packets: Packets) -> None:
    # Only answers can have one. What the driver writes (goals to 4095, speeds, switches)
    # cannot, which is as well: dynamixel-sdk 4.1.0 sends FF FF FD unstuffed.
    inside = bytes.fromhex("ff ff fd 00")
    (servo, *_) = line.servos
    assert isinstance(servo, DynamixelServo)
    servo.memory[224:228] = inside
    wire: list[bytes] = []

    def watch(packet: bytes) -> bytes:
        wire.append(packet)
        return packet

    line.damage(watch)
    assert packets.sync_read(224, 4, [1])[1].data == inside
    assert b"\xff\xff\xfd\xfd\x00" in wire[0]


# ---- broken replies, whichever byte it is

REPLY_SIZE = {"feetech": 6 + 2, "dynamixel": 11 + 2}
ADDRESS = {"feetech": 42, "dynamixel": 100}
CONTENT = bytes.fromhex("34 05")


@pytest.fixture
def three_of_content(family: str, line: ServoLine) -> None:
    for servo in line.servos:
        servo.memory[ADDRESS[family] : ADDRESS[family] + 2] = CONTENT  # type: ignore[attr-defined]


@pytest.mark.usefixtures("three_of_content")
@pytest.mark.parametrize("bit", [0, 7])
def test_no_flipped_bit_becomes_a_wrong_value(
    family: str, line: ServoLine, port: BusPort, packets: Packets, bit: int
) -> None:
    port._reply_timeout_s = 0.02
    for index in range(REPLY_SIZE[family]):
        line.damage(keep, flip(index, bit), keep)
        replies = packets.sync_read(ADDRESS[family], 2, [1, 2, 3])
        assert 2 not in replies, f"byte {index}"
        assert all(reply.data == CONTENT for reply in replies.values())
        assert 1 in replies
    assert set(packets.sync_read(ADDRESS[family], 2, [1, 2, 3])) == {1, 2, 3}


@pytest.mark.usefixtures("three_of_content")
def test_no_lost_byte_becomes_a_wrong_value(
    family: str, line: ServoLine, port: BusPort, packets: Packets
) -> None:
    port._reply_timeout_s = 0.02
    for index in range(REPLY_SIZE[family]):
        line.damage(lose_byte(index))
        replies = packets.sync_read(ADDRESS[family], 2, [1, 2, 3])
        assert 1 not in replies, f"byte {index}"
        assert all(reply.data == CONTENT for reply in replies.values())


@pytest.mark.usefixtures("three_of_content")
def test_one_silent_servo_does_not_cost_the_others_their_answers(
    family: str, line: ServoLine, packets: Packets
) -> None:
    for silent in range(3):
        line.damage(*(lose if servo == silent else keep for servo in range(3)))
        replies = packets.sync_read(ADDRESS[family], 2, [1, 2, 3])
        assert set(replies) == {1, 2, 3} - {silent + 1}


@pytest.mark.usefixtures("three_of_content")
def test_a_late_answer_to_an_earlier_question_is_not_taken(
    family: str, line: ServoLine, packets: Packets
) -> None:
    seen: list[bytes] = []

    def remember(packet: bytes) -> bytes:
        seen.append(packet)
        return packet

    line.damage(remember)
    packets.sync_read(ADDRESS[family], 2, [1])
    # An earlier, longer answer of servo 2 in front of the one that was asked for.
    line.damage(lambda packet: bytes(7) + seen[0] + packet)
    assert packets.sync_read(ADDRESS[family], 2, [2])[2].data == CONTENT


@pytest.mark.usefixtures("three_of_content")
def test_garbage_around_answers_neither_hangs_nor_becomes_a_value(
    family: str, line: ServoLine, port: BusPort, packets: Packets
) -> None:
    port._reply_timeout_s = 0.005
    chance = random.Random(7)
    # Headers and short lengths are what misleads a parser.
    tempting = [b"\xff\xff", b"\xff\xff\xfd\x00", b"\xff", b"\x02\x00", b"\x02\x01\x00\x00"]
    taken = 0
    for _ in range(300):
        garbage = b"".join(
            chance.choice([*tempting, chance.randbytes(3)]) for _ in range(chance.randrange(60))
        )
        line.damage(
            lambda packet, garbage=garbage: garbage + packet,  # type: ignore[misc]
            keep,
            lambda packet, garbage=garbage: packet + garbage,  # type: ignore[misc]
        )
        replies = packets.sync_read(ADDRESS[family], 2, [1, 2, 3])
        assert all(reply.data == CONTENT for reply in replies.values())
        taken += len(replies)
    assert taken > 300


@pytest.mark.parametrize("packets_of", [FeetechPackets, DynamixelPackets])
def test_a_flood_without_end_comes_to_one(
    packets_of: type[FeetechPackets] | type[DynamixelPackets],
) -> None:
    """The vendors' parsers look at the clock only when bytes run out, as they must on
    any line that is slower than the host."""
    master, slave = os.openpty()
    tty.setraw(slave)
    # A process of its own, or it would stop for breath whenever the parser works.
    flood = f"import os\nwhile True: os.write({master}, bytes(4096))"
    with run_program([sys.executable, "-c", flood], pass_fds=[master]) as flooding:
        port = BusPort(os.ttyname(slave), 57_600, reply_timeout_s=0.02)
        try:
            select.select([slave], [], [])
            assert packets_of(port).sync_read(100, 2, [1, 2, 3]) == {}
        finally:
            flooding.kill()
            port.close()
            os.close(slave)
            os.close(master)
