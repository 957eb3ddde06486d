"""The flight log: readable while it is written and after a kill; and what it can be asked."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reflexarc.core import WriteError
from reflexarc.sim.flight import STATE_S, FlightLog
from reflexarc.sim.flight_reader import Flight, FlightError

COUNTS = 10_000.0


def state(t: float, x: float = 0.0, yaw: float = 0.0, speed: float = 0.0) -> dict[str, Any]:
    return {
        "mono_ns": 5_000_000_000 + round(t * 2e9),  # at half of real time
        "pose": (x, 0.0, yaw),
        "wheel_speed": (speed, speed),
        "duty": (1, 2),
        "encoder": (round(x * COUNTS), round(x * COUNTS)),
        "servo_us": (1500.0, 0.0, 1500.0),
        "light": (1, 0, 0),
        "range_m": None if x < 0.5 else 0.4,
        "battery_v": 7.4,
        "bump": False,
        "resets": 0,
        "plugged": True,
        "qpos": [x, 0.0],
    }


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """0.5 m/s from 1 s to 3 s; motors driven from 0.95 s to 2.9 s, commanded at 0.9 s."""
    path = tmp_path / "flight.jsonl"
    with FlightLog(path) as log:
        log.write("start", 0.0, name="drive", scenario={"name": "drive"})
        log.write("event", 0.9, do={"begin": True})
        for step in range(201):
            t = step * STATE_S
            x = 0.5 * min(max(t - 1, 0), 2)
            log.write("state", t, **state(t, x, yaw=4 * t, speed=0.5 if 1 <= t < 3 else 0.0))
        for motor in (0, 1):
            log.write("motor", 0.95 + motor / 100, wall_ns=1, motor=motor, duty=120)
            log.write("motor", 1.50 + motor / 100, wall_ns=2, motor=motor, duty=0)
            log.write("motor", 1.53 + motor / 100, wall_ns=3, motor=motor, duty=90)
            log.write("motor", 2.90 + motor / 100, wall_ns=4, motor=motor, duty=0)
        log.write("frame", 0.94, wall_ns=7, end_t=0.941, end_wall_ns=8, length=12)
        log.write("end", 4.0, reason="its time is over")
    return path


def test_it_gives_arrays(drive: Path) -> None:
    flight = Flight.read(drive)
    assert len(flight.t) == 201 and flight.seconds == 4.0
    assert flight.start["name"] == "drive" and flight.end["reason"] == "its time is over"
    assert flight.pose.shape == (201, 3) and flight.qpos.shape == (201, 2)
    assert flight.wheel_speed.shape == flight.encoder.shape == flight.duty.shape == (201, 2)
    assert math.isnan(flight.range_m[0]) and flight.range_m[-1] == 0.4
    assert flight.plugged.all() and not flight.bump.any()
    assert flight.motor.shape == (8, 4) and (np.diff(flight.motor[:, 0]) >= 0).all()
    assert flight.frames.tolist() == [[0.94, 7, 0.941, 8]]


def test_it_answers_about_the_body(drive: Path) -> None:
    flight = Flight.read(drive)
    x, y, yaw = flight.pose_at(2.01)
    assert (x, y) == pytest.approx((0.505, 0.0)) and yaw == pytest.approx(8.04)  # not wrapped
    assert flight.turned(0, 4) == pytest.approx(16)
    assert flight.travelled(0, 4) == pytest.approx(1.0)
    assert flight.wheels_stopped_at(1.5) == pytest.approx(3.0)
    assert flight.wheels_stopped_at(0.2) == pytest.approx(0.2)
    with pytest.raises(FlightError, match="stand still"):
        flight.wheels_stopped_at(3.9)
    with pytest.raises(FlightError, match="stand still"):
        flight.wheels_stopped_at(9)


def test_it_answers_about_the_pins(drive: Path) -> None:
    flight = Flight.read(drive)
    assert flight.first_drive_after(0.9) == pytest.approx(0.95)
    assert flight.duty_at(1.0) == (120, 120) and flight.duty_at(0.955) == (120, 0)
    assert flight.motors_off_at(0.5) == 0.5  # they rest already
    assert flight.motors_off_at(1.2) == pytest.approx(2.91)  # 30 ms of rest are none
    assert len(flight.duty_after(2.9)) == 2
    with pytest.raises(FlightError, match="driven after 2.95 s; found none until 4.00 s"):
        flight.first_drive_after(2.95)


def test_it_answers_about_times_and_events(drive: Path) -> None:
    flight = Flight.read(drive)
    assert flight.mono_ns_at(1.0) == 7_000_000_000
    assert flight.t_at(7_000_000_000) == pytest.approx(1.0)
    assert flight.t_at(flight.mono_ns_at(1.2345)) == pytest.approx(1.2345)
    assert flight.event_at("begin") == 0.9
    with pytest.raises(FlightError, match="unplug number 0; found 0"):
        flight.event_at("unplug")


def test_it_is_readable_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "flight.jsonl"
    with FlightLog(path) as log:
        for step in range(60):
            t = step * STATE_S
            log.write("state", t, **state(t))
            # What is older than 0.1 s of simulated time is there.
            seen = Flight.read(path).t
            assert t - (seen[-1] if len(seen) else 0) <= 0.1 + 1e-9
    assert len(Flight.read(path).t) == 60


def test_a_line_that_is_half_written_is_not_there_yet(drive: Path) -> None:
    whole = drive.read_bytes()
    lines = whole.splitlines(keepends=True)
    drive.write_bytes(b"".join(lines[:100]) + lines[100][:40])
    assert len(Flight.read(drive).t) == 98  # without the start, an event and the half one


def test_what_a_killed_writer_wrote_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "flight.jsonl"
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom test_flight import state\n"
        "from reflexarc.sim.flight import FlightLog\n"
        f"log = FlightLog(Path({str(path)!r}))\n"
        "for step in range(100): log.write('state', step * 0.02, **state(step * 0.02))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    folder = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, timeout=60, check=False)
    assert done.returncode == -9
    flight = Flight.read(path)
    assert flight.end == {} and flight.seconds >= 1.98 - 0.1


def test_before_its_first_state_a_log_is_empty_but_no_error(tmp_path: Path) -> None:
    path = tmp_path / "flight.jsonl"
    path.write_bytes(b"")
    flight = Flight.read(path)
    assert flight.start == {} and flight.seconds == 0.0 and flight.motor.shape == (0, 4)
    with pytest.raises(FlightError, match="none yet"):
        flight.pose_at(1)


def test_what_is_no_flight_log_is_said(tmp_path: Path) -> None:
    with pytest.raises(FlightError, match="a flight log at"):
        Flight.read(tmp_path / "none")
    for text in ("hello\n", "[1]\n", '{"t": 1}\n'):
        (tmp_path / "other").write_text(text)
        with pytest.raises(FlightError, match="line 1"):
            Flight.read(tmp_path / "other")
    with pytest.raises(WriteError, match="flight log"):
        FlightLog(tmp_path / "other" / "flight.jsonl")


def test_numbers_are_short_and_exact_to_a_millionth(tmp_path: Path) -> None:
    path = tmp_path / "flight.jsonl"
    with FlightLog(path) as log:
        log.write("view", 1 / 3, values=[np.float64(2 / 3), (1, [1e-9])])
    assert path.read_text() == '{"kind":"view","t":0.333333,"values":[0.666667,[1,[0.0]]]}\n'
