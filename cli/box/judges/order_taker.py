"""The order-taker: each of ten orders is done as the body, the pins and the light really show."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.cli.box.judges.signals import (
    Leg,
    legs,
    lights,
    nods,
    servo_deg,
    shaken_at,
)
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run
from reflexarc.robot.planners.stop import is_stop

_MOVE_M, _TURN_DEG = 0.02, 2.0
_STOP_MS, _STAND_MS = 400.0, 400.0
"""From the word: to pins that are off, and to wheels below 1 cm/s. They roll out where the motors
are switched off; where the speed loop brakes them first, they stand before the pins are off."""
_BEFORE_S = 0.03
"""Words are on the clock, pins on simulated time; between two lines of the log, 20 ms, it is not
known how the one belongs to the other."""
_GRIPPER_OPEN_DEG = 40.0


def is_over(live: Live) -> bool:
    """The last order of all is done."""
    return (
        len(live.orders) == len(live.scenario.orders)
        and len(live.replies) >= len(live.orders)
        and live.count("finished", "gesture") >= 2
    )


@dataclass(frozen=True)
class _Spoken:
    """An order, and the time until the next one."""

    text: str
    begin: float
    until: float


def checks(run: Run) -> list[Check]:
    """What each sentence must have come to; in the scenario's own words."""
    begins = [order.t for order in run.orders]
    ends = [*begins[1:], run.flight.seconds]
    spoken = [
        _Spoken(order.value, begin, end)
        for order, begin, end in zip(run.orders, begins, ends, strict=True)
    ]
    rolled = legs(run)
    found = [
        Check(
            "all orders are given",
            f"{len(spoken)} of {len(run.scenario.orders)}",
            len(spoken) == len(run.scenario.orders),
        )
    ]
    for number, order in enumerate(spoken):
        if is_stop(order.text):
            found += _stop(run, order)
            continue
        wanted = _WANTED.get(order.text)
        is_stopped = number + 1 < len(spoken) and is_stop(spoken[number + 1].text)
        mine = [leg for leg in rolled if order.begin <= leg.begin < order.until]
        if wanted is not None:
            found.append(wanted(run, order, mine))
        elif is_stopped:
            found.append(_under_way(run, order, mine))
    return found


def _stop(run: Run, order: _Spoken) -> list[Check]:
    off = run.flight.motors_off_at(order.begin) - order.begin
    stand = run.flight.wheels_stopped_at(order.begin) - order.begin
    return [
        Check(
            f"{order.text}: pins off within {_STOP_MS:g} ms of the word",
            f"{1000 * off:.0f} ms",
            1000 * off <= _STOP_MS,
        ),
        Check(
            f"{order.text}: wheels stand within {_STAND_MS:g} ms (below 1 cm/s)",
            f"{1000 * stand:.0f} ms",
            1000 * stand <= _STAND_MS,
        ),
    ]


def _under_way(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
    duty = run.flight.duty_at(order.until - _BEFORE_S)
    return Check(
        f"{order.text}: it drives until it is told to stop",
        f"duty {duty[0]}, {duty[1]}",
        min(abs(value) for value in duty) > 0 and len(mine) == 1,
    )


Wanted = Callable[[Run, _Spoken, list[Leg]], Check]


def _rolls(do: str, amount: float) -> Wanted:
    """One move (metres) or turn (degrees, left is positive)."""
    unit, most = ("m", _MOVE_M) if do == "move" else ("°", _TURN_DEG)

    def check(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
        done = [leg for leg in mine if leg.action["do"] == do and leg.outcome == "finished"]
        if len(done) != 1:
            return Check(f"{order.text}: {amount:+g} {unit}", f"{len(done)} times", False)
        really = done[0].distance_m if do == "move" else done[0].angle_deg
        return Check(
            f"{order.text}: {amount:+g} ± {most:g} {unit}",
            f"{really:+.3f} {unit}",
            abs(really - amount) <= most,
        )

    return check


def _light(colour: str) -> Wanted:
    def check(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
        last = lights(run.flight, order.begin, order.until)[-1][1]
        return Check(f"{order.text}: the light's pins are {colour}", last, last == colour)

    return check


def _nod(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
    times = nods(run.flight, order.begin, order.until)
    return Check(f"{order.text}: one nod (tilt pulses)", f"{len(times)}", len(times) == 1)


def _red_and_shake(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
    shaken = shaken_at(run.flight, order.begin, order.until)
    colour = lights(run.flight, order.begin, order.until)[-1][1]
    return Check(
        f"{order.text}: red, and the head shakes (pan pulses)",
        f"{colour}, {'no shake' if shaken is None else 'shaken'}",
        shaken is not None and colour == "red",
    )


def _grip_and_turn(run: Run, order: _Spoken, mine: list[Leg]) -> Check:
    turned = _rolls("turn", -45.0)(run, order, mine)
    inside = (run.flight.t >= order.begin) & (run.flight.t <= order.until)
    gripper = float(servo_deg(run.flight, 2)[inside][-1])
    is_open = not math.isnan(gripper) and gripper >= _GRIPPER_OPEN_DEG
    return Check(
        f"{turned.name}, gripper at least {_GRIPPER_OPEN_DEG:g}° open",
        f"{turned.found}, {gripper:.0f}°",
        turned.held and is_open,
    )


_WANTED: dict[str, Wanted] = {
    "go forward 50 cm": _rolls("move", 0.5),
    "左转九十度": _rolls("turn", 90.0),
    "turn on the green light": _light("green"),
    "点点头": _nod,
    "turn around": _rolls("turn", 180.0),
    "后退二十厘米": _rolls("move", -0.2),
    "open the gripper and turn right 45 degrees": _grip_and_turn,
    "把灯变成红色，然后摇摇头": _red_and_shake,
}
