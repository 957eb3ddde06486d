"""The demo: five orders are done, every card is read and obeyed, and the mask rule greets."""

from __future__ import annotations

from reflexarc.cli.box.judges.courier import readings, ways
from reflexarc.cli.box.judges.greeter import greetings
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

_ORDERED_LEGS = 2
"""Of the five orders a turn and a drive."""
_CARD_LEGS = 7
"""Of the eight cards all but the one that says stop."""


def is_over(live: Live) -> bool:
    """The last order is done."""
    return len(live.orders) == len(live.scenario.orders) and live.count("finished", "grip") > 0


def checks(run: Run) -> list[Check]:
    """By the flight log; the robot's own words only for what it has understood."""
    # Over ROS a reply is words only.
    understood = [r.value for r in run.replies if r.value.get("kind", "doing") == "doing"]
    given = len(run.scenario.orders)
    lost = [event.value["text"] for event in run.of("failed")]
    return [
        Check(
            f"all {given} orders are understood and done",
            f"{len(understood)} of {len(run.orders)}" + (f"; {lost[0]}" if lost else ""),
            len(understood) == len(run.orders) == given and not lost,
        ),
        *readings(run),
        *ways(run, _ORDERED_LEGS + _CARD_LEGS),
        *greetings(run),
    ]
