"""The firmware's control logic, compiled for this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from host_chip import HostChip, private_copy

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES

HERE = Path(__file__).parent

StartChip = Callable[..., HostChip]


@pytest.fixture(scope="session")
def app_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of app/ as a shared library, around the hardware of host/hal.c."""
    out = tmp_path_factory.mktemp("app") / "app.so"
    sources = [path for path in (FIRMWARE_SOURCES / "app").glob("*.c") if path.name != "main.c"]
    sources += [FIRMWARE_SOURCES / "generated" / "reflexarc_bp.c", HERE / "host" / "hal.c"]
    folders = [FIRMWARE_SOURCES / name for name in ("app", "hal", "generated")]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    sanitizer = ["-fsanitize=undefined", "-fno-sanitize-recover"]
    flags = ["-shared", "-fPIC", "-std=gnu11", "-O1", "-g", "-fshort-enums", *warnings, *sanitizer]
    includes = [f"-I{path}" for path in (*folders, HERE / "host")]
    subprocess.run(["cc", *flags, *includes, "-o", out, *sources], check=True)
    return out


@pytest.fixture
def start_chip(app_library: Path, tmp_path: Path) -> StartChip:
    """Starts a chip, with what its memory holds."""

    def start(memory: bytes = b"\xff" * 128) -> HostChip:
        return HostChip(private_copy(app_library, tmp_path), memory)

    return start


@pytest.fixture
def chip(start_chip: StartChip) -> HostChip:
    """A chip that has been greeted."""
    started = start_chip()
    started.hello()
    return started
