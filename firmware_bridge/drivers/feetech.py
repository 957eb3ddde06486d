"""Feetech's magnetic servos, STS and SMS series (STS3215 and its kin), by their library.

When the host dies: these servos have no watchdog. One ends the move that it is on, at
its speed limit, and then holds, with torque on, until its power goes or another
program releases it. Where that is not good enough, give the servos' supply a switch
of its own, or use Dynamixels.

Their packets end in an 8-bit sum, which misses about one broken packet in 256. A goal
is read back, so a wrong one is mended at once; an angle read over a bad line may be
wrong.

Addresses and units: Feetech, "STS series memory table" and "FT-SCS communication
protocol".
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
from reflexarc.firmware_bridge.drivers.errors import DriverConfigError
from reflexarc.firmware_bridge.drivers.family import Goal

# It has no type information, and is an extra: the registry says so if it is missing.
_sdk: Any = importlib.import_module("scservo_sdk")

_LIMITS = 9
_PHASE = 18
_MODE = 33
_TORQUE = 40
_LOCK = 55
_POSITION = 56

_POSITION_MODE = 0
# Bit 2 of the phase byte: speeds count single steps a second, not fifties.
_PHASE_FINE_SPEED = 0x04
_COARSE_SPEED = 50
_SIGN = 0x8000
# Of the bytes from _TORQUE on. A servo may round the others to what it can do.
_TORQUE_AND_GOAL = (0, 2, 3)

_FAULTS = {
    0x01: "voltage",
    0x02: "position sensor",
    0x04: "overheating",
    0x08: "overcurrent",
    0x20: "overload",
}


class FeetechPackets:
    """The protocol, one try each; see `Packets`."""

    def __init__(self, port: BusPort) -> None:
        self._port = port
        self._handler = _sdk.sms_sts(port)

    def ping(self, servo: int) -> bool:
        """Whether it answers."""
        request = [0xFF, 0xFF, servo, 2, _sdk.INST_PING, 0]
        # The library's own ping also reads the model, which doubles what can get lost.
        _, result, _ = self._handler.txRxPacket(request)
        return bool(result == _sdk.COMM_SUCCESS)

    def sync_read(self, address: int, length: int, servos: Collection[int]) -> dict[int, Reply]:
        """The whole answers that came, by id."""
        # The library's GroupSyncRead drops the status bytes, and keeps old values for
        # servos that stay silent. Its packet parser is sound.
        self._handler.syncReadTx(address, length, list(servos), len(servos))
        self._port.setPacketTimeout(len(servos) * (length + 6))
        replies: dict[int, Reply] = {}
        while len(replies) < len(servos):
            packet, result = self._handler.rxPacket()
            if result == _sdk.COMM_SUCCESS:
                if packet[3] == length + 2 and packet[2] in servos:
                    replies[packet[2]] = Reply(packet[4], bytes(packet[5 : 5 + length]))
            elif self._port.isPacketTimeout():
                break
        return replies

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """One packet to all of them."""
        parameters = [byte for servo, value in data.items() for byte in (servo, *value)]
        length = len(next(iter(data.values())))
        self._handler.syncWriteTxOnly(address, length, parameters, len(parameters))


class FeetechFamily:
    """What is peculiar to these servos; see `Family`."""

    name = "Feetech"
    baudrates = (1_000_000, 500_000, 115_200, 57_600, 38_400)

    def __init__(self) -> None:
        self._speed_unit: dict[int, int] = {}

    def packets(self, port: BusPort) -> FeetechPackets:
        """Speak the protocol over `port`."""
        return FeetechPackets(port)

    def prepare(self, bus: ServoBus, servo: int) -> tuple[int, int]:
        """Set a limp one to position control; gives its own limits in steps."""
        phase = bus.read(_PHASE, 1, [servo])[servo].data[0]
        self._speed_unit[servo] = 1 if phase & _PHASE_FINE_SPEED else _COARSE_SPEED
        # Both are kept without power: written only where they differ.
        if bus.read(_MODE, 1, [servo])[servo].data[0] != _POSITION_MODE:
            bus.write(_LOCK, {servo: b"\x00"})
            bus.write(_MODE, {servo: bytes([_POSITION_MODE])})
            bus.write(_LOCK, {servo: b"\x01"})
        low, high = struct.unpack("<HH", bus.read(_LIMITS, 4, [servo])[servo].data)
        # Both 0 is multi-turn; one turn of it is all that a pan, tilt or gripper needs.
        return (low, high) if high > low else (0, 4095)

    def move(self, bus: ServoBus, goals: Mapping[int, Goal]) -> dict[int, Reply]:
        """Torque, speed and goal in one packet: nothing depends on what came before."""
        return bus.write(
            _TORQUE,
            {
                servo: struct.pack(
                    "<BBHHH",
                    1,
                    0,  # acceleration: as steep as it can
                    goal.position,
                    0,  # time: by speed instead
                    # 0 would be "as fast as you can".
                    max(1, int(goal.speed / self._speed_unit[servo])),
                )
                for servo, goal in goals.items()
            },
            compare=_TORQUE_AND_GOAL,
        )

    def positions(self, bus: ServoBus, servos: Collection[int]) -> dict[int, tuple[int, Reply]]:
        """Where each one is, in steps."""
        positions: dict[int, tuple[int, Reply]] = {}
        for servo, reply in bus.read(_POSITION, 2, servos).items():
            raw = struct.unpack("<H", reply.data)[0]
            # Sign and magnitude, as everywhere in this family.
            positions[servo] = (-(raw & ~_SIGN) if raw & _SIGN else raw, reply)
        return positions

    def release(self, bus: ServoBus, servos: Collection[int]) -> None:
        """Torque off."""
        bus.write(_TORQUE, dict.fromkeys(servos, b"\x00"))

    def faults(self, bus: ServoBus, servo: int, reply: Reply) -> tuple[str, ...]:
        """What the status byte says is wrong."""
        return tuple(name for bit, name in _FAULTS.items() if reply.error & bit)


def open_feetech(config: Mapping[str, Any]) -> BusServos:
    """Connect to the servos of a `BusConfig`; all limp.

    Raises:
        DriverConfigError: settings that cannot be used.
        PortNotFoundError, PortDeniedError, PortBusyError: the adapter.
        ServoMissingError: not all of them answer (names those that do).
        ServoFaultError: one reports trouble.
    """
    settings = parse_config(BusConfig, config, "feetech")
    if settings.watchdog_s is not None:
        raise DriverConfigError(
            expected="no watchdog_s with feetech",
            found=f"watchdog_s: {settings.watchdog_s}",
            remedy="remove it: Feetech servos have no watchdog and hold when the host dies",
        )
    return BusServos(settings, FeetechFamily())
