"""Emulated Dynamixel XL430-W250 servos, from Robotis' e-Manual: "Protocol 2.0" and the
servo's control table."""

from __future__ import annotations

from collections.abc import Sequence

STEPS_PER_DEGREE = 4096 / 360
_STEPS_PER_VELOCITY_UNIT = 0.229 / 60 * 4096

_RESULT_FAIL, _RANGE, _LIMIT, _ACCESS = 1, 4, 6, 7
_GOALS = (100, 120)
_READ_ONLY = ((0, 7), (69, 71), (120, 148))


class DynamixelServo:
    """One servo: its control table and a motor without load."""

    def __init__(
        self, servo_id: int, *, position: float = 2048, model: int = 1060, firmware: int = 45
    ) -> None:
        self.silent = False
        self.position = position
        self._quiet_s = 0.0
        self._eeprom = bytearray(64)
        self._eeprom[0:2] = model.to_bytes(2, "little")
        self._eeprom[6] = firmware
        self._eeprom[7] = servo_id
        self._eeprom[11] = 3
        self._eeprom[48:52] = (4095).to_bytes(4, "little")
        self._eeprom[63] = 52
        self.memory = bytearray()
        self.power_cycle()

    def power_cycle(self) -> None:
        """Power off and on: RAM is as at the factory, torque off."""
        self.memory = bytearray(self._eeprom) + bytearray(600)
        self.memory[68] = 2

    @property
    def id(self) -> int:
        return self.memory[7]

    @property
    def torque(self) -> bool:
        return self.memory[64] == 1

    def dword(self, address: int) -> int:
        return int.from_bytes(self.memory[address : address + 4], "little", signed=True)

    def fail(self, bits: int) -> None:
        """A hardware error; those in Shutdown(63) switch the torque off."""
        self.memory[70] |= bits
        if bits & self.memory[63]:
            self.memory[64] = 0

    def hear(self) -> None:
        """An instruction packet was on the bus: the watchdog starts again."""
        self._quiet_s = 0.0

    def advance(self, seconds: float) -> None:
        self._quiet_s += seconds
        watchdog = self.memory[98]
        if self.torque and 1 <= watchdog <= 127 and self._quiet_s > watchdog * 0.02:
            self.memory[98] = 0xFF
        if not self.torque or self.memory[98] == 0xFF or self.memory[11] != 3:
            return
        # Profile velocity 0 is full speed.
        speed = (self.dword(112) or 400) * _STEPS_PER_VELOCITY_UNIT
        step = speed * seconds
        self.position += max(-step, min(step, self.dword(116) - self.position))

    def read(self, address: int, length: int) -> bytes:
        self.memory[132:136] = round(self.position).to_bytes(4, "little", signed=True)
        return bytes(self.memory[address : address + length])

    def write(self, address: int, data: bytes) -> int:
        """Gives the error number of the status packet."""
        end = address + len(data)
        if any(address < high and low < end for low, high in _READ_ONLY):
            return _ACCESS
        if address < 64 and self.torque:
            return _ACCESS
        if self.memory[98] == 0xFF and address < _GOALS[1] and _GOALS[0] < end:
            return _RANGE
        if address <= 98 < end and data[98 - address] > 127:
            return _RANGE
        if address <= 116 and end >= 120:
            goal = int.from_bytes(data[116 - address : 120 - address], "little", signed=True)
            if not self.dword(52) <= goal <= self.dword(48):
                return _LIMIT
        if address <= 64 < end and data[64 - address] == 1:
            if self.memory[70] & self.memory[63]:
                return _RESULT_FAIL
            if not self.torque:
                # Torque on: the goal is where it is.
                self.memory[116:120] = round(self.position).to_bytes(4, "little", signed=True)
        self.memory[address:end] = data
        if address < 64:
            self._eeprom[address:end] = data
        return 0


class DynamixelInstructions:
    """FF FF FD 00 id length(2) instruction parameters crc(2), stuffed."""

    def __init__(self, servos: Sequence[DynamixelServo]) -> None:
        self._servos = servos
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        packets = []
        while (start := self._buffer.find(b"\xff\xff\xfd\x00")) >= 0:
            self._buffer = self._buffer[start:]
            if len(self._buffer) < 7:
                break
            size = 7 + int.from_bytes(self._buffer[5:7], "little")
            if len(self._buffer) < size:
                # As a real servo, which gives up when the line goes quiet; here a
                # newer header ends a packet whose length was broken.
                later = self._buffer.find(b"\xff\xff\xfd\x00", 4)
                if later < 0:
                    break
                self._buffer = self._buffer[later:]
                continue
            packet = self._buffer[:size]
            if crc16(packet[:-2]) == int.from_bytes(packet[-2:], "little"):
                packets.append(packet)
                self._buffer = self._buffer[size:]
            else:
                self._buffer = self._buffer[4:]
        return packets

    def obey(self, packet: bytes) -> list[bytes]:
        target, instruction = packet[4], packet[7]
        body = packet[7:-2].replace(b"\xff\xff\xfd\xfd", b"\xff\xff\xfd")
        parameters = body[1:]
        address = int.from_bytes(parameters[0:2], "little")
        length = int.from_bytes(parameters[2:4], "little")
        replies = []
        if instruction == 0x83:  # SYNC WRITE: address, length, then id and data of each
            for at in range(4, len(parameters), 1 + length):
                for servo in self._called(parameters[at]):
                    servo.write(address, parameters[at + 1 : at + 1 + length])
        elif instruction == 0x82:  # SYNC READ: address, length, ids
            for wanted in parameters[4:]:
                for servo in self._called(wanted):
                    replies.append(status(servo, 0, servo.read(address, length)))
        else:
            for servo in self._called(target):
                if instruction == 0x01:
                    replies.append(status(servo, 0, servo.read(0, 2) + servo.read(6, 1)))
                elif instruction == 0x02:
                    replies.append(status(servo, 0, servo.read(address, length)))
                elif instruction == 0x03:
                    replies.append(status(servo, servo.write(address, parameters[2:]), b""))
        return replies

    def _called(self, servo_id: int) -> list[DynamixelServo]:
        return [servo for servo in self._servos if servo.id == servo_id and not servo.silent]


def status(servo: DynamixelServo, error: int, data: bytes) -> bytes:
    """A status packet; the alert bit is set while there is a hardware error."""
    error |= 0x80 if servo.memory[70] else 0
    body = (b"\x55" + bytes([error]) + data).replace(b"\xff\xff\xfd", b"\xff\xff\xfd\xfd")
    head = b"\xff\xff\xfd\x00" + bytes([servo.id]) + (len(body) + 2).to_bytes(2, "little")
    return head + body + crc16(head + body).to_bytes(2, "little")


def crc16(data: bytes) -> int:
    """CRC-16 with polynomial 0x8005 from 0, most significant bit first."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
