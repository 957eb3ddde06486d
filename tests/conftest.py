"""What several rooms' tests share: real digits, real photos, the emulated board."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage, build_firmware
from reflexarc.firmware_bridge.emulator import EmulatedBoard

# No deadlines: machines are shared. In CI the same cases every time; elsewhere new ones.
settings.register_profile("reflexarc", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("reflexarc")

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A shell script's background jobs ignore SIGINT, and so would every program that a test starts
# and then interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--board", metavar="PORT", help="run tests/hil on the real board at this serial port"
    )


# What takes long and seldom breaks alone: `make test-all`. `make test` stays within CI's time.
_SLOW = (
    "export/test_mediapipe.py",
    "robot/network/test_discovery.py",
    "robot/network/test_emulated_network.py",
    "robot/network/test_life.py",
    "robot/nodes/test_gazebo_launch.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "REFLEXARC_SLOW" in os.environ:
        return
    skip = pytest.mark.skip(reason="slow: run by `make test-all`")
    for item in items:
        if item.path.as_posix().endswith(_SLOW):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The evaluation photos; they lie beside the checkout and are never part of it."""
    folder = Path(os.environ.get("REFLEXARC_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder} (set REFLEXARC_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def mnist() -> Any:
    """The real MNIST, 60,000 + 10,000 (fetched once into the user's cache)."""
    from reflexarc.models.mnist import load_mnist

    digits = load_mnist()
    if digits.source.test_size != 10_000:
        pytest.skip(f"the whole MNIST could not be had, only {digits.source.name}")
    return digits


@pytest.fixture(scope="session")
def firmware() -> FirmwareImage:
    return build_firmware()


@pytest.fixture
def emulator(firmware: FirmwareImage) -> Iterator[EmulatedBoard]:
    with EmulatedBoard(firmware) as running:
        yield running


@pytest.fixture
def board(emulator: EmulatedBoard) -> Iterator[Board]:
    with Board.connect(emulator.port) as connected:
        yield connected


@pytest.fixture
def keep_driving(emulator: EmulatedBoard, board: Board) -> Callable[[int, int, float], None]:
    """Repeat a set point, as a host must, for a time on the chip's clock."""

    def drive(left: int, right: int, seconds: float) -> None:
        end = emulator.status().seconds + seconds
        while emulator.status().seconds < end:
            board.drive(left, right)
            time.sleep(0.01)

    return drive
