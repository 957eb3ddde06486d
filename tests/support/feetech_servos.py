"""Emulated Feetech STS servos, from "FT-SCS communication protocol" and "STS series
memory table"."""

from __future__ import annotations

from collections.abc import Sequence

STEPS_PER_DEGREE = 4096 / 360

_RAM = 40
_MULTI_TURN_OFF = 0x0C


class FeetechServo:
    """One servo: its memory table and a motor without load."""

    def __init__(self, servo_id: int, *, position: float = 2048, phase: int = _MULTI_TURN_OFF):
        self.silent = False
        self.status = 0
        """Error bits of its status packets."""
        self.position = position
        eeprom = bytearray(_RAM)
        eeprom[3:5] = (777).to_bytes(2, "little")
        eeprom[5] = servo_id
        eeprom[8] = 1
        eeprom[11:13] = (4095).to_bytes(2, "little")
        eeprom[18] = phase
        self._eeprom = eeprom
        self.memory = bytearray()
        self.power_cycle()

    def power_cycle(self) -> None:
        """Power off and on: what was not saved is gone."""
        self.memory = bytearray(self._eeprom) + bytearray(60)
        self.memory[55] = 1

    @property
    def id(self) -> int:
        return self.memory[5]

    @property
    def torque(self) -> bool:
        return self.memory[40] == 1

    def word(self, address: int) -> int:
        return int.from_bytes(self.memory[address : address + 2], "little")

    def hear(self) -> None:
        """Nothing depends on it: there is no watchdog."""

    def advance(self, seconds: float) -> None:
        if not self.torque or self.memory[33] != 0:
            return
        # Phase bit 2 clear: speed counts fifties of steps; speed 0 is full speed.
        unit = 1 if self.memory[18] & 0x04 else 50
        step = (self.word(46) or 60_000) * unit * seconds
        ahead = self.word(42) - self.position
        self.position += max(-step, min(step, ahead))

    def read(self, address: int, length: int) -> bytes:
        place = round(self.position)
        self.memory[56:58] = (abs(place) | (0x8000 if place < 0 else 0)).to_bytes(2, "little")
        self.memory[65] = self.status
        return bytes(self.memory[address : address + length])

    def write(self, address: int, data: bytes) -> None:
        if address + len(data) > 56:  # Read-only from here on.
            return
        self.memory[address : address + len(data)] = data
        if address < _RAM and self.memory[55] == 0:
            self._eeprom[address : address + len(data)] = data
        if address + len(data) - 1 >= 42 and address <= 42:
            low, high = self.word(9), self.word(11)
            if high > low:
                goal = max(low, min(high, self.word(42)))
                self.memory[42:44] = goal.to_bytes(2, "little")


class FeetechInstructions:
    """FF FF id length instruction parameters ~sum."""

    def __init__(self, servos: Sequence[FeetechServo]) -> None:
        self._servos = servos
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        packets = []
        while (start := self._buffer.find(b"\xff\xff")) >= 0:
            self._buffer = self._buffer[start:]
            if len(self._buffer) < 4:
                break
            size = 4 + self._buffer[3]
            if self._buffer[2] == 0xFF or self._buffer[3] < 2:
                self._buffer = self._buffer[1:]
                continue
            if len(self._buffer) < size:
                # One with a broken length would swallow what follows: a real servo
                # gives up when the line goes quiet. Here a newer header ends it.
                later = self._buffer.find(b"\xff\xff", 2)
                if later < 0 or later + 4 > len(self._buffer):
                    break
                self._buffer = self._buffer[later:]
                continue
            packet = self._buffer[:size]
            if packet[-1] == ~sum(packet[2:-1]) & 0xFF:
                packets.append(packet)
                self._buffer = self._buffer[size:]
            else:
                self._buffer = self._buffer[2:]
        return packets

    def obey(self, packet: bytes) -> list[bytes]:
        target, instruction, parameters = packet[2], packet[4], packet[5:-1]
        replies = []
        if instruction == 0x83:  # SYNC WRITE: address, length, then id and data of each
            address, length = parameters[0], parameters[1]
            for at in range(2, len(parameters), 1 + length):
                for servo in self._called(parameters[at]):
                    servo.write(address, parameters[at + 1 : at + 1 + length])
        elif instruction == 0x82:  # SYNC READ: address, length, ids
            for wanted in parameters[2:]:
                for servo in self._called(wanted):
                    replies.append(status(servo, servo.read(parameters[0], parameters[1])))
        else:
            for servo in self._called(target):
                if instruction == 0x01:
                    replies.append(status(servo, b""))
                elif instruction == 0x02:
                    replies.append(status(servo, servo.read(parameters[0], parameters[1])))
                elif instruction == 0x03:
                    servo.write(parameters[0], parameters[1:])
                    replies.append(status(servo, b""))
        return replies

    def _called(self, servo_id: int) -> list[FeetechServo]:
        return [servo for servo in self._servos if servo.id == servo_id and not servo.silent]


def status(servo: FeetechServo, data: bytes) -> bytes:
    """A status packet."""
    body = bytes([servo.id, len(data) + 2, servo.status]) + data
    return b"\xff\xff" + body + bytes([~sum(body) & 0xFF])
