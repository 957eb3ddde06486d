"""The firmware's speed control, compiled for this machine."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reflexarc.firmware_bridge.build import FIRMWARE_SOURCES

NO_LOAD_SPEED, TIME_CONSTANT_S, PERIOD_S = 5500.0, 0.060, 0.010


class Gains(ctypes.Structure):
    _fields_ = (
        ("feed_forward", ctypes.c_uint16),
        ("proportional", ctypes.c_uint16),
        ("integral", ctypes.c_uint16),
    )


# The built-in settings.
GAINS = Gains(190, 288, 48)


class Control(ctypes.Structure):
    _fields_ = (
        ("target", ctypes.c_int16),
        ("duty", ctypes.c_int16),
        ("reference_q8", ctypes.c_int32),
        ("integral_q12", ctypes.c_int32),
        ("feedback_q12", ctypes.c_int32),
    )


class Estimator(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_int32),
        ("edge_us", ctypes.c_uint32),
        ("idle_steps", ctypes.c_uint8),
        ("speed", ctypes.c_int16),
    )


@pytest.fixture(scope="module")
def library(app_library: Path) -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(app_library))
    loaded.speed_estimator_step.restype = ctypes.c_int16
    loaded.speed_estimator_step.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int32,
        ctypes.c_uint32,
        ctypes.c_uint32,
    ]
    return loaded


def set_target(library: ctypes.CDLL, control: Control, speed: int) -> None:
    library.speed_control_set_target(ctypes.byref(control), ctypes.byref(GAINS), speed)


@pytest.fixture
def run(library: ctypes.CDLL) -> Callable[..., list[float]]:
    """Drive a motor for some periods; gives its speed at the end of each."""

    def steps(
        control: Control, periods: int, start: float = 0.0, gain: float = 1.0, stalled: bool = False
    ) -> list[float]:
        speed, speeds = start, []
        for _ in range(periods):
            library.speed_control_step(ctypes.byref(control), ctypes.byref(GAINS), int(speed))
            target = control.duty / 255 * NO_LOAD_SPEED * gain
            speed = 0.0 if stalled else speed + (target - speed) * PERIOD_S / TIME_CONSTANT_S
            speeds.append(speed)
        return speeds

    return steps


@pytest.fixture
def target(library: ctypes.CDLL) -> Callable[[int], Control]:
    def make(speed: int) -> Control:
        control = Control()
        set_target(library, control, speed)
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
    assert abs(control.integral_q12) <= 255 * 4096


def test_target_zero_ends_without_drive(run: Any, library: ctypes.CDLL, target: Any) -> None:
    control = target(4000)
    rolling = run(control, 100)[-1]
    set_target(library, control, 0)
    braked = run(control, 60, start=rolling)
    assert control.duty == 0
    assert abs(braked[-1]) < 60


def test_a_gain_at_its_limit_overflows_nothing(run: Any, library: ctypes.CDLL) -> None:
    gains = Gains(16384, 16384, 16384)
    for target in (5000, -5000):
        control = Control()
        library.speed_control_set_target(ctypes.byref(control), ctypes.byref(gains), target)
        for speed in (-32767, 32767, 0, target) * 25:
            library.speed_control_step(ctypes.byref(control), ctypes.byref(gains), speed)
            assert abs(control.duty) <= 255


def test_speed_of_even_edges(library: ctypes.CDLL) -> None:
    # 32 counts in 10 ms: 3200 counts/s.
    estimator, count, us = Estimator(), 0, 0
    for _ in range(20):
        count, us = count + 32, us + 10_000
        speed = library.speed_estimator_step(ctypes.byref(estimator), count, us, us)
    assert speed == 3200


def test_speed_below_one_edge_a_period(library: ctypes.CDLL) -> None:
    # An edge every 40 ms: 25 counts/s, where counting sees 0 or 100.
    estimator, speeds = Estimator(), []
    for period in range(1, 200):
        now = period * 10_000
        count = now // 40_000
        speeds.append(
            library.speed_estimator_step(ctypes.byref(estimator), count, count * 40_000, now)
        )
    assert set(speeds[20:]) == {25}


def test_speed_when_the_clock_wraps(library: ctypes.CDLL) -> None:
    estimator, count, us = Estimator(edge_us=2**32 - 55_000), 0, 2**32 - 55_000
    for _ in range(20):
        count, us = count - 10, (us + 10_000) % 2**32
        speed = library.speed_estimator_step(ctypes.byref(estimator), count, us, us)
        assert speed == -1000


def test_speed_falls_to_zero_when_edges_stop(library: ctypes.CDLL) -> None:
    estimator = Estimator(count=0, edge_us=0, speed=3000)
    speeds = [
        library.speed_estimator_step(ctypes.byref(estimator), 0, 0, period * 10_000)
        for period in range(1, 13)
    ]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == 0


def test_two_edges_at_once_are_not_a_very_fast_wheel(library: ctypes.CDLL) -> None:
    estimator = Estimator(count=10, edge_us=4000)
    assert library.speed_estimator_step(ctypes.byref(estimator), 11, 4004, 4400) == 100


def test_a_wild_count_does_not_overflow(library: ctypes.CDLL) -> None:
    for jump in (3000, -3000, 2_000_000):
        estimator = Estimator()
        speed = library.speed_estimator_step(ctypes.byref(estimator), jump, 5000, 10_000)
        assert abs(speed) == 32767


def test_the_control_logic_has_no_chip_header_in_it() -> None:
    sources = [*(FIRMWARE_SOURCES / "app").iterdir(), *(FIRMWARE_SOURCES / "hal").iterdir()]
    assert len(sources) > 20
    for path in sources:
        text = path.read_text()
        assert "<avr/" not in text and "<util/" not in text and "stm32" not in text, path.name
