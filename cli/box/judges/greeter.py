"""The greeter: a shake for a bare face, a nod and green light for a masked one; at the pins."""

from __future__ import annotations

import math

from reflexarc.cli.box.judges.common import within
from reflexarc.cli.box.judges.signals import lights, nods, shaken_at
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

_WITHIN_MS = 3000.0
"""Of a picture's appearance: the task wants some frames to be sure, then the head moves."""


def is_over(live: Live) -> bool:
    """It has nodded."""
    return any(
        event["event"] == "finished" and (event["action"] or {}).get("name") == "nod"
        for _, event in live.events
    )


def checks(run: Run) -> list[Check]:
    """What it does at each face, standing."""
    moved = math.dist(run.flight.pose[0, :2], run.flight.pose[-1, :2])
    return [
        *greetings(run),
        Check("the wheels stand", f"{1000 * moved:.1f} mm", moved < 0.005),
    ]


def greetings(run: Run) -> list[Check]:
    """Each face that the scenario shows, and what the head and the light did then."""
    found: list[Check] = []
    shows = [e for e in run.flight.events if "show" in e["do"]]
    bare = masked = 0
    for event, following in zip(shows, [*shows[1:], None], strict=True):
        begin = float(event["t"])
        until = run.flight.seconds if following is None else float(following["t"])
        show = event["do"]["show"]
        if show.get("picture") is None:
            continue
        picture = run.scenario.boards[show["board"]].pictures[show["picture"]]
        colours = [colour for _, colour in lights(run.flight, begin, until)]
        shaken, nodded = shaken_at(run.flight, begin, until), nods(run.flight, begin, until)
        if picture.portrait is not None:
            bare += 1
            found += [
                within(
                    "bare face: the head shakes (pan pulses)", _ms(shaken, begin), _WITHIN_MS, "ms"
                ),
                Check("bare face: no nod", f"{len(nodded)}", not nodded),
                Check("bare face: red light", ", ".join(colours), colours[-1:] == ["red"]),
            ]
        elif picture.masked is not None:
            masked += 1
            found += [
                within(
                    "masked face: the head nods (tilt pulses)",
                    _ms(nodded[0] if nodded else None, begin),
                    _WITHIN_MS,
                    "ms",
                ),
                Check(
                    "masked face: no shake",
                    "none" if shaken is None else f"at {shaken:.2f} s",
                    shaken is None,
                ),
                Check("masked face: green light", ", ".join(colours), colours[-1:] == ["green"]),
            ]
    return [
        Check("faces shown", f"{bare} bare, {masked} masked", bare > 0 and masked > 0),
        *found,
    ]


def _ms(at: float | None, begin: float) -> float | None:
    return None if at is None else 1000 * (at - begin)
