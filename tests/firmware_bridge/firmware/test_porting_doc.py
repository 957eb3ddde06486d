"""docs/porting.md names what is really there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from raw_line import RawLine

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES, build_firmware
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.protocol import messages

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "porting.md").read_text()
HAL = (FIRMWARE_SOURCES / "hal" / "hal.h").read_text()


def test_every_function_of_the_hardware_layer_is_explained() -> None:
    declared = set(re.findall(r"^[a-z].*?\b(hal_\w+)\(", HAL, re.MULTILINE))
    explained = set(re.findall(r"^\| `(hal_\w+)\(", PAGE, re.MULTILINE))
    assert explained == declared
    hooks = {name for name in declared if name in HAL.split("#ifdef REFLEXARC_TEST_HOOKS")[1]}
    assert f"{len(declared - hooks)} functions, and {len(hooks)} more for tests" in PAGE


def test_every_definition_of_a_chip_is_explained() -> None:
    chips = [path for path in (FIRMWARE_SOURCES / "chips").iterdir() if path.is_dir()]
    assert len(chips) == 2
    for chip in chips:
        names = set(re.findall(r"#define (CHIP_\w+)", (chip / "chip.h").read_text()))
        names |= set(re.findall(r"^(\w+) :=", (chip / "chip.mk").read_text(), re.MULTILINE))
        assert len(names) == 10
        assert not [name for name in names if f"`{name}`" not in PAGE], chip.name


def test_every_capability_can_be_left_out() -> None:
    schema = (ROOT / "firmware_bridge" / "protocol" / "reflexarc.bitproto").read_text()
    names = re.findall(r"const (CAPABILITY_\w+)", schema)
    assert len(names) > 5
    assert not [name for name in names if f"`{name}`" not in PAGE]


def test_the_worked_example_has_all_its_files() -> None:
    files = {path.name for path in (FIRMWARE_SOURCES / "chips" / "stm32f405").iterdir()}
    example = PAGE.split("## Worked example")[1]
    rows = re.findall(r"^\| (`[^|]+) \|", example, re.MULTILINE)
    assert set(re.findall(r"`([\w.]+)`", " ".join(rows))) == files - {"chip.h"}


@pytest.mark.parametrize("target", ["firmware-stm32", "test-stm32"])
def test_its_targets_are_there(target: str) -> None:
    assert f"make {target}" in PAGE
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("hook", "cause"),
    [("HANG", messages.RESET_WATCHDOG), ("OVERFLOW", messages.RESET_STACK_OVERFLOW)],
)
def test_its_program_calls_the_hooks(tmp_path: Path, hook: str, cause: int) -> None:
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert program is not None
    script = tmp_path / "hook.py"
    script.write_text(program[1])
    with EmulatedBoard(build_firmware({"REFLEXARC_TEST_HOOKS": 1})) as emulator:
        subprocess.run([sys.executable, script, emulator.port, hook], check=True)
        assert emulator.wait(0.3).resets == 1
        with RawLine(emulator.port) as line:
            assert line.hello().reset_cause & cause


def test_its_paths_are_there() -> None:
    paths = re.findall(r"\b(?:firmware_bridge|tests)/[\w./]+\w", PAGE)
    assert len(paths) > 3
    assert not [path for path in paths if not (ROOT / path).exists() and "chips/" not in path]


def test_its_links_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert links and set(links) <= headings
