"""The firmware's speed control, compiled for this machine."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES

NO_LOAD_SPEED, TIME_CONSTANT_S, PERIOD_S = 5500.0, 0.060, 0.010


class Control(ctypes.Structure):
    _fields_ = (
        ("target", ctypes.c_int16),
        ("duty", ctypes.c_int16),
        ("reference_q8", ctypes.c_int32),
        ("integral_q8", ctypes.c_int32),
        ("feedback_q8", ctypes.c_int32),
    )


class Estimator(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_int32),
        ("edge_ticks", ctypes.c_uint16),
        ("idle_steps", ctypes.c_uint8),
        ("speed", ctypes.c_int16),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    out = tmp_path_factory.mktemp("control") / "control.so"
    sources = [FIRMWARE_SOURCES / name for name in ("speed_control.c", "speed_estimator.c")]
    warnings = ["-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]
    command = ["cc", "-shared", "-fPIC", "-std=gnu11", *warnings, "-o", out, *sources]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(out))
    loaded.speed_estimator_step.restype = ctypes.c_int16
    loaded.speed_estimator_step.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int32,
        ctypes.c_uint16,
        ctypes.c_uint16,
    ]
    return loaded


@pytest.fixture
def run(library: ctypes.CDLL) -> Callable[..., list[float]]:
    """Drive a motor for some periods; gives its speed at the end of each."""

    def steps(
        control: Control, periods: int, start: float = 0.0, gain: float = 1.0, stalled: bool = False
    ) -> list[float]:
        speed, speeds = start, []
        for _ in range(periods):
            library.speed_control_step(ctypes.byref(control), int(speed))
            target = control.duty / 255 * NO_LOAD_SPEED * gain
            speed = 0.0 if stalled else speed + (target - speed) * PERIOD_S / TIME_CONSTANT_S
            speeds.append(speed)
        return speeds

    return steps


@pytest.fixture
def target(library: ctypes.CDLL) -> Callable[[int], Control]:
    def make(speed: int) -> Control:
        control = Control()
        library.speed_control_set_target(ctypes.byref(control), speed)
        return control

    return make


@pytest.mark.parametrize("speed", [5000, 1200, -300, -4800])
def test_reaches_the_target_and_stays(run: Any, target: Any, speed: int) -> None:
    speeds = run(target(speed), 100)
    assert all(abs(reached - speed) < 0.05 * abs(speed) for reached in speeds[40:])


@pytest.mark.parametrize("gain", [0.8, 1.2])
def test_makes_up_for_a_motor_that_is_not_the_model(run: Any, target: Any, gain: float) -> None:
    assert run(target(3000), 150, gain=gain)[-1] == pytest.approx(3000, rel=0.02)


def test_a_new_target_moves_the_duty_at_once(target: Any) -> None:
    assert target(2500).duty == pytest.approx(2500 / NO_LOAD_SPEED * 255, abs=2)


def test_the_duty_stays_in_its_range(run: Any, target: Any) -> None:
    control = target(5000)
    run(control, 100, stalled=True)
    assert control.duty == 255


def test_a_wheel_that_was_held_does_not_shoot_off(run: Any, target: Any) -> None:
    control = target(2000)
    run(control, 500, stalled=True)
    released = run(control, 100)
    # 1.21 times; with an integral that is only bounded, 1.83 times.
    assert max(released) < 1.3 * 2000
    assert released[50] == pytest.approx(2000, rel=0.05)


def test_the_integral_stays_bounded(run: Any, target: Any) -> None:
    control = target(5000)
    run(control, 2000, stalled=True)
    assert abs(control.integral_q8) <= 255 * 256


def test_target_zero_ends_without_drive(run: Any, library: ctypes.CDLL, target: Any) -> None:
    control = target(4000)
    rolling = run(control, 100)[-1]
    library.speed_control_set_target(ctypes.byref(control), 0)
    braked = run(control, 60, start=rolling)
    assert control.duty == 0
    assert abs(braked[-1]) < 60


def test_speed_of_even_edges(library: ctypes.CDLL) -> None:
    # 32 counts in 10 ms (2500 ticks of 4 us): 3200 counts/s.
    estimator, count, ticks = Estimator(), 0, 0
    for _ in range(20):
        count, ticks = count + 32, (ticks + 2500) & 0xFFFF
        speed = library.speed_estimator_step(ctypes.byref(estimator), count, ticks, ticks)
    assert speed == 3200


def test_speed_below_one_edge_a_period(library: ctypes.CDLL) -> None:
    # An edge every 40 ms (10,000 ticks): 25 counts/s, where counting sees 0 or 100.
    estimator, edge, speeds = Estimator(), 0, []
    for period in range(1, 200):
        now = period * 2500
        edge = now // 10_000 * 10_000
        speeds.append(
            library.speed_estimator_step(
                ctypes.byref(estimator), now // 10_000, edge & 0xFFFF, now & 0xFFFF
            )
        )
    assert set(speeds[20:]) == {25}


def test_speed_falls_to_zero_when_edges_stop(library: ctypes.CDLL) -> None:
    estimator = Estimator(count=0, edge_ticks=0, speed=3000)
    speeds = [
        library.speed_estimator_step(ctypes.byref(estimator), 0, 0, period * 2500)
        for period in range(1, 13)
    ]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0


def test_two_edges_at_once_are_not_a_very_fast_wheel(library: ctypes.CDLL) -> None:
    estimator = Estimator(count=10, edge_ticks=1000)
    assert library.speed_estimator_step(ctypes.byref(estimator), 11, 1001, 1100) == 100


def test_the_firmware_has_no_avr_header_in_them() -> None:
    for name in ("speed_control", "speed_estimator"):
        for suffix in (".c", ".h"):
            text = Path(FIRMWARE_SOURCES / f"{name}{suffix}").read_text()
            assert "<avr/" not in text and "<util/" not in text
