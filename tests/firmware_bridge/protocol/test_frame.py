from hypothesis import given
from hypothesis import strategies as st

from reflexarc.firmware_bridge.protocol.frame import (
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    encode_frame,
)
from reflexarc.firmware_bridge.protocol.messages import MAX_PAYLOAD

byte = st.integers(0, 255)
frames = st.builds(Frame, byte, byte, st.binary(max_size=MAX_PAYLOAD))


def test_the_bytes_of_a_known_frame() -> None:
    # CRC-16/CCITT-FALSE of "123456789" is 0x29B1: the check value of its definition.
    assert encode_frame(ord("1"), ord("2"), b"3456789") == b"\x0c123456789\xb1\x29\x00"


@given(st.lists(frames), st.lists(st.integers(1, 7), min_size=1))
def test_frames_survive_being_cut_into_pieces(sent: list[Frame], cuts: list[int]) -> None:
    line = b"".join(encode_frame(*frame) for frame in sent)
    decoder, received = FrameDecoder(), []
    while line:
        for cut in cuts:
            received += decoder.feed(line[:cut])
            line = line[cut:]
    assert received == sent


@given(frames)
def test_a_frame_holds_no_zero_but_its_last(frame: Frame) -> None:
    line = encode_frame(*frame)
    assert line.index(0) == len(line) - 1
    assert len(line) <= MAX_ENCODED + 1


@given(st.binary(max_size=500), frames)
def test_after_any_garbage_the_next_frame_is_found(garbage: bytes, frame: Frame) -> None:
    assert FrameDecoder().feed(garbage + b"\0" + encode_frame(*frame))[-1] == frame


@given(frames, st.data())
def test_a_flipped_bit_never_gives_a_frame(frame: Frame, data: st.DataObject) -> None:
    line = bytearray(encode_frame(*frame))
    bit = data.draw(st.integers(0, (len(line) - 1) * 8 - 1))
    line[bit // 8] ^= 1 << bit % 8
    decoder = FrameDecoder()
    assert decoder.feed(bytes(line)) == []
    assert decoder.statistics.crc_errors + decoder.statistics.framing_errors >= 1


def test_a_frame_without_its_last_byte_is_no_frame() -> None:
    """With the checksum's high byte first, 1 frame in 256 would still check out."""
    taken = 0
    for seq in range(256):
        for speed in range(200):
            line = encode_frame(0x90, seq, speed.to_bytes(2, "little"))
            taken += len(FrameDecoder().feed(line[:-2] + b"\0"))
    assert taken <= 4  # 51,200 frames at 2^-16, not at 2^-8


def test_a_line_that_never_says_zero_fills_no_memory() -> None:
    decoder = FrameDecoder()
    for _ in range(1000):
        assert decoder.feed(b"\x55" * 1000) == []
    assert len(decoder._buffer) <= MAX_ENCODED
    assert decoder.feed(b"\0" + encode_frame(1, 2, b"3")) == [Frame(1, 2, b"3")]
    assert decoder.statistics.framing_errors == 1


def test_zeros_between_frames_are_no_errors() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\0\0" + encode_frame(1, 2) + b"\0") == [Frame(1, 2, b"")]
    assert decoder.statistics.framing_errors == 0
