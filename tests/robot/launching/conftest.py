from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from launched import Install, Launched, Resolve, Write

from reflexarc.robot.launching import Launch, resolve


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a launch file; the text begins below `launch:`."""

    def write(text: str, name: str = "a.launch.yaml") -> Path:
        path = tmp_path / name
        path.write_text(f"launch:\n{text}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A folder with spaces in its name that ROS packages are installed below."""
    return tmp_path / "a prefix"


@pytest.fixture
def install(prefix: Path) -> Install:
    """Install an executable (its text) as one of a ROS package."""

    def install(package: str, name: str, text: str) -> Path:
        index = prefix / "share/ament_index/resource_index/packages"
        index.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        program = prefix / "lib" / package / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    return install


@pytest.fixture
def environment(prefix: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "AMENT_PREFIX_PATH": str(prefix), "HOME": "/home/me"}


@pytest.fixture
def resolved(write: Write, install: Install, environment: dict[str, str]) -> Resolve:
    """Resolve a launch file's text; the package `demo` has the executable `talker`."""
    install("demo", "talker", "#!/bin/sh\n")

    def resolved(text: str, **arguments: str) -> Launch:
        return resolve(write(text), arguments, environment)

    return resolved


@pytest.fixture
def launched(write: Write, environment: dict[str, str]) -> Iterator[Callable[..., Launched]]:
    """Run `reflexarc launch` on a launch file's text."""
    running: list[Launched] = []

    def launched(text: str, *arguments: str, **variables: str) -> Launched:
        file = write(text)
        running.append(Launched([str(file), *arguments], {**environment, **variables}))
        return running[-1]

    yield launched
    for one in running:
        one.close()


@pytest.fixture
def obedient(install: Install) -> None:
    """The package `testers` with the lifecycle node of tests/support/lifecycle_node.py."""
    pytest.importorskip("rclpy")
    folder = Path(__file__).resolve().parents[2] / "support"
    install(
        "testers",
        "obedient",
        f"#!{sys.executable}\n"
        f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
        "from lifecycle_node import main\nmain()\n",
    )
