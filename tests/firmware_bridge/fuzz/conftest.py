"""The firmware's own C under AddressSanitizer and UndefinedBehaviorSanitizer.

FUZZ_CASES sets how many cases each fuzz test runs: 20,000 by default, 1,000,000 in
`make fuzz`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES

CASES = int(os.environ.get("FUZZ_CASES", "20000"))
_WARNINGS = ["-Wall", "-Wextra", "-Werror"]
_SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
_FLAGS = ["-std=gnu11", "-O1", "-g", "-fshort-enums", *_WARNINGS, *_SANITIZERS]

_tallies: list[str] = []

CompileC = Callable[[str, Sequence[str]], Callable[[bytes], bytes]]


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory: pytest.TempPathFactory) -> CompileC:
    """Build a program of this folder with some of the firmware's sources.

    Gives a function that runs it over bytes. A sanitizer's finding fails the test.
    """
    here, out = Path(__file__).parent, tmp_path_factory.mktemp("fuzz")

    def build(name: str, sources: Sequence[str]) -> Callable[[bytes], bytes]:
        program = out / name
        folders = [FIRMWARE_SOURCES / name for name in ("app", "hal", "generated")]
        includes = [f"-I{path}" for path in (*folders, here / "host")]
        files = [here / f"{name}.c", *(FIRMWARE_SOURCES / source for source in sources)]
        subprocess.run(["cc", *_FLAGS, *includes, "-o", program, *files], check=True)

        def run(data: bytes) -> bytes:
            result = subprocess.run([program], input=data, capture_output=True)
            assert result.returncode == 0, result.stderr.decode(errors="replace")[-4000:]
            return result.stdout

        return run

    return build


@pytest.fixture(scope="session")
def cases() -> int:
    return CASES


@pytest.fixture(scope="session")
def tally() -> Callable[[str], None]:
    """A line for the end of the run: how much was thrown at what."""
    return _tallies.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _tallies:
        terminalreporter.write_line(f"fuzz: {line}")
