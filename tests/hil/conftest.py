"""The same tests on the emulated board and, with --board PORT, on a real one.

pytest tests/hil                          # the emulated ATmega328P
pytest tests/hil --board /dev/ttyACM0     # lift the robot first: its wheels turn
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rig import Rig

from reflexarc.core import atomic_write
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import EmulatedBoard


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Any board; a real one where --board names its port."""
    port = request.config.getoption("--board")
    if port is not None:
        real = Rig(port)
        yield real
        real.close()
        return
    with EmulatedBoard(request.getfixturevalue("firmware")) as emulated:
        rig = Rig(emulated.port, emulated)
        yield rig
        rig.close()


@pytest.fixture
def emulator_only(request: pytest.FixtureRequest) -> None:
    """For tests that break what nobody would break on a real board."""
    if request.config.getoption("--board") is not None:
        pytest.skip("needs the emulator's controls: not on a real board")


@pytest.fixture
def bench(firmware: FirmwareImage) -> Iterator[EmulatedBoard]:
    """The emulated board, for tests that need its controls."""
    with EmulatedBoard(firmware) as emulated:
        yield emulated


@pytest.fixture
def driver(rig: Rig) -> Board:
    """A connected board without automatic reconnection, no faults latched."""
    board = rig.connect()
    board.clear_faults()
    return board


@pytest.fixture(scope="session")
def _fault_times() -> Iterator[dict[str, float]]:
    times: dict[str, float] = {}
    yield times
    path = os.environ.get("REFLEXARC_FAULT_TIMES")
    if path and times:
        with atomic_write(Path(path)) as temporary:
            temporary.write_text(json.dumps(times, indent=1))


@pytest.fixture
def measured(_fault_times: dict[str, float]) -> Callable[[str, float], None]:
    """Note how long the motors ran on, in emulated ms; the longest of a run is kept.

    With REFLEXARC_FAULT_TIMES=path the times are written there: the table in
    docs/bridge.md comes from it.
    """

    def note(fault: str, ms: float) -> None:
        _fault_times[fault] = max(round(ms, 1), _fault_times.get(fault, 0.0))

    return note
