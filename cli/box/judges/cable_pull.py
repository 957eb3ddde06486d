"""The cable pull: the wheels stop, the link comes back, somebody arms, it drives again."""

from __future__ import annotations

from reflexarc.cli.box.judges.common import near, within
from reflexarc.cli.box.judges.signals import legs
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

PINS_S = STAND_S = 0.4
"""From the pull. The firmware's host timeout is 0.3 s; then the wheels roll out: their speed
falls by 1/e in 60 ms, from 40 cm/s to 1 cm/s in 0.22 s."""
_BACK_S = 3.0
_OFF_M = 0.02


def is_over(live: Live) -> bool:
    """The drive after the cable was put back is done."""
    return live.count("finished", "move") > 0


def checks(run: Run) -> list[Check]:
    """By the pins and the true speed of the wheels."""
    flight = run.flight
    pulled, back = flight.event_at("unplug"), flight.event_at("replug")
    driven = [abs(duty) for duty in flight.duty_at(pulled)]
    connected = [s.t for s in run.states if s.t > back and s.value["connection"] == "connected"]
    armed = [s.t for s in run.states if s.t > back and s.value["gate"] == "armed"]
    quiet = flight.duty_after(flight.motors_off_at(pulled))
    until = armed[0] if armed else flight.seconds
    moved_alone = quiet[(quiet[:, 0] < until) & (quiet[:, 3] != 0)]
    rolled = legs(run)
    last = rolled[-1] if rolled else None
    return [
        Check("the cable is pulled in mid-drive", f"duty {min(driven)}", min(driven) > 0),
        within(
            "pins off after the pull",
            1000 * (flight.motors_off_at(pulled) - pulled),
            1000 * PINS_S,
            "ms",
        ),
        within(
            "wheels stand (true speed below 1 cm/s) after the pull",
            1000 * (flight.wheels_stopped_at(pulled) - pulled),
            1000 * STAND_S,
            "ms",
        ),
        within(
            "connected again after it was put back",
            1000 * (connected[0] - back) if connected else None,
            1000 * _BACK_S,
            "ms",
        ),
        Check(
            "nothing moves until somebody arms",
            f"driven at {moved_alone[0, 0]:.2f} s" if len(moved_alone) else "pins quiet",
            not len(moved_alone) and bool(armed),
        ),
        near("then it drives as ordered", last.distance_m, last.action["distance_m"], _OFF_M, "m")
        if last is not None and last.outcome == "finished"
        else Check("then it drives as ordered", last.words if last else "no drive", False),
    ]
