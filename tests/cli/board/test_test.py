"""`reflexarc board test` as a shell sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from shell import Run

from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.selftest import STEPS

NOT_WHEELS = ",".join(name for name in STEPS if name != "wheels")


def test_a_healthy_board_passes_the_whole_test(reflexarc: Run, emulator: EmulatedBoard) -> None:
    emulator.set_range(500)
    code, out, err = reflexarc("board", "test", emulator.port, "--json")
    told = json.loads(out)
    assert code == 0 and told["passed"] is True
    found = {step["step"]: step["verdict"] for step in told["steps"]}
    assert len(found) == 18
    # A new chip has nothing in its EEPROM, and that is said.
    assert found.pop("settings") == "warn"
    assert set(found.values()) == {"pass"}
    assert "lift the robot" in err
    status = emulator.status()
    assert status.duty == (0, 0) and status.light == (0, 0, 0)
    assert emulator.wait(0.1).servo_us == (0, 0, 0)


def test_a_fault_is_explained_and_ends_with_1(reflexarc: Run, emulator: EmulatedBoard) -> None:
    emulator.jam_wheel(1, True)
    code, out, _ = reflexarc("board", "test", emulator.port, "--skip", NOT_WHEELS)
    assert code == 1
    assert "fail  right wheel forward: right wheel driven hard and not turning" in out
    assert "free the wheel" in out
    assert "pass  left wheel forward" in out
    assert "2 of 3 steps held" in out


def test_nothing_turns_without_the_wheels(reflexarc: Run, emulator: EmulatedBoard) -> None:
    code, out, err = reflexarc("board", "test", emulator.port, "--skip", "wheels,servos,light")
    assert code == 0
    assert "lift" not in err and "skip  timeout" in out
    assert emulator.status().last_edge_cycle == (0, 0)


def test_a_person_is_asked_before_wheels_turn_and_after_servos_moved(
    reflexarc: Run, emulator: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Person:
        """Has not seen the second servo move; wants no more when the wheels come."""

        answers = iter(("y\n", "n\n", "y\n"))

        def readline(self) -> str:
            return next(self.answers, "")

    monkeypatch.setattr("sys.stdin", Person())
    skip = ",".join(name for name in STEPS if name not in ("servos", "wheels"))
    code, out, err = reflexarc("board", "test", emulator.port, "--interactive", "--skip", skip)
    assert code == 1
    assert "pass  servo pan: seen" in out and "fail  servo tilt: not seen" in out
    assert "D10" in out
    assert "lift the robot off the ground" in err
    # No Enter came: nothing turned.
    assert emulator.status().last_edge_cycle == (0, 0)


def test_an_unknown_step_is_refused_with_the_names(reflexarc: Run) -> None:
    code, _, err = reflexarc("board", "test", "--skip", "whels")
    assert code == 2 and "servos, wheels, timeout" in " ".join(err.split())


def test_help_names_the_steps(reflexarc: Run) -> None:
    out = reflexarc("board", "test", "--help").out.replace("│", " ")
    assert f"Out of {', '.join(STEPS)};" in " ".join(out.split())


def test_ctrl_c_while_a_wheel_turns_stops_it_at_once(
    emulator: EmulatedBoard, reflexarc_process: Callable[..., subprocess.Popen[str]]
) -> None:
    process = reflexarc_process("board", "test", emulator.port, "--skip", NOT_WHEELS)
    deadline = time.monotonic() + 30
    while emulator.status().duty[0] < 50:
        assert time.monotonic() < deadline and process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    status = emulator.status()
    assert status.duty == (0, 0)
    # Stopped by a word of the host's: the chip had not even waited for one in vain.
    assert status.last_edge_cycle[0] < status.last_rx_cycle
