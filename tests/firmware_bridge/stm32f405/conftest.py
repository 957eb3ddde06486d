"""The second chip in qemu. Only `make test-stm32` runs it: compiler and qemu are large."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import tempfile
import time
import tty
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import Hello, MessageType

# The chip's time counts its instructions, 8 ns each: it does not run on while the host is
# busy elsewhere.
OPTIONS = ("-M", "netduinoplus2", "-display", "none", "-serial", "pty")
# For a stuck machine only; what is asserted is the chip's own time.
PATIENCE_S = 5.0


class Machine:
    """A running netduinoplus2, its serial line, and its registers by the monitor."""

    def __init__(self, elf: Path, *, sleeps: bool = True) -> None:
        # A chip that sleeps when idle keeps to real time, and is late when the host is busy.
        icount = f"shift=3,sleep={'on' if sleeps else 'off'}"
        self._qemu = subprocess.Popen(
            ["qemu-system-arm", *OPTIONS, "-icount", icount, "-monitor", "stdio", "-kernel", elf],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        try:
            # The prompt comes before the port's name.
            self.port = self._until(rb"\(qemu\) .*redirected to (\S+) .*\n")[1].decode()
        except BaseException:
            self._end()
            raise
        self.line = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.line)
        self._decoder = FrameDecoder()
        self._frames: deque[Frame] = deque()
        self._seq = 0

    def close(self) -> None:
        os.close(self.line)
        self._end()

    def _end(self) -> None:
        self._qemu.kill()
        self._qemu.wait()
        for pipe in (self._qemu.stdin, self._qemu.stdout):
            assert pipe is not None
            pipe.close()

    def _until(self, pattern: bytes) -> re.Match[bytes]:
        assert self._qemu.stdout is not None
        out = b""
        while (found := re.search(pattern, out, re.DOTALL)) is None:
            assert select.select([self._qemu.stdout], [], [], PATIENCE_S)[0], out
            more = os.read(self._qemu.stdout.fileno(), 4096)
            assert more, out
            out += more
        return found

    def monitor(self, command: str) -> str:
        assert self._qemu.stdin is not None
        self._qemu.stdin.write(command.encode() + b"\n")
        # It echoes the command, with an escape sequence for each letter.
        return self._until(rb"\n(.*)\(qemu\) $")[1].decode()

    def register(self, address: int) -> int:
        """What a memory-mapped register holds now."""
        found = re.search(rf"{address:016x}: 0x(\w+)", self.monitor(f"xp /1wx {address:#x}"))
        assert found is not None
        return int(found[1], 16)

    def frame(self, timeout_s: float = PATIENCE_S) -> Frame | None:
        """The next frame from the chip; None after a time without one."""
        deadline = time.monotonic() + timeout_s
        while not self._frames:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.line], [], [], left)[0]:
                return None
            self._frames += self._decoder.feed(os.read(self.line, 4096))
        return self._frames.popleft()

    def next(self, type_: MessageType) -> Frame:
        """The next frame of a type; others are thrown away."""
        while (frame := self.frame()) is not None:
            if frame.type == type_:
                return frame
        raise AssertionError(f"no {type_.name} came")

    def ask(self, message: Any = None, type_: MessageType | None = None) -> Frame:
        """Send one request until it is answered, as a host does; gives its reply."""
        self._seq = (self._seq + 1) & 0xFF
        kind = message.TYPE if type_ is None else type_
        payload = message.pack() if message is not None else b""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            os.write(self.line, encode_frame(kind, self._seq, payload))
            again = time.monotonic() + 0.2
            while (left := again - time.monotonic()) > 0:
                frame = self.frame(left)
                if frame and frame.seq == self._seq and not 0xE0 <= frame.type < 0xF0:
                    return frame
        raise AssertionError(f"no answer to {kind.name}")

    def greet(self, session: int = 0x5EED) -> Frame:
        return self.ask(Hello(2, session))


def _build(out: Path, defines: str) -> Path:
    command = ["make", "-C", str(FIRMWARE_SOURCES), "CHIP=stm32f405", f"OUT={out}", defines]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out / "reflexarc.elf"


@pytest.fixture(scope="session")
def elf() -> Iterator[Path]:
    """The firmware with the hooks that make it overflow its stack."""
    if "REFLEXARC_STM32" not in os.environ:
        pytest.skip("the second chip has its own target: make test-stm32")
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: make test-stm32 names the packages")
    with tempfile.TemporaryDirectory() as out:
        yield _build(Path(out), "DEFINES=-DREFLEXARC_TEST_HOOKS")


@pytest.fixture
def machine(elf: Path) -> Iterator[Machine]:
    running = Machine(elf)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def sleepless(elf: Path) -> Iterator[Machine]:
    """Runs as fast as it goes: its time is the count of its instructions alone."""
    running = Machine(elf, sleeps=False)
    try:
        yield running
    finally:
        running.close()
