"""The wire protocol's messages. Generated from reflexarc.bitproto: do not edit."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

SCHEMA_HASH = 0x52C85C68
PROTOCOL_VERSION = 2
BAUDRATE = 500000
MAX_PAYLOAD = 32
MAX_SPEED = 5000
MAX_DUTY = 255
CONTROL_PERIOD_MS = 10
HEALTH_PERIOD_MS = 50
HOST_TIMEOUT_MS = 300
CAPABILITY_DRIVE = 1
CAPABILITY_BATTERY = 2
CAPABILITY_SERVOS = 4
CAPABILITY_LIGHT = 8
CAPABILITY_RANGE = 16
CAPABILITY_BUMP = 32
CAPABILITY_EMERGENCY_STOP = 64
CAPABILITY_SETTINGS = 128
CAPABILITY_TEST_HOOKS = 32768
RESET_POWER_ON = 1
RESET_EXTERNAL = 2
RESET_BROWN_OUT = 4
RESET_WATCHDOG = 8
RESET_STACK_OVERFLOW = 16
FLAG_MOTORS_ON = 1
FLAG_HOST_TIMEOUT = 2
FLAG_SATURATED = 4
FLAG_BUMP = 8
FLAG_EMERGENCY_STOP = 16
FLAG_SERVOS_MOVING = 32
FLAG_SAVING = 64
FAULT_EMERGENCY_STOP = 1
FAULT_BUMP = 2
FAULT_BATTERY_LOW = 4
FAULT_ENCODER_LEFT = 8
FAULT_ENCODER_RIGHT = 16
FAULT_STALL_LEFT = 32
FAULT_STALL_RIGHT = 64
FAULT_RUNAWAY_LEFT = 128
FAULT_RUNAWAY_RIGHT = 256
SERVOS = 3
SERVO_RELEASED = 32767
LIGHT_RED = 1
LIGHT_GREEN = 2
LIGHT_BLUE = 4
RANGE_NONE = 65535
SETTING_LEFT_MOTOR_REVERSED = 1
SETTING_RIGHT_MOTOR_REVERSED = 2
SETTING_LEFT_ENCODER_REVERSED = 4
SETTING_RIGHT_ENCODER_REVERSED = 8
SETTING_EMERGENCY_STOP_FITTED = 16


class MessageType(IntEnum):
    """Values on the wire."""

    NONE = 0x00
    HELLO = 0x01
    DRIVE = 0x10
    STOP = 0x11
    CLEAR = 0x12
    SERVOS = 0x20
    LIGHT = 0x21
    GET_STATE = 0x30
    GET_HEALTH = 0x31
    GET_DRIVE_SETTINGS = 0x40
    DRIVE_SETTINGS = 0x41
    GET_SERVO_SETTINGS = 0x42
    SERVO_SETTINGS = 0x43
    SAVE_SETTINGS = 0x44
    DEFAULT_SETTINGS = 0x45
    GET_CLOCK = 0x50
    HANG = 0x7E
    OVERFLOW = 0x7F
    HELLO_REPLY = 0x81
    DRIVE_REPLY = 0x90
    CLEAR_REPLY = 0x92
    SERVOS_REPLY = 0xA0
    GET_STATE_REPLY = 0xB0
    GET_HEALTH_REPLY = 0xB1
    GET_DRIVE_SETTINGS_REPLY = 0xC0
    GET_SERVO_SETTINGS_REPLY = 0xC2
    GET_CLOCK_REPLY = 0xD0
    STATE = 0xE0
    HEALTH = 0xE1
    ACK = 0xF0


class Status(IntEnum):
    """Values on the wire."""

    OK = 0x00
    UNKNOWN_TYPE = 0x01
    BAD_LENGTH = 0x02
    BAD_VALUE = 0x03
    HELLO_REQUIRED = 0x04
    FAULT = 0x05
    BUSY = 0x06


class BoardKind(IntEnum):
    """Values on the wire."""

    UNKNOWN = 0x00
    ATMEGA328P = 0x01
    STM32F405 = 0x02


class SettingsSource(IntEnum):
    """Values on the wire."""

    SAVED = 0x00
    EMPTY = 0x01
    CORRUPT = 0x02


@dataclass(frozen=True)
class Hello:
    """5 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.HELLO
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BI")

    protocol_version: int
    session: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.protocol_version, self.session)

    @classmethod
    def unpack(cls, payload: bytes) -> Hello:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1])


@dataclass(frozen=True)
class HelloReply:
    """19 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.HELLO_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BIB2BHBHIBB")

    protocol_version: int
    schema_hash: int
    board_kind: int
    firmware_version: tuple[int, int]
    capabilities: int
    reset_cause: int
    boots: int
    last_session: int
    settings_source: int
    receive_buffer: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.protocol_version, self.schema_hash, self.board_kind, *self.firmware_version, self.capabilities, self.reset_cause, self.boots, self.last_session, self.settings_source, self.receive_buffer)

    @classmethod
    def unpack(cls, payload: bytes) -> HelloReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1], v[2], (v[3], v[4]), v[5], v[6], v[7], v[8], v[9], v[10])


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
class DriveReply:
    """4 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.DRIVE_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<2h")

    speed: tuple[int, int]

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.speed)

    @classmethod
    def unpack(cls, payload: bytes) -> DriveReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1]))


@dataclass(frozen=True)
class Clear:
    """2 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.CLEAR
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<H")

    faults: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.faults)

    @classmethod
    def unpack(cls, payload: bytes) -> Clear:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0])


@dataclass(frozen=True)
class ClearReply:
    """2 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.CLEAR_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<H")

    faults: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.faults)

    @classmethod
    def unpack(cls, payload: bytes) -> ClearReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0])


@dataclass(frozen=True)
class Servos:
    """7 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.SERVOS
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<3hB")

    angle: tuple[int, int, int]
    mask: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.angle, self.mask)

    @classmethod
    def unpack(cls, payload: bytes) -> Servos:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1], v[2]), v[3])


@dataclass(frozen=True)
class ServosReply:
    """6 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.SERVOS_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<3h")

    angle: tuple[int, int, int]

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.angle)

    @classmethod
    def unpack(cls, payload: bytes) -> ServosReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1], v[2]))


@dataclass(frozen=True)
class Light:
    """1 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.LIGHT
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<B")

    color: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.color)

    @classmethod
    def unpack(cls, payload: bytes) -> Light:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0])


@dataclass(frozen=True)
class Ack:
    """4 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.ACK
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<BBH")

    request: int
    status: int
    detail: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.request, self.status, self.detail)

    @classmethod
    def unpack(cls, payload: bytes) -> Ack:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1], v[2])


@dataclass(frozen=True)
class State:
    """19 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.STATE
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<I2i2hBH")

    t_us: int
    encoder: tuple[int, int]
    speed: tuple[int, int]
    flags: int
    faults: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.t_us, *self.encoder, *self.speed, self.flags, self.faults)

    @classmethod
    def unpack(cls, payload: bytes) -> State:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], (v[1], v[2]), (v[3], v[4]), v[5], v[6])


@dataclass(frozen=True)
class Health:
    """20 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.HEALTH
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<HH2h3hHHH")

    battery_mv: int
    range_mm: int
    duty: tuple[int, int]
    servo: tuple[int, int, int]
    rx_errors: int
    longest_period_us: int
    stack_free: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.battery_mv, self.range_mm, *self.duty, *self.servo, self.rx_errors, self.longest_period_us, self.stack_free)

    @classmethod
    def unpack(cls, payload: bytes) -> Health:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1], (v[2], v[3]), (v[4], v[5], v[6]), v[7], v[8], v[9])


@dataclass(frozen=True)
class GetClockReply:
    """8 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.GET_CLOCK_REPLY
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<II")

    received_us: int
    sent_us: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.received_us, self.sent_us)

    @classmethod
    def unpack(cls, payload: bytes) -> GetClockReply:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1])


@dataclass(frozen=True)
class DriveSettings:
    """19 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.DRIVE_SETTINGS
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<HHHHHHHHHB")

    counts_per_revolution: int
    wheel_diameter: int
    wheel_separation: int
    feed_forward: int
    proportional: int
    integral: int
    max_speed: int
    battery_cut_mv: int
    battery_full_scale_mv: int
    options: int

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(self.counts_per_revolution, self.wheel_diameter, self.wheel_separation, self.feed_forward, self.proportional, self.integral, self.max_speed, self.battery_cut_mv, self.battery_full_scale_mv, self.options)

    @classmethod
    def unpack(cls, payload: bytes) -> DriveSettings:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9])


@dataclass(frozen=True)
class ServoSettings:
    """30 bytes on the wire."""

    TYPE: ClassVar[MessageType] = MessageType.SERVO_SETTINGS
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<3h3h3h3h3H")

    lowest: tuple[int, int, int]
    highest: tuple[int, int, int]
    trim: tuple[int, int, int]
    scale: tuple[int, int, int]
    speed: tuple[int, int, int]

    def pack(self) -> bytes:
        """Payload bytes; struct.error where a value does not fit its field."""
        return self.LAYOUT.pack(*self.lowest, *self.highest, *self.trim, *self.scale, *self.speed)

    @classmethod
    def unpack(cls, payload: bytes) -> ServoSettings:
        """From payload bytes; struct.error where the length is another."""
        v = cls.LAYOUT.unpack(payload)
        return cls((v[0], v[1], v[2]), (v[3], v[4], v[5]), (v[6], v[7], v[8]), (v[9], v[10], v[11]), (v[12], v[13], v[14]))
