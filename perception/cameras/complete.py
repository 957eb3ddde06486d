"""Whether a picture file has its end: decoders often do not say.

Only the outer structure is walked; nothing is decoded.
"""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"


def missing_end(data: bytes) -> str | None:
    """What the file lacks at its end, or None if it is whole or not known here.

    Knows JPEG, PNG, WebP and BMP.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(_PNG):
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _shorter_than(data, struct.unpack_from("<I", data, 4)[0] + 8)
    if data.startswith(b"BM") and len(data) >= 6:
        return _shorter_than(data, struct.unpack_from("<I", data, 2)[0])
    return None


def _shorter_than(data: bytes, declared: int) -> str | None:
    return f"{len(data)} of {declared} bytes" if len(data) < declared else None


def _jpeg(data: bytes) -> str | None:
    """Find the end-of-image marker of the main picture.

    The header's segments are skipped by their lengths, since an EXIF thumbnail
    has an end marker of its own. Inside the scan a 0xFF byte is always escaped,
    so the marker found there is the real one (ITU-T T.81, B.1.1.5).
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None  # not a marker: let the decoder judge
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xDA:  # start of scan
            found = data.find(b"\xff\xd9", at)
            return None if found >= 0 else "no end-of-image marker"
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            at += 2
            continue
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return "it ends inside its header"


def _png(data: bytes) -> str | None:
    """Walk the chunks to IEND (ISO/IEC 15948, 5.3)."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if kind == b"IEND":
            return None
    return "no IEND chunk"
