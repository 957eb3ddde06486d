"""A servo bus on a pty: the wire, its faults, and the servos' time.

The servos themselves are in feetech_servos.py and dynamixel_servos.py, written from
the vendors' protocol documents and not from their libraries, so that both sides of
a packet are checked against each other.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import termios
import threading
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol


class Servo(Protocol):
    """One emulated servo."""

    silent: bool

    def advance(self, seconds: float) -> None:
        """Let its time pass."""

    def hear(self) -> None:
        """An instruction packet was on the bus."""


class Instructions(Protocol):
    """The servos' half of a protocol."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; gives the whole instruction packets among them."""

    def obey(self, packet: bytes) -> list[bytes]:
        """Do what a packet says; gives the servos' replies."""


Damage = Callable[[bytes], bytes]


class ServoLine:
    """A running bus; a context manager. `path` is what the host opens.

    Servos stand still until `advance` lets their time pass.
    """

    def __init__(
        self, folder: Path, servos: Sequence[Servo], instructions: Instructions, baudrate: int
    ) -> None:
        self.path = folder / "bus"
        self.servos = servos
        self.heard: list[bytes] = []
        """Whole instruction packets, oldest first."""
        self.baudrate = baudrate
        self._instructions = instructions
        self._lock = threading.RLock()
        self._damages: list[Damage] = []
        self._deaf_for = 0
        self._random = random.Random(1)
        self._flip_ppm = self._drop_ppm = 0
        self._master = self._slave = -1
        self._ending = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self.replug()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # ---- what a test does to it

    def advance(self, seconds: float) -> None:
        """Let the servos' time pass, in steps of 1 ms."""
        with self._lock:
            for _ in range(round(seconds * 1000)):
                for servo in self.servos:
                    servo.advance(0.001)

    def damage(self, *damages: Damage) -> None:
        """Change the next replies, one each, in order."""
        with self._lock:
            self._damages += damages

    def deafen(self, packets: int) -> None:
        """The servos do not hear so many instruction packets from now on."""
        with self._lock:
            self._deaf_for = packets

    def noise(self, *, flip_ppm: int = 0, drop_ppm: int = 0, seed: int = 1) -> None:
        """Break bytes both ways: parts per million with a bit flipped, and lost."""
        with self._lock:
            self._random = random.Random(seed)
            self._flip_ppm, self._drop_ppm = flip_ppm, drop_ppm

    def unplug(self) -> None:
        """Pull the adapter."""
        with self._lock:
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1
            self.path.unlink()
        self._wake()

    def replug(self) -> None:
        """Put it (back) in, at the same path."""
        with self._lock:
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            self.path.symlink_to(os.ttyname(self._slave))
        self._wake()

    # ---- the wire

    def _wake(self) -> None:
        os.write(self._wake_write, b"x")

    def _run(self) -> None:
        while not self._ending.is_set():
            watched = [self._wake_read] + ([self._master] if self._master >= 0 else [])
            with contextlib.suppress(OSError, ValueError):
                ready, _, _ = select.select(watched, [], [])
                if self._wake_read in ready:
                    os.read(self._wake_read, 100)
                with self._lock:
                    if self._master in ready:
                        self._take(os.read(self._master, 4096))

    def _take(self, data: bytes) -> None:
        # A pty carries any rate; servos at another one would see framing errors.
        speed = termios.tcgetattr(self._master)[5]
        if speed != getattr(termios, f"B{self.baudrate}"):
            return
        for packet in self._instructions.feed(self._with_noise(data)):
            if self._deaf_for > 0:
                self._deaf_for -= 1
                continue
            self.heard.append(packet)
            for servo in self.servos:
                servo.hear()
            for reply in self._instructions.obey(packet):
                damaged = self._damages.pop(0)(reply) if self._damages else reply
                if self._master >= 0 and (wire := self._with_noise(damaged)):
                    os.write(self._master, wire)

    def _with_noise(self, data: bytes) -> bytes:
        if not self._flip_ppm and not self._drop_ppm:
            return data
        result = bytearray()
        for byte in data:
            fate = self._random.randrange(1_000_000)
            if fate < self._drop_ppm:
                continue
            if fate < self._drop_ppm + self._flip_ppm:
                byte ^= 1 << self._random.randrange(8)
            result.append(byte)
        return bytes(result)

    # ---- the end

    def close(self) -> None:
        self._ending.set()
        self._wake()
        self._thread.join(5)
        for handle in (self._master, self._slave, self._wake_read, self._wake_write):
            if handle >= 0:
                os.close(handle)

    def __enter__(self) -> ServoLine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def flip(index: int, bit: int = 0) -> Damage:
    """One bit of one byte the other way round."""

    def damage(packet: bytes) -> bytes:
        changed = bytearray(packet)
        changed[index] ^= 1 << bit
        return bytes(changed)

    return damage


def lose(packet: bytes) -> bytes:
    """The whole packet."""
    return b""


def lose_byte(index: int) -> Damage:
    """One byte of it."""

    def damage(packet: bytes) -> bytes:
        return packet[:index] + packet[index:][1:]

    return damage


def keep(packet: bytes) -> bytes:
    """Nothing wrong with this one."""
    return packet
