import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reflexarc.firmware_bridge import build
from reflexarc.firmware_bridge.build import (
    EMULATOR_SOURCES,
    FIRMWARE_SOURCES,
    BuildFailedError,
    FirmwareImage,
    ToolMissingError,
    build_emulator,
    build_firmware,
)


def test_the_firmware_fits_its_budget(firmware: FirmwareImage) -> None:
    assert 1_000 < firmware.flash_bytes <= 12_288
    assert 100 < firmware.ram_bytes <= 1_024
    assert firmware.hex.read_text().startswith(":")


@pytest.mark.parametrize("budget", ["FLASH_BUDGET", "RAM_BUDGET"])
def test_the_build_fails_over_the_budget(
    firmware: FirmwareImage, tmp_path: Path, budget: str
) -> None:
    size = firmware.flash_bytes if budget == "FLASH_BUDGET" else firmware.ram_bytes
    command = ["make", "-C", str(FIRMWARE_SOURCES), f"OUT={tmp_path}"]
    for limit, words in ((size, "flash "), (size - 1, "error: over the budget")):
        result = subprocess.run([*command, f"{budget}={limit}"], capture_output=True, text=True)
        assert (result.returncode == 0) == (limit == size)
        assert words in result.stdout


def test_a_second_build_is_taken_from_the_cache(firmware: FirmwareImage) -> None:
    assert build_firmware() == firmware


def test_other_flags_are_another_build(firmware: FirmwareImage) -> None:
    assert build_firmware({"REFLEXARC_TEST_HOOKS": 1}).elf != firmware.elf


def test_the_sources_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "cache_dir", lambda *parts: tmp_path)
    before = {path for root in (FIRMWARE_SOURCES, EMULATOR_SOURCES) for path in root.rglob("*")}
    build_firmware()
    build_emulator()
    after = {path for root in (FIRMWARE_SOURCES, EMULATOR_SOURCES) for path in root.rglob("*")}
    assert after == before


def test_builds_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    code = "from reflexarc.firmware_bridge.build import build_firmware; print(build_firmware().elf)"
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = {process.communicate()[0].strip() for process in processes}
    assert len(outputs) == 1
    assert Path(outputs.pop()).is_file()
    folders = [p for p in tmp_path.rglob("firmware-*") if p.is_dir()]
    assert len(folders) == 1


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(ToolMissingError, match="no avr-gcc.*apt-get install .*gcc-avr"):
        build_firmware()


def test_missing_simavr_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_SIMAVR", (Path("/nowhere/sim_avr.h"), "libsimavr-dev"))
    with pytest.raises(ToolMissingError, match="apt-get install .*libsimavr-dev"):
        build_emulator()


def test_a_compiler_error_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "cache_dir", lambda *parts: tmp_path)
    with pytest.raises(BuildFailedError, match=r"no_such_symbol.*run it by hand"):
        build_firmware({"SCHEMA_HASH": "no_such_symbol"})
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
