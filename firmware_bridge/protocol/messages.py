"""The wire protocol's messages. Generated from reflexarc.bitproto: do not edit."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

SCHEMA_HASH = 0xA77EADED
PROTOCOL_VERSION = 1
BAUDRATE = 500000
MAX_PAYLOAD = 32
COUNTS_PER_REVOLUTION = 1440
MAX_SPEED = 5000
MAX_DUTY = 255
CONTROL_PERIOD_MS = 10
HOST_TIMEOUT_MS = 300
CAPABILITY_DRIVE = 1
CAPABILITY_BATTERY = 2
CAPABILITY_TEST_HOOKS = 32768
RESET_POWER_ON = 1
RESET_EXTERNAL = 2
RESET_BROWN_OUT = 4
RESET_WATCHDOG = 8
FLAG_MOTORS_ON = 1
FLAG_HOST_TIMEOUT = 2
FLAG_WATCHDOG_RESET = 4
FLAG_SATURATED = 8


class MessageType(IntEnum):
    """Values on the wire."""

    NONE = 0x00
    HELLO = 0x01
    DRIVE = 0x10
    STOP = 0x11
    HANG = 0x7F
    HELLO_REPLY = 0x81
    DRIVE_ACK = 0x90
    STATE = 0xE0
    ACK = 0xF0


class Status(IntEnum):
    """Values on the wire."""

    OK = 0x00
    UNKNOWN_TYPE = 0x01
    BAD_LENGTH = 0x02
    BAD_VALUE = 0x03
    HELLO_REQUIRED = 0x04


@dataclass(frozen=True)
class HelloReply:
    """12 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.HELLO_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BI2BHBH")

    protocol_version: int
    schema_hash: int
    firmware_version: tuple[int, int]
    capabilities: int
    reset_cause: int
    boots: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.protocol_version, self.schema_hash, *self.firmware_version, self.capabilities, self.reset_cause, self.boots)

    @classmethod
    def unpack(cls, payload: bytes) -> HelloReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1], (v[2], v[3]), v[4], v[5], v[6])


@dataclass(frozen=True)
class Drive:
    """4 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.DRIVE
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<2h")

    speed: tuple[int, int]

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.speed)

    @classmethod
    def unpack(cls, payload: bytes) -> Drive:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1]))


@dataclass(frozen=True)
class DriveAck:
    """4 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.DRIVE_ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<2h")

    speed: tuple[int, int]

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.speed)

    @classmethod
    def unpack(cls, payload: bytes) -> DriveAck:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1]))


@dataclass(frozen=True)
class Ack:
    """2 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BB")

    request: int
    status: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.request, self.status)

    @classmethod
    def unpack(cls, payload: bytes) -> Ack:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1])


@dataclass(frozen=True)
class State:
    """25 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.STATE
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I2i2h2hHBH")

    t_us: int
    encoder: tuple[int, int]
    speed: tuple[int, int]
    duty: tuple[int, int]
    battery_mv: int
    flags: int
    rx_errors: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.t_us, *self.encoder, *self.speed, *self.duty, self.battery_mv, self.flags, self.rx_errors)

    @classmethod
    def unpack(cls, payload: bytes) -> State:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], (v[1], v[2]), (v[3], v[4]), (v[5], v[6]), v[7], v[8], v[9])
