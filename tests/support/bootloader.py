"""A chip's serial bootloader at byte level: STK500 version 1 as Optiboot speaks it.

Written from Atmel's application note AVR061, not from avrdude. After "leave programming
mode" the port belongs to the application, as on a board.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from reflexarc.firmware_bridge.ports import open_port
from reflexarc.firmware_bridge.protocol import messages

FLASH_BYTES = 32_768
PAGE_BYTES = 128
ATMEGA328P = bytes((0x1E, 0x95, 0x0F))

_END = 0x20
_IN_SYNC, _OK = b"\x14", b"\x10"
_GET_SYNC, _GET_PARAMETER, _SET_DEVICE, _SET_DEVICE_EXT = 0x30, 0x41, 0x42, 0x45
_ENTER, _LEAVE, _LOAD_ADDRESS, _UNIVERSAL = 0x50, 0x51, 0x55, 0x56
_PROGRAM_PAGE, _READ_PAGE, _READ_SIGNATURE = 0x64, 0x74, 0x75
# Bytes between a command and its end; a page's program has its data besides.
_PARAMETERS = {
    _GET_SYNC: 0,
    _GET_PARAMETER: 1,
    _SET_DEVICE: 20,
    _SET_DEVICE_EXT: 5,
    _ENTER: 0,
    _LEAVE: 0,
    _LOAD_ADDRESS: 2,
    _UNIVERSAL: 4,
    _PROGRAM_PAGE: 3,
    _READ_PAGE: 3,
    _READ_SIGNATURE: 0,
}


class Bootloader:
    """A running bootloader on a pty; a context manager. `port` is what the host opens.

    Args:
        baudrate: at another one it hears nothing.
        signature: of the chip.
        silent: it never answers.
        worn: addresses whose lowest bit cannot be cleared any more.
        start: given the flash at the end; gives the port of the application that runs.
    """

    def __init__(
        self,
        *,
        baudrate: int = 115_200,
        signature: bytes = ATMEGA328P,
        silent: bool = False,
        worn: tuple[int, ...] = (),
        start: Callable[[bytes], str] | None = None,
    ) -> None:
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self.commands: list[int] = []
        """Obeyed so far."""
        self.errors: list[str] = []
        """What no good programmer does."""
        self._baudrate = baudrate
        self._signature = signature
        self._silent = silent
        self._worn = worn
        self._start = start
        self._address = 0
        self._heard = b""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            data = os.read(self._master, 4096)
            if self._silent or not self._is_in_tune():
                continue
            self._heard += data
            while (reply := self._obey()) is not None:
                os.write(self._master, reply)
                if self.commands[-1] == _LEAVE and self._start is not None:
                    self._be_the_application(self._start(bytes(self.flash)))

    def _is_in_tune(self) -> bool:
        speed = termios.tcgetattr(self._master)[5]
        return bool(speed == getattr(termios, f"B{self._baudrate}"))

    def _obey(self) -> bytes | None:
        """Take one whole command and give its reply; None until there is one."""
        if not self._heard:
            return None
        command = self._heard[0]
        if command not in _PARAMETERS:
            self.errors.append(f"unknown command {command:#04x}")
            self._heard = b""
            return None
        length = _PARAMETERS[command]
        parameters = self._heard[1 : 1 + length]
        if len(parameters) < length:
            return None
        if command == _PROGRAM_PAGE:
            length += int.from_bytes(parameters[:2], "big")
        if len(self._heard) < length + 2:
            return None
        parameters, end = self._heard[1 : 1 + length], self._heard[1 + length]
        self._heard = self._heard[2 + length :]
        if end != _END:
            self.errors.append(f"command {command:#04x} ended with {end:#04x}")
            self._heard = b""
            return None
        self.commands.append(command)
        return _IN_SYNC + self._reply(command, parameters) + _OK

    def _reply(self, command: int, parameters: bytes) -> bytes:
        if command == _GET_PARAMETER:
            return b"\x04" if parameters[0] in (0x81, 0x82) else b"\x03"
        if command == _LOAD_ADDRESS:
            self._address = 2 * int.from_bytes(parameters, "little")  # in words
        elif command == _UNIVERSAL:
            return b"\0"
        elif command == _PROGRAM_PAGE:
            self._program(parameters[2:3], parameters[3:])
        elif command == _READ_PAGE:
            length = int.from_bytes(parameters[:2], "big")
            return bytes(self.flash[self._address : self._address + length])
        elif command == _READ_SIGNATURE:
            return self._signature
        return b""

    def _program(self, memory: bytes, data: bytes) -> None:
        if memory != b"F" or self._address % PAGE_BYTES or len(data) > PAGE_BYTES:
            self.errors.append(f"{len(data)} bytes to {memory!r} at {self._address:#06x}")
            return
        self.flash[self._address : self._address + len(data)] = data
        for address in self._worn:
            self.flash[address] |= 1

    def _be_the_application(self, port: str) -> None:
        with open_port(port, messages.BAUDRATE) as chip:
            ends = {self._master: chip.fileno(), chip.fileno(): self._master}
            while not self._ending.is_set():
                for ready in select.select(list(ends), [], [], 0.05)[0]:
                    os.write(ends[ready], os.read(ready, 4096))

    def close(self) -> None:
        self._ending.set()
        self._thread.join(5)
        for handle in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(handle)

    def __enter__(self) -> Bootloader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def image_bytes(hex_file: Path, folder: Path) -> bytes:
    """What a HEX file says, by binutils."""
    out = folder / "image.bin"
    subprocess.run(
        ["avr-objcopy", "-I", "ihex", "-O", "binary", str(hex_file), str(out)], check=True
    )
    return out.read_bytes()


def elf_of(flash: bytes, folder: Path) -> Path:
    """A flash's content as a program for the emulator."""
    (folder / "flash.bin").write_bytes(flash.rstrip(b"\xff") + b"\xff\xff")
    for command in (
        "avr-objcopy -I binary -O elf32-avr -B avr:5 "
        "--rename-section .data=.text,contents,alloc,load,readonly,code flash.bin flash.o",
        "avr-ld -m avr5 -Ttext 0 -e 0 flash.o -o flash.elf",
    ):
        subprocess.run(command.split(), cwd=folder, check=True)
    return folder / "flash.elf"
