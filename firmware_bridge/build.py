"""Firmware and emulator from their C sources, built where and when they are needed.

Results go to the user's cache, in a folder named after everything that went into
them: a source, a flag, a compiler. The package's own folder may be read-only.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reflexarc.core import ReflexarcError, cache_dir

_HERE = Path(__file__).resolve().parent
FIRMWARE_SOURCES = _HERE / "firmware"
EMULATOR_SOURCES = _HERE / "emulator"

_SOURCE_SUFFIXES = (".c", ".h", ".S", ".ld", ".mk")

_APT = "apt-get install --no-install-recommends"
_FIRMWARE_TOOLS = {"make": "make", "avr-gcc": "gcc-avr", "avr-size": "binutils-avr"}
_AVR_LIBC = (Path("/usr/lib/avr/include/avr/io.h"), "avr-libc")
_EMULATOR_TOOLS = {"make": "make", "cc": "gcc"}
_SIMAVR = (Path("/usr/include/simavr/sim_avr.h"), "libsimavr-dev")
_LIBELF = (Path("/usr/include/libelf.h"), "libelf-dev")


class ToolMissingError(ReflexarcError):
    """A compiler or a library is not installed."""


class BuildFailedError(ReflexarcError):
    """The compiler ran and said no."""


@dataclass(frozen=True)
class FirmwareImage:
    """A built firmware and its size on the chip."""

    elf: Path
    hex: Path
    flash_bytes: int
    ram_bytes: int
    """Static data and what is reserved for the stack."""


def build_firmware(
    defines: Mapping[str, str | int] | None = None, *, baudrate: int | None = None
) -> FirmwareImage:
    """The firmware, built now or taken from the cache.

    Args:
        defines: preprocessor definitions, such as {"REFLEXARC_TEST_HOOKS": 1}.
        baudrate: of the serial line; None for the protocol's own.

    Raises:
        ToolMissingError: no AVR compiler; the message names the packages.
        BuildFailedError: the compiler's own words, or a size over the budget.
    """
    _require(_FIRMWARE_TOOLS, _AVR_LIBC)
    arguments = []
    if defines:
        arguments.append(
            "DEFINES=" + " ".join(f"-D{name}={value}" for name, value in sorted(defines.items()))
        )
    if baudrate is not None:
        arguments.append(f"BAUD={baudrate}")
    folder = _build("firmware", FIRMWARE_SOURCES, arguments, compiler="avr-gcc")
    log = (folder / "build.log").read_text()
    sizes = re.search(r"flash (\d+) of \d+ bytes, ram (\d+) of", log)
    if sizes is None:
        raise BuildFailedError(
            expected="the firmware's size in its build log",
            found=log[-200:],
            remedy=f"remove {folder} and try again",
        )
    return FirmwareImage(
        elf=folder / "reflexarc.elf",
        hex=folder / "reflexarc.hex",
        flash_bytes=int(sizes[1]),
        ram_bytes=int(sizes[2]),
    )


def build_emulator() -> Path:
    """The emulator's program, built now or taken from the cache.

    Raises:
        ToolMissingError: no C compiler or no libsimavr; the message names the packages.
        BuildFailedError: the compiler's own words.
    """
    _require(_EMULATOR_TOOLS, _SIMAVR, _LIBELF)
    return _build("emulator", EMULATOR_SOURCES, [], compiler="cc") / "reflexarc-emulator"


def _require(tools: Mapping[str, str], *files: tuple[Path, str]) -> None:
    missing = {tool: package for tool, package in tools.items() if shutil.which(tool) is None}
    missing |= {str(path): package for path, package in files if not path.exists()}
    if missing:
        raise ToolMissingError(
            expected="the tools to build the firmware and its emulator",
            found=f"no {', no '.join(missing)}",
            remedy=f"run: {_APT} {' '.join(dict.fromkeys(missing.values()))}",
        )


@functools.cache
def _compiler_version(compiler: str) -> str:
    return subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout


def _fingerprint(sources: Path, arguments: Sequence[str], compiler: str) -> str:
    digest = hashlib.sha256()
    digest.update(_compiler_version(compiler).encode())
    for part in arguments:
        digest.update(b"\0" + part.encode())
    for path in sorted(sources.rglob("*")):
        if path.suffix in _SOURCE_SUFFIXES or path.name == "Makefile":
            digest.update(b"\0" + str(path.relative_to(sources)).encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(name: str, sources: Path, arguments: Sequence[str], *, compiler: str) -> Path:
    """Run make into a new folder and rename it into place; gives the folder."""
    root = cache_dir("build")
    folder = root / f"{name}-{_fingerprint(sources, arguments, compiler)}"
    if folder.exists():
        return folder
    with _locked(root / f"{folder.name}.lock"):
        if folder.exists():
            return folder
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=root) as temporary:
            out = Path(temporary) / "out"
            out.mkdir()
            _make(name, sources, [f"OUT={out}", *arguments], out / "build.log")
            out.rename(folder)
    return folder


def _make(name: str, sources: Path, arguments: Sequence[str], log: Path) -> None:
    command = ["make", "--no-print-directory", "-C", str(sources), *arguments]
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log.write_text(result.stdout)
    if result.returncode != 0:
        lines = result.stdout.strip().splitlines()
        # The first error is the cause, the rest its echo.
        words = [line for line in lines if "error:" in line][:1] or lines[-3:]
        raise BuildFailedError(
            expected=f"the {name} to build",
            found=" | ".join(words) or f"exit code {result.returncode}",
            remedy=f"run it by hand: {' '.join(command[:4])} OUT=/tmp/{name}",
        )
