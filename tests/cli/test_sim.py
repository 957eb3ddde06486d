"""`reflexarc sim`: a scenario from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import run_program
from shell import Run

# The box renders: not in a process in which other tests may have imported TensorFlow; it
# and the robot are processes of their own anyway.
STILL = """
name: {name}
seconds: 1.5
orders: [{{at: 0.2, say: turn on the green light}}]
robot: {{name: still}}
"""


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.yaml"
    path.write_text(STILL.format(name="still"))
    return path


def processes_of(folder: Path) -> list[str]:
    """Command lines that name a folder, and are alive."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(folder) in line and state != "Z":
                found.append(line)
    return found


def test_the_list_names_what_comes_with_the_package(reflexarc: Run) -> None:
    code, out, _ = reflexarc("sim", "--list", "--json")
    scenarios = {one["name"]: one for one in json.loads(out)}
    assert code == 0
    assert {"courier", "greeter", "trainer", "follower", "order_taker", "obstacle"} <= set(
        scenarios
    )
    assert all(one["about"] and one["seconds"] > 0 for one in scenarios.values())
    code, out, _ = reflexarc("sim")
    assert code == 0 and "courier" in out


def test_a_scenario_of_one_s_own_runs_to_its_end(
    reflexarc: Run, still: Path, tmp_path: Path
) -> None:
    code, out, err = reflexarc("sim", still, "--out", tmp_path / "o", "--json")
    told = json.loads(out)
    assert code == 0, err
    assert told["scenario"] == "still"
    assert told["ended"] == "time"
    assert told["simulated_s"] == pytest.approx(1.5, abs=0.3)
    assert [order["text"] for order in told["orders"]] == ["turn on the green light"]
    assert told["replies"][0]["text"] == "Make the light green."
    assert [e["text"] for e in told["events"] if e["event"] == "finished"] == ["light green"]
    assert {check["name"]: check["held"] for check in told["checks"]} == {
        "nothing is touched": True,
        "motors off at the end": True,
        "all programs end in order": True,
    }
    lines = (tmp_path / "o" / "box" / "flight.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["kind"] == "start" and json.loads(lines[-1])["kind"] == "end"
    assert processes_of(tmp_path / "o") == []


def test_what_does_not_hold_is_named_and_ends_with_1(reflexarc: Run, tmp_path: Path) -> None:
    path = tmp_path / "obstacle.yaml"
    path.write_text(STILL.format(name="obstacle"))  # and none is there
    code, out, err = reflexarc("sim", path, "--out", tmp_path / "o")
    assert code == 1
    assert "failed: it says what is in the way" in " ".join(err.split())
    assert "held" in out


def test_pictures_of_what_the_robot_sees_are_kept_for_a_film(
    reflexarc: Run, tmp_path: Path
) -> None:
    path = tmp_path / "look.yaml"
    path.write_text(
        "name: look\nseconds: 2\nrobot: {reflexes: [{event: digit_seen, value: 1, actions: "
        "[{do: light, color: red}]}]}\n"
    )
    code, _, err = reflexarc("sim", path, "--out", tmp_path / "o", "--film")
    assert code == 0, err
    pictures = list((tmp_path / "o" / "pictures").glob("*.jpg"))
    assert len(pictures) >= 5
    assert all(picture.read_bytes().startswith(b"\xff\xd8") for picture in pictures)


def test_wrong_names_are_said_with_the_right_ones(reflexarc: Run, tmp_path: Path) -> None:
    code, _, err = reflexarc("sim", "curier", "--out", tmp_path / "o")
    assert code == 2
    assert "courier" in err and "Traceback" not in err
    path = tmp_path / "wrong.yaml"
    path.write_text("name: wrong\nrobot: {limits: {speed_mps: 5}}\n")
    code, _, err = reflexarc("sim", path, "--out", tmp_path / "o")
    assert code == 2
    assert "limits.speed_mps" in " ".join(err.split())
    assert processes_of(tmp_path / "o") == []


def test_a_film_that_no_package_carries_is_asked_for(reflexarc: Run, tmp_path: Path) -> None:
    code, _, err = reflexarc("sim", "trainer", "--out", tmp_path / "o")
    assert code == 2
    assert "--data" in err and "situp" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_a_sudden_death_leave_nothing_running(
    how: signal.Signals, tmp_path: Path
) -> None:
    folder = tmp_path / "o"
    command = [sys.executable, "-m", "reflexarc.cli", "sim", "cable_pull", "--out", str(folder)]
    with run_program(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        wait_for(
            lambda: (folder / "box" / "flight.jsonl").exists() and (folder / "robot.log").exists()
        )
        assert len(processes_of(folder)) >= 3
        running.send_signal(how)
        running.wait(30)
    assert running.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    wait_for(lambda: processes_of(folder) == [])


def wait_for(what: object, patience_s: float = 60.0) -> None:
    end = time.monotonic() + patience_s
    while not what():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)
