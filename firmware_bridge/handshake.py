"""The first words with a board: is anybody there, and do we mean the same by them?"""

from __future__ import annotations

import contextlib
import struct
import time

from reflexarc.firmware_bridge.errors import LinkLostError, NoAnswerError, ProtocolMismatchError
from reflexarc.firmware_bridge.link import Link
from reflexarc.firmware_bridge.protocol.messages import (
    PROTOCOL_VERSION,
    SCHEMA_HASH,
    Hello,
    HelloReply,
    MessageType,
)

# A chip that is still in its bootloader swallows what comes: ask until it is through.
_ASK_EVERY_S = 0.1

_FLASH = "flash the firmware that belongs to this version of reflexarc"


def shake_hands(link: Link, timeout_s: float, session: int) -> HelloReply:
    """Say HELLO until answered, and check that both sides were built from one schema.

    Args:
        session: the host's name for its session, not 0.

    Raises:
        NoAnswerError: silence, or noise, for `timeout_s`.
        ProtocolMismatchError: another version or another schema.
        LinkLostError: the port broke meanwhile.
    """
    deadline = time.monotonic() + timeout_s
    hello = Hello(PROTOCOL_VERSION, session).pack()
    heard_before, refused = link.counters.bytes_received, b""
    while time.monotonic() < deadline:
        try:
            reply = link.request(MessageType.HELLO, hello, tries=1, timeout_s=_ASK_EVERY_S)
        except LinkLostError:
            if link.is_lost:
                raise
            continue
        if reply.type != MessageType.HELLO_REPLY:
            continue
        try:
            answer = _check(reply.payload)
        except ProtocolMismatchError:
            # Hard to say by accident, impossible to say twice.
            if refused == reply.payload[:5]:
                raise
            refused = reply.payload[:5]
            continue
        # Until the chip hears something else, it takes a HELLO for this one said again, and
        # answers as now. A link that fails here is somebody else's trouble.
        with contextlib.suppress(LinkLostError):
            link.request(MessageType.GET_STATE)
        return answer
    raise _no_answer(link, timeout_s, link.counters.bytes_received - heard_before)


def _no_answer(link: Link, timeout_s: float, heard: int) -> NoAnswerError:
    if heard:
        found = f"{heard} bytes that make no sense"
        remedy = "check the baud rate on both sides, and that this is the board's port"
    else:
        found = "silence"
        remedy = (
            "check that this is the board's port, that it has power, that it is flashed, "
            "and the baud rate"
        )
    return NoAnswerError(
        expected=f"a reflexarc board to answer at {link.port} within {timeout_s} s",
        found=found,
        remedy=remedy,
    )


def _check(payload: bytes) -> HelloReply:
    # The version comes first and alone: another version may have another layout.
    version = payload[0] if payload else 0
    if version != PROTOCOL_VERSION:
        raise ProtocolMismatchError(
            expected=f"firmware that speaks protocol version {PROTOCOL_VERSION}",
            found=f"firmware that speaks version {version}",
            remedy=_FLASH,
        )
    try:
        hello = HelloReply.unpack(payload)
    except struct.error as error:
        raise ProtocolMismatchError(
            expected=f"a HELLO reply of {HelloReply.LAYOUT.size} bytes",
            found=f"{len(payload)} bytes",
            remedy=_FLASH,
        ) from error
    if hello.schema_hash != SCHEMA_HASH:
        raise ProtocolMismatchError(
            expected=f"firmware built from schema {SCHEMA_HASH:08x}",
            found=f"firmware built from schema {hello.schema_hash:08x}",
            remedy=_FLASH,
        )
    return hello
