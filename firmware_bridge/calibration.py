"""Measures of a real robot from what it was told to do and what it really did.

The model is the differential drive's odometry, with its two systematic errors: the
wheels' scale and the effective wheel base (J. Borenstein, L. Feng, "Measurement and
Correction of Systematic Odometry Errors in Mobile Robots", IEEE Transactions on Robotics
and Automation 12(6), 1996, equations 1 to 4).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from reflexarc.firmware_bridge.board import Board
from reflexarc.firmware_bridge.errors import SettingsError, StateTimeoutError
from reflexarc.firmware_bridge.settings import BoardSettings, ServoSetting

# A measure this far from the old one is a slip of the pen or a wrong unit.
_PLAUSIBLE = 2.0
_CENTRE_US = 1500
_SHORTEST_US, _LONGEST_US = 500, 2500
# Set points follow the way left: v = sqrt(2 a s), which never quite ends; so not slower.
_CREEP_SHARE = 0.1
# Counts/s more for each count that a wheel is behind the other.
_EVEN_OUT = 4.0
_STANDSTILL_S = 1.0


class Travel(NamedTuple):
    """Encoder counts that each wheel has rolled; forward is positive."""

    left: int
    right: int


def travel(board: Board, left: int, right: int, *, speed: float, acceleration: float) -> Travel:
    """Roll each wheel by so many counts (equal, or opposite), with a ramp, and stop.

    DRIVE goes out at every state, as the chip wants it. The motors are off at the end,
    whatever ended it.

    Args:
        left, right: counts; of equal size.
        speed: counts/s at most.
        acceleration: counts/s².

    Returns:
        What the wheels really rolled, standstill reached: slightly more or less.

    Raises:
        StateTimeoutError: not there in four times the time that it should take.
        BoardError: as `Board.drive`.
    """
    goal = (abs(left) + abs(right)) / 2
    signs = (math.copysign(1, left), math.copysign(1, right))
    start = state = board.wait_state()
    deadline_us = start.chip_us + 4e6 * (goal / speed + speed / acceleration + 1)
    pace = 0.0
    before_us = start.chip_us
    try:
        while True:
            rolled = [
                sign * (now - then)
                for sign, now, then in zip(signs, state.encoder, start.encoder, strict=True)
            ]
            mean = sum(rolled) / 2
            if mean >= goal:
                break
            if state.chip_us > deadline_us:
                raise StateTimeoutError(
                    expected=f"{goal:.0f} counts at {speed:.0f} counts/s",
                    found=f"{rolled[0]:.0f} (left) and {rolled[1]:.0f} (right) counts in "
                    f"{(state.chip_us - start.chip_us) / 1e6:.1f} s",
                    remedy="run: reflexarc board test",
                )
            pace += acceleration * (state.chip_us - before_us) / 1e6
            before_us = state.chip_us
            pace = min(pace, speed, math.sqrt(2 * acceleration * (goal - mean)))
            pace = max(pace, _CREEP_SHARE * speed)
            left_pace, right_pace = (pace + _EVEN_OUT * (mean - own) for own in rolled)
            board.drive(round(signs[0] * left_pace), round(signs[1] * right_pace))
            state = board.wait_state(after=state)
        end_us = state.chip_us + _STANDSTILL_S * 1e6
        while state.speed != (0, 0) and state.chip_us < end_us:
            board.drive(0, 0)
            state = board.wait_state(after=state)
    finally:
        board.stop()
    state = board.read_state()
    return Travel(state.encoder[0] - start.encoder[0], state.encoder[1] - start.encoder[1])


def counts_per_mm(settings: BoardSettings) -> float:
    """Of a wheel: counts_per_revolution / (π · wheel_diameter)."""
    return settings.counts_per_revolution / (math.pi * settings.wheel_diameter_mm)


def wheel_diameter_mm(straight: Travel, measured_mm: float, settings: BoardSettings) -> float:
    """The wheels' effective diameter from a straight drive.

    Each wheel's way is π · D · counts / counts_per_revolution, and the robot's middle
    goes their mean (Borenstein & Feng, equations 1 and 3), so
    D = 2 · measured · counts_per_revolution / (π · (left + right)).

    Raises:
        SettingsError: less than half or more than twice the old one.
    """
    counts = straight.left + straight.right
    diameter = 2 * measured_mm * settings.counts_per_revolution / (math.pi * counts)
    return _plausible("wheel diameter", diameter, settings.wheel_diameter_mm)


def wheel_separation_mm(
    spin: Travel, measured_deg: float, diameter_mm: float, settings: BoardSettings
) -> float:
    """The effective wheel base from a turn on the spot.

    The robot turns by (right way - left way) / wheel base (Borenstein & Feng, equation
    2), so b = π · D / counts_per_revolution · (right - left) / angle. The diameter must
    be the right one already.

    Args:
        spin: left backward and right forward is a turn to the left.
        measured_deg: really turned; to the left is positive.
        diameter_mm: from `wheel_diameter_mm`.
        settings: the old ones.

    Raises:
        SettingsError: less than half or more than twice the old one.
    """
    way = math.pi * diameter_mm / settings.counts_per_revolution * (spin.right - spin.left)
    base = way / math.radians(measured_deg) if measured_deg else math.inf
    return _plausible("wheel separation", base, settings.wheel_separation_mm)


def _plausible(name: str, new: float, old: float) -> float:
    if not old / _PLAUSIBLE <= new <= old * _PLAUSIBLE:
        raise SettingsError(
            expected=f"a {name} between {old / _PLAUSIBLE:.1f} and {old * _PLAUSIBLE:.1f} mm",
            found=f"{new:.1f} mm from what was measured",
            remedy="measure in millimetres and degrees; write a very different robot's "
            "measures into the settings first",
        )
    return new


def calibrated_servo(
    setting: ServoSetting, zero_deg: float, at_deg: float, measured_deg: float
) -> ServoSetting:
    """Trim and scale from where a servo really stood at two commanded angles.

    The chip's pulse is 1500 us + trim + angle · scale / 90° (`ServoSetting`), and a hobby
    servo's angle is a straight line over the pulse. Through the two points:
    scale' = scale · at / (measured - zero), trim' = trim - zero · scale' / 90°.

    Args:
        setting: that held while it was measured.
        zero_deg: where it stood when told 0.
        at_deg: the other angle that it was told.
        measured_deg: where it stood then.

    Raises:
        SettingsError: the two measures are too near to each other, or the result is no
            setting that a chip can hold.
    """
    if abs(at_deg) < 1 or (measured_deg - zero_deg) / at_deg < 1 / _PLAUSIBLE:
        raise SettingsError(
            expected=f"about {at_deg:.0f}° between the two measured angles",
            found=f"{measured_deg - zero_deg:.1f}°",
            remedy="measure both from the same line, left (up, open) positive; a servo that "
            "turns the wrong way wants a negative scale",
        )
    scale = setting.scale_us * at_deg / (measured_deg - zero_deg)
    trim = setting.trim_us - zero_deg * scale / 90
    return check_servo(
        setting.model_copy(update={"trim_us": round(trim), "scale_us": round(scale)})
    )


def check_servo(setting: ServoSetting) -> ServoSetting:
    """The same; with an error in words where the chip would refuse it.

    Raises:
        SettingsError: limits in the wrong order, or pulses outside 500 to 2500 us.
    """
    if setting.lowest_deg > setting.highest_deg:
        raise SettingsError(
            expected="the lower limit below the higher one",
            found=f"{setting.lowest_deg:g}° and {setting.highest_deg:g}°",
            remedy="exchange them",
        )
    if abs(setting.trim_us) > 500:
        raise SettingsError(
            expected="a trim of at most 500 us",
            found=f"{setting.trim_us} us",
            remedy="put the servo's horn on some teeth further, nearer to the middle",
        )
    for angle in (setting.lowest_deg, setting.highest_deg):
        pulse = _CENTRE_US + setting.trim_us + angle * setting.scale_us / 90
        if not _SHORTEST_US <= pulse <= _LONGEST_US:
            raise SettingsError(
                expected=f"pulses of {_SHORTEST_US} to {_LONGEST_US} us",
                found=f"{pulse:.0f} us at {angle:g}°",
                remedy="set narrower limits (--lowest-deg, --highest-deg)",
            )
    return setting


def keep(board: Board, settings: BoardSettings) -> BoardSettings:
    """Write settings, save them to EEPROM and read them back; gives what holds.

    Raises:
        SettingsError: the chip does not take them, or holds something else afterwards.
    """
    board.write_settings(settings)
    board.save_settings()
    held = board.read_settings()
    if held.to_messages() != settings.to_messages():
        raise SettingsError(
            expected="the settings to read back as written",
            found=str(held),
            remedy="end other programs that use the board, then try again",
        )
    return held
