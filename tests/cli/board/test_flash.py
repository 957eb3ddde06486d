"""`reflexarc board flash`: avrdude into a bootloader, and the flashed bytes run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from bootloader import Bootloader, elf_of, image_bytes
from shell import Run

from reflexarc.firmware_bridge.build import FirmwareImage, build_firmware
from reflexarc.firmware_bridge.emulator import EmulatedBoard

pytestmark = pytest.mark.skipif(shutil.which("avrdude") is None, reason="avrdude is not installed")


@contextmanager
def uno(folder: Path) -> Iterator[Bootloader]:
    """A chip that runs what was flashed, once the bootloader is left."""
    with ExitStack() as running:

        def start(flash: bytes) -> str:
            return running.enter_context(EmulatedBoard(elf_of(flash, folder))).port

        with Bootloader(start=start) as chip:
            yield chip


def test_what_is_flashed_runs_and_is_greeted(
    reflexarc: Run, firmware: FirmwareImage, tmp_path: Path
) -> None:
    with uno(tmp_path) as chip:
        code, out, err = reflexarc("board", "flash", chip.port, "--json")
        assert code == 0, err
        told = json.loads(out)
        assert told["board"]["kind"] == "atmega328p" and told["board"]["protocol"] == 2
    image = image_bytes(firmware.hex, tmp_path)
    assert bytes(chip.flash[: len(image)]) == image and chip.errors == []


def test_an_older_firmware_is_written_and_then_found_out(reflexarc: Run, tmp_path: Path) -> None:
    old = build_firmware({"ANNOUNCED_PROTOCOL_VERSION": 1})
    with uno(tmp_path) as chip:
        code, _, err = reflexarc("board", "flash", chip.port, "--hex", old.hex)
        words = " ".join(err.split())
        assert code == 2
        assert "speaks version 1" in words and "leave --hex out" in words
    assert chip.commands[-1] == 0x51


def test_another_chip(reflexarc: Run) -> None:
    with Bootloader(signature=b"\x1e\x95\x87") as chip:  # an ATmega32U4: a Leonardo
        code, out, _ = reflexarc("board", "flash", chip.port, "--json")
        assert code == 2 and "0x1e9587" in json.loads(out)["found"]
