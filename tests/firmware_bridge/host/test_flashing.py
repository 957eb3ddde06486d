"""Flashing: the real avrdude talks to a bootloader at byte level."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bootloader import FLASH_BYTES, Bootloader, image_bytes

from reflexarc.firmware_bridge import FlashError, PortBusyError, PortNotFoundError
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.flashing import BOOTLOADERS, flash
from reflexarc.firmware_bridge.ports import open_port

needs_avrdude = pytest.mark.skipif(
    shutil.which("avrdude") is None, reason="avrdude is not installed"
)


@needs_avrdude
@pytest.mark.parametrize("name", sorted(BOOTLOADERS))
def test_the_chip_holds_the_file_byte_by_byte(
    name: str, firmware: FirmwareImage, tmp_path: Path
) -> None:
    image = image_bytes(firmware.hex, tmp_path)
    assert len(image) > 4000
    with Bootloader(baudrate=BOOTLOADERS[name]) as chip:
        flash(chip.port, firmware.hex, bootloader=name)
    assert chip.errors == []
    assert bytes(chip.flash[: len(image)]) == image
    assert set(chip.flash[len(image) :]) == {0xFF}
    # Read signature first, then program; all read again; left at the end.
    assert chip.commands.index(0x75) < chip.commands.index(0x64)
    assert chip.commands.count(0x74) >= -(-len(image) // 128)
    assert chip.commands[-1] == 0x51


@needs_avrdude
def test_another_chip_is_not_written(firmware: FirmwareImage) -> None:
    with (
        Bootloader(signature=bytes((0x1E, 0x94, 0x06))) as chip,
        pytest.raises(FlashError, match="ATmega328P") as caught,
    ):
        flash(chip.port, firmware.hex)
    assert "1e9406" in caught.value.found.replace(" ", "").lower()
    assert set(chip.flash) == {0xFF}


@needs_avrdude
def test_a_worn_flash_cell_is_found(firmware: FirmwareImage, tmp_path: Path) -> None:
    image = image_bytes(firmware.hex, tmp_path)
    address = next(i for i in range(1000, len(image)) if not image[i] & 1)
    with Bootloader(worn=(address,)) as chip, pytest.raises(FlashError) as caught:
        flash(chip.port, firmware.hex)
    assert caught.value.expected == "the chip to hold what was written"
    assert f"{address:04x}" in caught.value.found


@needs_avrdude
def test_silence_and_the_wrong_bootloader_name_the_other_one(
    firmware: FirmwareImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reflexarc.firmware_bridge.flashing._ATTEMPTS", 1)

    def fail(chip: Bootloader) -> FlashError:
        with chip, pytest.raises(FlashError) as caught:
            flash(chip.port, firmware.hex)
        return caught.value

    chips = (Bootloader(silent=True), Bootloader(baudrate=57_600))
    with ThreadPoolExecutor() as pool:  # One attempt takes avrdude 6 s.
        for error in pool.map(fail, chips):
            assert error.expected == "the bootloader to answer"
            assert "not" in error.found and "--bootloader old" in error.remedy
    assert [chip.commands for chip in chips] == [[], []]


@needs_avrdude
def test_a_file_that_is_no_hex_or_too_large_is_refused(tmp_path: Path) -> None:
    words = tmp_path / "words.hex"
    words.write_text("no firmware\n")
    # Extended address 0x00010000: beyond the chip's flash.
    large = tmp_path / "large.hex"
    large.write_text(":020000040001F9\n:0400000001020304F2\n:00000001FF\n")
    with Bootloader() as chip:
        for image in (words, large):
            with pytest.raises(FlashError, match="Intel HEX"):
                flash(chip.port, image)
        with pytest.raises(FlashError, match="no file"):
            flash(chip.port, tmp_path / "nothing.hex")
    assert len(chip.flash) == FLASH_BYTES and set(chip.flash) == {0xFF}


@needs_avrdude
def test_a_port_that_is_busy_or_not_there(firmware: FirmwareImage, tmp_path: Path) -> None:
    with Bootloader() as chip:
        with open_port(chip.port, 115_200), pytest.raises(PortBusyError):
            flash(chip.port, firmware.hex)
        assert chip.commands == []
    with pytest.raises(PortNotFoundError):
        flash(str(tmp_path / "tty"), firmware.hex)


def test_without_avrdude_the_package_is_named(
    firmware: FirmwareImage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlashError, match="apt-get install .*avrdude"):
        flash("/dev/null", firmware.hex)
