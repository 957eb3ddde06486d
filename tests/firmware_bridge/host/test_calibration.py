"""Calibration: formulas against a robot whose true measures differ, drives on the chip."""

from __future__ import annotations

import math

import pytest

from reflexarc.firmware_bridge import Board, BoardFaultError, ServoSetting, SettingsError
from reflexarc.firmware_bridge.calibration import (
    Travel,
    calibrated_servo,
    check_servo,
    counts_per_mm,
    keep,
    travel,
    wheel_diameter_mm,
    wheel_separation_mm,
)
from reflexarc.firmware_bridge.emulator import EmulatedBoard

TRUE_DIAMETER, TRUE_SEPARATION = 67.2, 141.0


@pytest.mark.parametrize("counts", [(2000, 2000), (-1500, 1500)])
def test_travel_rolls_so_far_evenly_and_stops(
    emulator: EmulatedBoard, board: Board, counts: tuple[int, int]
) -> None:
    rolled = travel(board, *counts, speed=3000, acceleration=6000)
    assert rolled == emulator.status().encoder
    # What it rolls too far is known: it is what was really rolled that counts.
    assert rolled == pytest.approx(counts, abs=60)
    assert abs(abs(rolled.left) - abs(rolled.right)) <= 15
    assert emulator.wait(0.2).duty == (0, 0)
    assert not board.read_state().host_timed_out


def test_travel_ramps(emulator: EmulatedBoard, board: Board) -> None:
    emulator.trace()
    travel(board, 2000, 2000, speed=3000, acceleration=4000)
    duties = [change.duty for change in emulator.trace().motor if change.motor == 0]
    # 3000 counts/s is a duty of about 140; a step to it would be there at once.
    assert max(duties) <= 175
    assert all(duty < 60 for duty in duties[:5])


def test_a_wheel_that_jams_ends_travel_with_motors_off(
    emulator: EmulatedBoard, board: Board
) -> None:
    emulator.jam_wheel(1, True)
    with pytest.raises(BoardFaultError, match="right wheel"):
        travel(board, 4000, 4000, speed=3000, acceleration=6000)
    assert emulator.wait(0.1).duty == (0, 0)


def test_ctrl_c_ends_travel_with_motors_off(
    emulator: EmulatedBoard, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    drive = board.drive

    def interrupted(left: int, right: int) -> tuple[int, int]:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise KeyboardInterrupt
        return drive(left, right)

    monkeypatch.setattr(board, "drive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        travel(board, 8000, 8000, speed=3000, acceleration=6000)
    # Well before the chip itself would have noticed.
    assert emulator.wait(0.05).duty == (0, 0)


def test_true_measures_from_counts_and_a_ruler(board: Board) -> None:
    settings = board.read_settings()
    per_mm = settings.counts_per_revolution / (math.pi * TRUE_DIAMETER)
    straight = Travel(7050, 7060)
    diameter = wheel_diameter_mm(straight, 7055 / per_mm, settings)
    assert diameter == pytest.approx(TRUE_DIAMETER)
    for way in (1, -1):
        spin = Travel(-3400 * way, 3410 * way)
        degrees = math.degrees(6810 / per_mm / TRUE_SEPARATION) * way
        separation = wheel_separation_mm(spin, degrees, diameter, settings)
        assert separation == pytest.approx(TRUE_SEPARATION)
    assert counts_per_mm(settings) == pytest.approx(1440 / (math.pi * 65))


@pytest.mark.parametrize("millimetres", [100.0, 10_000.0])
def test_a_measure_in_the_wrong_unit_is_refused(board: Board, millimetres: float) -> None:
    settings = board.read_settings()
    with pytest.raises(SettingsError, match="millimetres"):
        wheel_diameter_mm(Travel(7052, 7052), millimetres, settings)
    with pytest.raises(SettingsError, match="separation"):
        wheel_separation_mm(Travel(-3000, 3000), 0.0, 65, settings)


SERVO = ServoSetting(lowest_deg=-60, highest_deg=60, trim_us=40, scale_us=900, speed_deg_s=180)


@pytest.mark.parametrize("reversed_", [False, True])
def test_a_servo_that_is_off_stands_right_afterwards(reversed_: bool) -> None:
    # The true servo: its middle is at 1560 us, and 90 degrees take 980 us.
    true_scale = -980 if reversed_ else 980

    def stands(setting: ServoSetting, told: float) -> float:
        pulse = 1500 + setting.trim_us + told * setting.scale_us / 90
        return (pulse - 1560) * 90 / true_scale

    before = SERVO.model_copy(update={"scale_us": -900 if reversed_ else 900})
    after = calibrated_servo(before, stands(before, 0), 40, stands(before, 40))
    assert (after.trim_us, after.scale_us) == (60, true_scale)
    assert stands(after, -35) == pytest.approx(-35, abs=0.1)


def test_servo_measures_that_cannot_be(board: Board) -> None:
    with pytest.raises(SettingsError, match="negative scale"):
        calibrated_servo(SERVO, 0, 30, -30)
    with pytest.raises(SettingsError, match="negative scale"):
        calibrated_servo(SERVO, 29, 30, 30)
    for wrong, words in (
        ({"lowest_deg": 70.0}, "below the higher"),
        ({"trim_us": 600}, "horn"),
        ({"highest_deg": 120.0}, "narrower limits"),
    ):
        with pytest.raises(SettingsError, match=words):
            check_servo(SERVO.model_copy(update=wrong))
        # The chip would have said no to the same, without the reason.
        settings = board.read_settings()
        with pytest.raises(SettingsError):
            board.write_settings(
                settings.model_copy(
                    update={"servos": settings.servos | {"pan": SERVO.model_copy(update=wrong)}}
                )
            )


def test_what_is_kept_holds_after_a_restart(emulator: EmulatedBoard, board: Board) -> None:
    new = board.read_settings().model_copy(
        update={"wheel_diameter_mm": TRUE_DIAMETER, "wheel_separation_mm": TRUE_SEPARATION}
    )
    assert keep(board, new) == new
    board.close()
    emulator.reset()
    with Board.connect(emulator.port) as again:
        assert again.info.settings_source == "saved"
        assert again.read_settings() == new
