"""Frames on the serial line: COBS( type | seq | payload | CRC-16 ) and a zero byte.

The zero byte appears nowhere else (COBS, Cheshire and Baker 1999), so a reader
that lost its place finds it again at the next one.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import NamedTuple

from cobs import cobs

from reflexarc.firmware_bridge.protocol.messages import MAX_PAYLOAD

_MAX_BODY = 2 + MAX_PAYLOAD + 2
# Below 254 bytes COBS adds exactly one.
MAX_ENCODED = _MAX_BODY + 1
_MIN_BODY = 4


class Frame(NamedTuple):
    """One frame that came through whole. `type` may be a number nobody knows."""

    type: int
    seq: int
    payload: bytes


def _crc(data: bytes) -> int:
    # CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, not reflected.
    return binascii.crc_hqx(data, 0xFFFF)


def encode_frame(type_: int, seq: int, payload: bytes = b"") -> bytes:
    """The bytes to send, with the closing zero.

    Raises:
        ValueError: `payload` longer than MAX_PAYLOAD, or a number over 255.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"expected at most {MAX_PAYLOAD} bytes of payload; found {len(payload)}")
    body = bytes((type_, seq)) + payload
    encoded: bytes = cobs.encode(body + _crc(body).to_bytes(2, "little"))
    return encoded + b"\0"


@dataclass
class DecoderStatistics:
    """What a decoder has seen since it was made."""

    frames: int = 0
    crc_errors: int = 0
    framing_errors: int = 0


class FrameDecoder:
    """Takes bytes in pieces of any size, gives whole frames. Never raises."""

    def __init__(self, statistics: DecoderStatistics | None = None) -> None:
        self.statistics = statistics or DecoderStatistics()
        self._buffer = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order; broken ones are only counted."""
        frames = []
        *complete, rest = bytes(data).split(b"\0")
        for piece in complete:
            self._append(piece)
            frame = self._finish()
            if frame is not None:
                frames.append(frame)
        self._append(rest)
        return frames

    def _append(self, piece: bytes) -> None:
        # A line that never says zero must not fill the memory.
        if self._too_long or len(self._buffer) + len(piece) > MAX_ENCODED:
            self._too_long = True
            self._buffer.clear()
        else:
            self._buffer += piece

    def _finish(self) -> Frame | None:
        encoded, too_long = bytes(self._buffer), self._too_long
        self._buffer.clear()
        self._too_long = False
        if not encoded and not too_long:
            return None  # Zeros between frames are how a sender flushes a line.
        try:
            body: bytes = cobs.decode(encoded)
        except cobs.DecodeError:
            body = b""
        if too_long or len(body) < _MIN_BODY:
            self.statistics.framing_errors += 1
            return None
        if _crc(body[:-2]) != int.from_bytes(body[-2:], "little"):
            self.statistics.crc_errors += 1
            return None
        self.statistics.frames += 1
        return Frame(body[0], body[1], body[2:-2])
