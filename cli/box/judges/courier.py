"""The digit courier: each card is read, in order, and it ends where the cards add up to."""

from __future__ import annotations

import math
from typing import Any

from reflexarc.cli.box.judges.signals import expected_pose, legs
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

_MOVE_M, _TURN_DEG = 0.02, 2.0
_PLACE_M, _HEADING_DEG = 0.06, 6.0
"""At the end of all, where each leg's error has added up: 1.7 m and three turns."""


def is_over(live: Live) -> bool:
    """The card that says stop was obeyed."""
    return live.count("finished", "stop") > 0


def checks(run: Run) -> list[Check]:
    """Cards shown by the scenario against rules that fired, and the body's true way."""
    rules = {rule["value"]: rule["actions"] for rule in run.scenario.robot["reflexes"]}
    actions: list[dict[str, Any]] = [action for digit in cards(run)[0] for action in rules[digit]]
    x, y, yaw = run.flight.pose_at(run.flight.seconds)
    start = run.scenario.start
    wx, wy, wyaw = expected_pose((*start.at, math.radians(start.yaw_deg)), actions)
    away, off = math.dist((x, y), (wx, wy)), math.degrees(yaw - wyaw)
    planned = sum(action["do"] in ("move", "turn") for action in actions)
    return [
        *readings(run),
        *ways(run, planned),
        Check(
            f"it ends within {100 * _PLACE_M:g} cm and {_HEADING_DEG:g}° of where the cards add up",
            f"{100 * away:.1f} cm and {off:+.1f}° off ({x:.3f}, {y:.3f} m)",
            away <= _PLACE_M and abs(off) <= _HEADING_DEG,
        ),
    ]


def cards(run: Run) -> tuple[list[int], list[int]]:
    """The digits that were shown, and those that fired their rules, each in order."""
    shown = [
        digit
        for event in run.flight.events
        if (number := event["do"].get("show", {}).get("picture")) is not None
        and (digit := run.scenario.boards[event["do"]["show"]["board"]].pictures[number].digit)
        is not None
    ]
    titles = {
        rule.get("name") or f"digit_seen {rule['value']}": rule["value"]
        for rule in run.scenario.robot["reflexes"]
        if rule["event"] == "digit_seen"
    }
    fired = [event.value["rule"] for event in run.of("fired")]
    return shown, [titles[rule] for rule in fired if rule in titles]


def readings(run: Run) -> list[Check]:
    """Every card that the scenario has is shown and read, in order."""
    shown, read = cards(run)
    boards = run.scenario.boards
    planned = sum(
        show is not None
        and show.picture is not None
        and boards[show.board].pictures[show.picture].digit is not None
        for show in (event.do.show for event in run.scenario.events)
    )
    return [
        Check("every card is read, in order", f"{read} of {shown}", read == shown),
        Check("every card was shown", f"{len(shown)} of {planned}", len(shown) == planned),
    ]


def ways(run: Run, planned: int) -> list[Check]:
    """Each of so many drives and turns against what the body really did."""
    rolled = legs(run)
    moves = [abs(leg.error) for leg in rolled if leg.action["do"] == "move"]
    turns = [abs(leg.error) for leg in rolled if leg.action["do"] == "turn"]
    return [
        Check(
            f"each drive ends within {100 * _MOVE_M:g} cm of the body's true way",
            f"worst {100 * max(moves, default=math.inf):.1f} cm of {len(moves)}",
            max(moves, default=math.inf) <= _MOVE_M,
        ),
        Check(
            f"each turn ends within {_TURN_DEG:g}° of the body's true heading",
            f"worst {max(turns, default=math.inf):.1f}° of {len(turns)}",
            max(turns, default=math.inf) <= _TURN_DEG and len(rolled) == planned,
        ),
    ]
