"""Robotis Dynamixel X series and MX (2.0), by their library: XL330, XL430 and kin.

When the host dies: each servo's Bus Watchdog stops its move after `watchdog_s`
without any packet on the bus, and it holds there, with torque on. A stopped servo
takes no goal until the next `set_servos`, which re-arms it. So while one moves,
something must be asked of the bus more often than that; `servo_angles` is enough.

Addresses and units: Robotis e-Manual, XL430-W250 control table.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Collection, Mapping
from typing import Any

from reflexarc.firmware_bridge.drivers.bus import Reply, ServoBus
from reflexarc.firmware_bridge.drivers.bus_config import BusConfig, parse_config
from reflexarc.firmware_bridge.drivers.bus_port import BusPort
from reflexarc.firmware_bridge.drivers.bus_servos import BusServos
from reflexarc.firmware_bridge.drivers.errors import ServoError
from reflexarc.firmware_bridge.drivers.family import STEPS_PER_DEGREE, Goal

# It has no type information, and is an extra: the registry says so if it is missing.
_sdk: Any = importlib.import_module("dynamixel_sdk")

_MODEL = 0
_DRIVE_MODE = 10
_OPERATING_MODE = 11
_LIMITS = 48
_TORQUE = 64
_HARDWARE_ERROR = 70
_WATCHDOG = 98
_PROFILE_VELOCITY = 112  # and Goal Position after it
_POSITION = 132

_POSITION_CONTROL = 3
# Drive Mode bits that change what a goal means: turned round, and speed given as time.
_REVERSE_OR_TIMED = 0x05
_WATCHDOG_TRIPPED = 0xFF
_WATCHDOG_UNIT_S = 0.02
_DEFAULT_WATCHDOG_S = 1.0
_FIRST_FIRMWARE_WITH_WATCHDOG = 38
# 0.229 rev/min.
_VELOCITY_UNIT = 0.229 * 360 / 60 * STEPS_PER_DEGREE

_ALERT = 0x80
_FAULTS = {
    0x01: "voltage",
    0x04: "overheating",
    0x08: "encoder",
    0x10: "electrical shock",
    0x20: "overload",
}


class DynamixelPackets:
    """The protocol, one try each; see `Packets`."""

    def __init__(self, port: BusPort) -> None:
        self._port = port
        self._handler = _sdk.PacketHandler(2.0)

    def ping(self, servo: int) -> bool:
        """Whether it answers."""
        _, result, _ = self._handler.ping(self._port, servo)
        return bool(result == _sdk.COMM_SUCCESS)

    def sync_read(self, address: int, length: int, servos: Collection[int]) -> dict[int, Reply]:
        """The whole answers that came, by id."""
        # The library's GroupSyncRead drops the status bytes, and one silent servo
        # makes it throw away the others' answers. Its packet parser is sound.
        self._handler.syncReadTx(self._port, address, length, list(servos), len(servos), False)
        replies: dict[int, Reply] = {}
        while len(replies) < len(servos):
            packet, result = self._handler.rxPacket(self._port, False)
            if result == _sdk.COMM_SUCCESS:
                if packet[5] | packet[6] << 8 == length + 4 and packet[4] in servos:
                    replies[packet[4]] = Reply(packet[8], bytes(packet[9 : 9 + length]))
            elif self._port.isPacketTimeout():
                break
        return replies

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """One packet to all of them."""
        parameters = [byte for servo, value in data.items() for byte in (servo, *value)]
        length = len(next(iter(data.values())))
        self._handler.syncWriteTxOnly(self._port, address, length, parameters, len(parameters))


class DynamixelFamily:
    """What is peculiar to these servos; see `Family`.

    Args:
        watchdog_s: silence after which a servo stops its move.
    """

    name = "Dynamixel"
    baudrates = (57_600, 1_000_000, 115_200, 2_000_000, 3_000_000, 4_000_000, 9_600)

    def __init__(self, watchdog_s: float) -> None:
        self._watchdog = max(1, round(watchdog_s / _WATCHDOG_UNIT_S))
        self._armed: set[int] = set()

    def packets(self, port: BusPort) -> DynamixelPackets:
        """Speak the protocol over `port`."""
        return DynamixelPackets(port)

    def prepare(self, bus: ServoBus, servo: int) -> tuple[int, int]:
        """Set a limp one to position control; gives its own limits in steps."""
        table = bus.read(_MODEL, 12, [servo])[servo].data
        self._check_model(bus.name(servo), table[0] | table[1] << 8, firmware=table[6])
        # Both are kept without power: written only where they differ.
        if table[_DRIVE_MODE] & _REVERSE_OR_TIMED:
            bus.write(_DRIVE_MODE, {servo: bytes([table[_DRIVE_MODE] & ~_REVERSE_OR_TIMED])})
        if table[_OPERATING_MODE] != _POSITION_CONTROL:
            bus.write(_OPERATING_MODE, {servo: bytes([_POSITION_CONTROL])})
        high, low = struct.unpack("<II", bus.read(_LIMITS, 8, [servo])[servo].data)
        return low, high

    def _check_model(self, name: str, model: int, firmware: int) -> None:
        # The X series has 1000 to 1299; MX-28, MX-64 and MX-106 share its control table.
        if not (1000 <= model < 1300 or model in (30, 311, 321)):
            raise ServoError(
                expected=f"servo {name} to be of the X series, or an MX with protocol 2.0",
                found=f"model number {model}",
                remedy="use another servo: this one's memory has other addresses",
            )
        if firmware < _FIRST_FIRMWARE_WITH_WATCHDOG:
            raise ServoError(
                expected=f"servo {name} with firmware {_FIRST_FIRMWARE_WITH_WATCHDOG} or newer, "
                "which has the Bus Watchdog",
                found=f"firmware {firmware}",
                remedy="update it with DYNAMIXEL Wizard 2.0",
            )

    def move(self, bus: ServoBus, goals: Mapping[int, Goal]) -> dict[int, Reply]:
        """Go there, torque and watchdog on."""
        blocks = {
            # 0 would be "as fast as you can".
            servo: struct.pack("<II", max(1, int(goal.speed / _VELOCITY_UNIT)), goal.position)
            for servo, goal in goals.items()
        }
        states = bus.read(_WATCHDOG, 1, goals)
        if any(reply.error & _ALERT for reply in states.values()):
            return states  # It would take no torque; the caller says why.
        unarmed = {
            servo: reply.data[0]
            for servo, reply in states.items()
            if reply.data[0] != self._watchdog
        }
        if unarmed:
            bus.statistics.watchdog_stops += list(unarmed.values()).count(_WATCHDOG_TRIPPED)
            bus.statistics.restarts += sum(
                servo in self._armed and state == 0 for servo, state in unarmed.items()
            )
            # Goals are read-only until a tripped watchdog is cleared. Goal and speed come
            # before torque, or the servo would run to an old goal at full speed.
            bus.write(_WATCHDOG, dict.fromkeys(unarmed, b"\x00"))
            bus.write(_PROFILE_VELOCITY, {servo: blocks[servo] for servo in unarmed})
            bus.write(_TORQUE, dict.fromkeys(unarmed, b"\x01"))
            # Last: a set watchdog stands for all of the above.
            bus.write(_WATCHDOG, {servo: bytes([self._watchdog]) for servo in unarmed})
            self._armed |= set(unarmed)
        # Again for those just armed: switching torque on sets a goal of its own.
        return bus.write(_PROFILE_VELOCITY, blocks)

    def positions(self, bus: ServoBus, servos: Collection[int]) -> dict[int, tuple[int, Reply]]:
        """Where each one is, in steps."""
        return {
            servo: (struct.unpack("<i", reply.data)[0], reply)
            for servo, reply in bus.read(_POSITION, 4, servos).items()
        }

    def release(self, bus: ServoBus, servos: Collection[int]) -> None:
        """Torque off, and watchdog off, which marks it as not armed."""
        bus.write(_TORQUE, dict.fromkeys(servos, b"\x00"))
        bus.write(_WATCHDOG, dict.fromkeys(servos, b"\x00"))
        self._armed -= set(servos)

    def faults(self, bus: ServoBus, servo: int, reply: Reply) -> tuple[str, ...]:
        """What is wrong, asked for where the status packet has its alert bit set."""
        if not reply.error & _ALERT:
            return ()
        bits = bus.read(_HARDWARE_ERROR, 1, [servo])[servo].data[0]
        return tuple(name for bit, name in _FAULTS.items() if bits & bit) or ("an unnamed fault",)


def open_dynamixel(config: Mapping[str, Any]) -> BusServos:
    """Connect to the servos of a `BusConfig`; all limp.

    Raises:
        DriverConfigError: settings that cannot be used.
        PortNotFoundError, PortDeniedError, PortBusyError: the adapter.
        ServoMissingError: not all of them answer (names those that do).
        ServoError: one is of another series, or its firmware is too old.
    """
    settings = parse_config(BusConfig, config, "dynamixel")
    return BusServos(settings, DynamixelFamily(settings.watchdog_s or _DEFAULT_WATCHDOG_S))
