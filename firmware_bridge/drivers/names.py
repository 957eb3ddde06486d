"""Servo names and angles as users write them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

from reflexarc.firmware_bridge.drivers.errors import ServoError


def known_servos(wanted: Iterable[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """`wanted`, if all of them are there.

    Raises:
        ServoError: one is not, with the nearest name.
    """
    chosen = tuple(wanted)
    for name in chosen:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            raise ServoError(
                expected=f"one of the servos {', '.join(names)}",
                found=repr(name),
                remedy=f"did you mean {near[0]}?" if near else "add it to the settings",
            )
    return chosen


def check_angles(angles: Mapping[str, float], names: tuple[str, ...]) -> None:
    """Refuse a command that cannot be meant, before any of it is sent.

    Raises:
        ServoError: a servo that is not there (with the nearest name), or an angle
            that is no finite number.
    """
    for name in known_servos(angles, names):
        if not math.isfinite(angles[name]):
            raise ServoError(
                expected=f"an angle for {name}", found=f"{angles[name]}", remedy="send a finite one"
            )
