"""What any board does with commands. On a real one, lift the robot: its wheels turn."""

from __future__ import annotations

import pytest
from rig import Rig

from reflexarc.firmware_bridge import Board


def test_set_points_are_clamped_and_said(driver: Board) -> None:
    limit = driver.read_settings().max_speed
    assert driver.drive(30_000, -30_000) == (limit, -limit)
    driver.stop()


@pytest.mark.parametrize("wheel, speeds", [(0, (1500, 0)), (1, (0, 1500))])
def test_each_wheel_turns_the_right_way_at_its_speed(
    rig: Rig, driver: Board, wheel: int, speeds: tuple[int, int]
) -> None:
    states = rig.keep(driver, lambda: driver.drive(*speeds), 1.0)
    driver.stop()
    moved = [b - a for a, b in zip(states[50].encoder, states[-1].encoder, strict=True)]
    seconds = (states[-1].chip_us - states[50].chip_us) / 1e6
    assert moved[wheel] / seconds == pytest.approx(1500, rel=0.05)
    assert abs(moved[1 - wheel]) < 30


def test_a_silent_host_stops_the_motors(rig: Rig, driver: Board) -> None:
    states = rig.keep(driver, lambda: driver.drive(1000, 1000), 0.3)
    last_sent = states[-1]
    while not (state := driver.wait_state()).host_timed_out:
        assert state.chip_us - last_sent.chip_us < 400_000
        assert state.motors_on
    assert not state.motors_on
    # From the last command, which came up to one state later; seen at the next state.
    assert 290_000 < state.chip_us - last_sent.chip_us < 325_000


def test_a_servo_goes_where_it_is_told_no_faster_than_its_limit(rig: Rig, driver: Board) -> None:
    settings = driver.read_settings()
    pan = settings.servos["pan"]
    assert driver.set_servos({"pan": 0.0})["pan"] == 0.0
    rig.keep(driver, lambda: None, 1.0)
    assert driver.set_servos({"pan": 1000.0})["pan"] == pan.highest_deg
    states = rig.keep(driver, lambda: None, pan.highest_deg / pan.speed_deg_s + 0.5)
    angles = [state.servos["pan"] for state in states]
    assert angles[-1] == pan.highest_deg
    at = next(i for i, angle in enumerate(angles) if angle == pan.highest_deg)
    seconds = (states[at].chip_us - states[0].chip_us) / 1e6
    assert seconds > 0.8 * pan.highest_deg / pan.speed_deg_s
    driver.set_servos({"pan": 0.0})
    driver.release_servos()
    assert rig.keep(driver, lambda: None, 0.2)[-1].servos["pan"] is None


@pytest.mark.parametrize("color", ["red", "green", "blue", "white", "off"])
def test_the_light(rig: Rig, driver: Board, color: str) -> None:
    driver.set_light(color)
    if rig.emulated is not None:
        bits = {"red": 1, "green": 2, "blue": 4, "white": 7, "off": 0}[color]
        assert rig.emulated.status().light == tuple(bool(bits >> i & 1) for i in range(3))


def test_a_reversed_order_is_obeyed_without_a_fault(rig: Rig, driver: Board) -> None:
    for speed in (2500, -2500, 2500, 0):
        states = rig.keep(driver, lambda speed=speed: driver.drive(speed, -speed), 0.4)
        assert not states[-1].faults
