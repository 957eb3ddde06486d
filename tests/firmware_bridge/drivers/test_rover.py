"""The board with this project's firmware as a driver, and the emulated one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from reflexarc.firmware_bridge.drivers import DriverConfigError, open_driver
from reflexarc.firmware_bridge.drivers.rover import Rover
from reflexarc.firmware_bridge.drivers.sim import SimulatedRover
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.errors import BoardError, PortNotFoundError


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_rover_drives(emulator: EmulatedBoard) -> None:
    with open_driver("rover", {"port": emulator.port}) as rover:
        assert isinstance(rover, Rover)
        assert rover.drive(600, -600) == (600, -600)
        state = rover.wait_state()
        assert rover.wait_state(after=state).motors_on
        rover.stop()
    assert not any(emulator.wait(0.05).duty)


def test_sim_needs_no_settings_and_ends_what_it_started() -> None:
    opened = open_driver("sim", {"battery_v": 7.0})
    assert isinstance(opened, SimulatedRover)
    pid = opened.emulator.pid
    assert is_running(pid)
    assert opened.wait_state().battery_v == pytest.approx(7.0, abs=0.1)
    opened.close()
    assert not is_running(pid)
    opened.close()


def test_sim_leaves_no_process_behind_when_the_board_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[int] = []
    original = EmulatedBoard.__init__

    def remember(self: EmulatedBoard, *values: Any, **settings: Any) -> None:
        original(self, *values, **settings)
        started.append(self.pid)

    monkeypatch.setattr(EmulatedBoard, "__init__", remember)
    with pytest.raises(BoardError):
        open_driver("sim", {"baudrate": 115_200})
    assert len(started) == 1
    assert not is_running(started[0])


@pytest.mark.parametrize("driver", ["rover", "sim"])
def test_a_wrong_key_is_answered_with_the_nearest(driver: str) -> None:
    with pytest.raises(DriverConfigError, match=f"settings of {driver}: .*did you mean baudrate"):
        open_driver(driver, {"baud_rate": 500_000})


def test_no_such_port() -> None:
    with pytest.raises(PortNotFoundError):
        open_driver("rover", {"port": "/dev/no-such-board"})
