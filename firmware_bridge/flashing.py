"""Writing the firmware through the chip's serial bootloader: avrdude, and its words explained."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from reflexarc.firmware_bridge.board import Board, BoardInfo
from reflexarc.firmware_bridge.errors import BoardError, FlashError
from reflexarc.firmware_bridge.ports import close_port, open_port

# Optiboot on an Uno or a newer Nano, and the ATmegaBOOT of Nanos sold before 2018.
BOOTLOADERS = {"new": 115_200, "old": 57_600}
_CHIP = "atmega328p"
# Each resets the chip and takes 6 s where nobody answers; avrdude's own 10 are a minute.
_ATTEMPTS = 3
# 32 kB at 57,600 baud, written and read, take 15 s.
_TIMEOUT_S = 120.0
# Opening the port restarts the chip, and its bootloader then listens for up to 2 s.
_ANSWER_S = 5.0


class _Complaint(NamedTuple):
    """What avrdude says, and what it means."""

    words: str
    expected: str
    remedy: str


# In order: the first that matches is the cause, later ones its echo.
_COMPLAINTS = (
    _Complaint(
        r"can(?:'t|not) open (?:device|port).*",
        "to open the port",
        "close the program that has it open, then check the cable",
    ),
    _Complaint(
        r"not in sync: resp=0x\w+|programmer is not responding|protocol error.*",
        "the bootloader to answer",
        "name the other bootloader (--bootloader old for older Nanos), check the port, and "
        "unplug what is wired to pins 0 and 1; on a board without automatic reset press "
        "reset as flashing starts",
    ),
    _Complaint(
        r"device signature = [^\n]*(?=[\s\S]*expected signature)",
        "an ATmega328P (signature 1e 95 0f)",
        "use an Uno or a Nano with an ATmega328P; this firmware is for no other AVR",
    ),
    _Complaint(
        r"verification (?:error|mismatch)[^\n]*(?:\n\s+device 0x[^\n]*)?",
        "the chip to hold what was written",
        "flash again; if it stays so, the chip's flash is worn out: replace it",
    ),
    _Complaint(
        r"no valid record[^\n]*|address 0x\w+ out of range[^\n]*|checksum mismatch"
        r"[^\n]*|read from file [^\n]* failed",
        "an Intel HEX file for the ATmega328P",
        "build it again, or leave --hex out",
    ),
)


def flash(port: str, image: Path, *, bootloader: str = "new") -> None:
    """Reset the chip into its bootloader, write `image`, and read it back to compare.

    EEPROM, and with it the settings, stays as it is.

    Args:
        port: path of the serial port; its DTR line resets the chip.
        image: Intel HEX.
        bootloader: a key of BOOTLOADERS.

    Raises:
        FlashError: avrdude is missing, no file, no answer, another chip, or a difference.
        PortNotFoundError, PortDeniedError, PortBusyError: the port.
    """
    if shutil.which("avrdude") is None:
        raise FlashError(
            expected="avrdude, which writes the chip",
            found="no such program",
            remedy="run: apt-get install --no-install-recommends avrdude",
        )
    if not image.is_file():
        raise FlashError(
            expected="an Intel HEX file", found=f"no file {image}", remedy="check its path"
        )
    # avrdude would share the port with whoever has it open, and fail in strange ways.
    close_port(open_port(port, BOOTLOADERS[bootloader]))
    command = [
        *("avrdude", "-q", "-p", _CHIP, "-c", "arduino", "-P", port),
        *("-b", str(BOOTLOADERS[bootloader]), "-x", f"attempts={_ATTEMPTS}"),
        *("-D", "-U", f"flash:w:{image}:i"),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"LC_ALL": "C"},
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise FlashError(
            expected=f"avrdude to be done within {_TIMEOUT_S:.0f} s",
            found="that it hangs",
            remedy="unplug the board, plug it in again, and flash again",
        ) from error
    if done.returncode != 0:
        raise _explain(done.stdout.decode(errors="replace"))


def _explain(words: str) -> FlashError:
    for complaint in _COMPLAINTS:
        if found := re.search(complaint.words, words, re.IGNORECASE):
            said = " ".join(found[0].split())
            return FlashError(expected=complaint.expected, found=said, remedy=complaint.remedy)
    last = [line.strip() for line in words.splitlines() if line.strip()][-3:]
    return FlashError(
        expected="avrdude to write the chip",
        found=" | ".join(last) or "silence",
        remedy="run avrdude by hand with -v to see more",
    )


def check_flashed(port: str) -> BoardInfo:
    """Connect to the freshly flashed chip: protocol version and schema must be ours.

    Raises:
        FlashError: it does not answer, or another firmware does.
    """
    try:
        with Board.connect(port, timeout_s=_ANSWER_S, reconnect=False) as board:
            return board.info
    except BoardError as error:
        raise FlashError(
            expected="the flashed firmware to answer with this version's protocol",
            found=error.found,
            remedy="leave --hex out to flash the firmware that belongs to this version",
        ) from error
