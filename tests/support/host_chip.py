"""The firmware's control logic on this machine, with a simple world around it."""

from __future__ import annotations

import ctypes
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import MessageType

LINE_SIZE = 4096
SEND_BUFFER = 127
FULL_SCALE_V = 15.0
_STREAMS = (MessageType.STATE, MessageType.HEALTH)


class _Encoder(ctypes.Structure):
    _fields_ = (
        ("edge_us", ctypes.c_uint32),
        ("count", ctypes.c_uint16),
        ("edges", ctypes.c_uint8),
    )


class World(ctypes.Structure):
    """`struct world` of host/hal.c."""

    _fields_ = (
        ("us", ctypes.c_uint32),
        ("encoder", _Encoder * 2),
        ("duty", ctypes.c_int16 * 2),
        ("pulse_us", ctypes.c_uint16 * 3),
        ("echo_us", ctypes.c_uint16),
        ("battery", ctypes.c_uint16),
        ("light", ctypes.c_uint8),
        ("bump", ctypes.c_uint8),
        ("emergency_stop_open", ctypes.c_uint8),
        ("stack_gone", ctypes.c_uint8),
        ("lost_bytes", ctypes.c_uint8),
        ("memory_busy", ctypes.c_uint8),
        ("triggers", ctypes.c_uint16),
        ("kicks", ctypes.c_uint16),
        ("send_room", ctypes.c_uint16),
        ("writes_left", ctypes.c_int32),
        ("received", ctypes.c_uint16),
        ("taken", ctypes.c_uint16),
        ("sent", ctypes.c_uint16),
        ("memory", ctypes.c_uint8 * 128),
        ("from_host", ctypes.c_uint8 * LINE_SIZE),
        ("to_host", ctypes.c_uint8 * LINE_SIZE),
    )


@dataclass
class Motor:
    """A DC motor with a wheel: first order, with friction and a load."""

    gain: float = 1.0
    """Share of 5500 counts/s at full duty."""
    time_constant_s: float = 0.06
    friction: float = 0.03
    load: float = 0.0
    """A torque, as a share of the one at full duty and standstill; slows either way."""
    jammed: bool = False
    swapped: bool = False
    channels: str = "ab"
    speed: float = 0.0
    position: float = 0.0

    def step(self, duty: int, seconds: float) -> None:
        """Turn on for a while."""
        drive = (-duty if self.swapped else duty) / 255
        drag = self.friction + self.load
        if self.jammed or (abs(self.speed) < 5 and abs(drive) <= drag):
            self.speed = 0.0
            return
        against = math.copysign(drag, self.speed if abs(self.speed) >= 5 else drive)
        target = (drive - against) * 5500 * self.gain / 0.97
        before = self.speed
        self.speed += (target - before) * (1 - math.exp(-seconds / self.time_constant_s))
        if before * self.speed < 0 and abs(drive) <= drag:
            self.speed = 0.0
        self.position += (before + self.speed) / 2 * seconds


class HostChip:
    """The firmware, from its start on; `run` lets time pass."""

    def __init__(self, library: Path, memory: bytes = b"\xff" * 128) -> None:
        self.library = ctypes.CDLL(str(library))
        self.world = World.in_dll(self.library, "world")
        self.world.battery = self.battery(7.4)
        self.world.writes_left = -1
        self.world.send_room = SEND_BUFFER
        self.world.memory[:] = memory
        self.motors = (Motor(), Motor())
        self.each_ms: Callable[[], None] = lambda: None
        self.frames: list[Frame] = []
        self._decoder = FrameDecoder()
        self._seq = 0
        self.library.app_init()

    @staticmethod
    def battery(volts: float) -> int:
        """The reading for a voltage."""
        return int(volts / FULL_SCALE_V * 65536)

    # ---- time

    def run(self, seconds: float) -> None:
        """Let time pass, in steps of a millisecond."""
        for _ in range(round(seconds * 1000)):
            for index, motor in enumerate(self.motors):
                self._turn(index, motor)
            self.world.us += 1000
            self.each_ms()
            self._run_once()

    def _turn(self, index: int, motor: Motor) -> None:
        encoder, before = self.world.encoder[index], math.floor(motor.position)
        start = motor.position
        motor.step(self.world.duty[index], 0.001)
        counts = math.floor(motor.position) - before
        if not counts:
            return
        last = math.floor(motor.position) if counts > 0 else math.floor(motor.position) + 1
        share = (last - start) / (motor.position - start)
        if motor.channels == "":
            return
        encoder.edge_us = self.world.us + round(1000 * min(max(share, 0), 1))
        if motor.channels == "ab":
            encoder.count = (encoder.count + counts) & 0xFFFF
            encoder.edges = (encoder.edges + abs(counts)) & 0xFF
        else:
            # Every second edge is the other channel's; those left count on and back.
            for count in range(abs(counts)):
                if (before + count) % 2:
                    encoder.edges = (encoder.edges + 1) & 0xFF
                    encoder.count ^= 1

    def _run_once(self) -> None:
        world = self.world
        for _ in range(4):
            self.library.app_run()
        if world.taken == world.received:
            world.taken = world.received = 0
        self.frames += self._decoder.feed(bytes(world.to_host[: world.sent]))
        world.sent = 0
        world.send_room = min(SEND_BUFFER, world.send_room + 50)

    # ---- the host

    def send(self, type_: int, payload: bytes = b"", seq: int | None = None) -> int:
        """Put a request on the line; gives its number."""
        self._seq = (self._seq + 1) & 0xFF if seq is None else seq
        data = encode_frame(type_, self._seq, payload)
        end = self.world.received + len(data)
        self.world.from_host[self.world.received : end] = data
        self.world.received = end
        return self._seq

    def ask(self, type_: int, payload: bytes = b"") -> Frame:
        """The reply to a request."""
        # Replies that nobody waited for would be taken for this one when numbers wrap.
        self.frames = [frame for frame in self.frames if frame.type in _STREAMS]
        seq = self.send(type_, payload)
        for _ in range(20):
            self.run(0.001)
            for frame in self.frames:
                if frame.seq == seq and frame.type not in _STREAMS:
                    self.frames.remove(frame)
                    return frame
        raise AssertionError(f"no reply to {type_:#x}")

    def hello(self, session: int = 7) -> messages.HelloReply:
        """Greet."""
        payload = messages.Hello(messages.PROTOCOL_VERSION, session).pack()
        return messages.HelloReply.unpack(self.ask(MessageType.HELLO, payload).payload)

    def drive(self, left: int, right: int) -> Frame:
        """The reply to a set point."""
        return self.ask(MessageType.DRIVE, messages.Drive((left, right)).pack())

    def keep_driving(self, left: int, right: int, seconds: float) -> None:
        """Repeat a set point, as a host must, for a time."""
        payload = messages.Drive((left, right)).pack()
        for _ in range(round(seconds * 50)):
            self.send(MessageType.DRIVE, payload)
            self.run(0.02)

    def clear(self, faults: int = 0xFFFF) -> int:
        """The faults that are left."""
        reply = self.ask(MessageType.CLEAR, messages.Clear(faults).pack())
        return messages.ClearReply.unpack(reply.payload).faults

    def state(self) -> messages.State:
        """Asked for."""
        return messages.State.unpack(self.ask(MessageType.GET_STATE).payload)

    def health(self) -> messages.Health:
        """Asked for."""
        return messages.Health.unpack(self.ask(MessageType.GET_HEALTH).payload)

    @property
    def duty(self) -> tuple[int, int]:
        """What the motors get now."""
        return (self.world.duty[0], self.world.duty[1])


def private_copy(library: Path, folder: Path) -> Path:
    """The library under a new name: loaded again, it starts with fresh variables."""
    copy = folder / f"chip{len(list(folder.iterdir()))}.so"
    shutil.copy(library, copy)
    return copy
