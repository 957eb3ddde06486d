"""Random and crooked bytes at both frame parsers, the chip's C and the host's Python."""

from __future__ import annotations

import binascii
import random
import struct
from collections.abc import Callable, Iterator, Sequence

import pytest
from cobs import cobs
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import MAX_PAYLOAD

Parser = Callable[[Sequence[bytes]], list[tuple[list[Frame], int]]]
"""Lines in; for each the frames in it, and how many broken ones."""

BATCH = 1000
_BODY_LENGTHS = [*range(8), *range(30, 44), 253, 254, 255, 256, 300]
_ALPHABETS = [
    bytes(range(256)),
    bytes(range(1, 256)),
    bytes((0, 1, 2, 3, 4, 5, 6, 7)),
    bytes((0, 0, 0, 1, 2, 0xFE, 0xFF)),
    bytes((1,)),
    bytes((0xFF,)),
]


@pytest.fixture(scope="module")
def chip(compile_c: Callable[[str, Sequence[str]], Callable[[bytes], bytes]]) -> Parser:
    """The firmware's parser."""
    run = compile_c("parser", ["app/frame.c", "app/crc16.c"])

    def parse(lines: Sequence[bytes]) -> list[tuple[list[Frame], int]]:
        out = run(b"".join(struct.pack("<H", len(line)) + line for line in lines))
        results: list[tuple[list[Frame], int]] = []
        frames: list[Frame] = []
        at, broken_before = 0, 0
        while at < len(out):
            if out[at] == ord("F"):
                type_, seq, length = out[at + 1 : at + 4]
                frames.append(Frame(type_, seq, out[at + 4 : at + 4 + length]))
                at += 4 + length
            else:
                assert out[at] == ord("E")
                broken = int.from_bytes(out[at + 1 : at + 3], "little")
                results.append((frames, broken - broken_before))
                frames, broken_before = [], broken
                at += 3
        assert len(results) == len(lines)
        return results

    return parse


def host(lines: Sequence[bytes], chance: random.Random) -> list[tuple[list[Frame], int]]:
    """The host's parser, fed in pieces of any size."""
    results, decoder, broken_before = [], FrameDecoder(), 0
    for line in lines:
        frames, cut = [], chance.choice((1, 7, 64, len(line) or 1))
        for start in range(0, len(line), cut):
            frames += decoder.feed(line[start : start + cut])
        broken = decoder.statistics.crc_errors + decoder.statistics.framing_errors
        results.append((frames, broken - broken_before))
        broken_before = broken
    return results


# ---- crooked lines


def _random_frame(chance: random.Random) -> Frame:
    alphabet = chance.choice(_ALPHABETS)
    payload = bytes(chance.choices(alphabet, k=chance.randint(0, MAX_PAYLOAD)))
    return Frame(chance.randrange(256), chance.randrange(256), payload)


def _noise(chance: random.Random) -> bytes:
    return bytes(chance.choices(chance.choice(_ALPHABETS), k=chance.choice((3, 40, 300))))


def _any_body(chance: random.Random) -> bytes:
    """Right COBS and a right checksum over a body of any length, legal or not."""
    alphabet = chance.choice(_ALPHABETS)
    body = bytes(chance.choices(alphabet, k=chance.choice(_BODY_LENGTHS)))
    encoded: bytes = cobs.encode(body + _checksum(body))
    return encoded + b"\0"


def _checksum(body: bytes) -> bytes:
    return struct.pack("<H", binascii.crc_hqx(body, 0xFFFF))


def _code_bytes(chance: random.Random) -> bytes:
    """COBS codes that promise more, or less, than follows."""
    code = chance.choice((1, 2, 36, 37, 38, 253, 254, 255))
    follow = max(0, code - 1 + chance.randint(-2, 2))
    return bytes((code,)) + chance.choice((b"\x01", b"\x77", b"\xff")) * follow + b"\0"


def _mutated(chance: random.Random) -> bytes:
    """Good frames with up to three accidents of a line."""
    line = bytearray(b"".join(encode_frame(*_random_frame(chance)) for _ in range(3)))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(line))
        match chance.randrange(7):
            case 0:
                line[at] ^= 1 << chance.randrange(8)
            case 1:
                line[at] = chance.randrange(256)
            case 2:
                del line[at]
            case 3:
                line.insert(at, line[at])
            case 4:  # Two frames run into one, or the line starts in the middle of one.
                line = line.replace(b"\0", b"", 1)
            case 5:
                del line[: at // 2]
            case _:
                line[at:at] = line[max(0, at - 20) : at]
    return bytes(line)


_MAKERS = (_noise, _any_body, _code_bytes, _mutated)


def _lines(chance: random.Random, count: int) -> Iterator[tuple[bytes, Frame]]:
    """Garbage, a zero, and the good frame that must be found after it."""
    for _ in range(count):
        garbage = b"".join(chance.choice(_MAKERS)(chance) for _ in range(chance.randint(1, 2)))
        good = _random_frame(chance)
        yield garbage + b"\0" + encode_frame(*good), good


def test_both_parsers_find_the_same_frames_in_garbage(
    chip: Parser, cases: int, tally: Callable[[str], None]
) -> None:
    found = rejected = thrown = 0

    # No shrinking: a smaller seed is no smaller case, and the message has the line.
    @settings(max_examples=-(-cases // BATCH), database=None, phases=[Phase.generate])
    @given(seed=st.integers(0, 2**64 - 1))
    def throw(seed: int) -> None:
        nonlocal found, rejected, thrown
        chance = random.Random(seed)
        batch = list(_lines(chance, BATCH))
        lines = [line for line, _ in batch]
        for (line, good), by_chip, by_host in zip(
            batch, chip(lines), host(lines, chance), strict=True
        ):
            assert by_chip == by_host, line.hex()
            assert by_chip[0][-1] == good, line.hex()
            found += len(by_chip[0])
            rejected += by_chip[1]
        thrown += len(batch)

    throw()
    tally(f"parsers: {thrown:,} lines, {found:,} frames found, {rejected:,} broken ones refused")
    # The garbage is neither all broken nor all whole.
    assert found > 1.2 * thrown
    assert rejected > thrown


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=60), st.just(b"\0")), max_size=8))
def test_any_bytes(chip: Parser, pieces: list[bytes]) -> None:
    line = b"".join(pieces)
    assert chip([line]) == host([line], random.Random(0))
