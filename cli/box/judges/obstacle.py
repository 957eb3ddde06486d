"""The obstacle: it stops before what stands in its way."""

from __future__ import annotations

import math

from reflexarc.cli.box.judges.common import near
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run
from reflexarc.robot.config import Limits

_OFF_M = 0.03
"""As the gate's own test: up to 3 cm early, and half a centimetre late."""


def is_over(live: Live) -> bool:
    """It has given the move up."""
    return live.count("failed", "move") > 0


def checks(run: Run) -> list[Check]:
    """It stood still at the distance that limits say, and told why."""
    limits = Limits.model_validate(run.scenario.robot.get("limits") or {})
    left_m = float(run.flight.range_m[-1])
    driven = float(run.flight.pose[-1, 0] - run.flight.pose[0, 0])
    ended = run.of("failed", "move")
    words = ended[0].value["text"] if ended else ""
    closest = float(min(run.flight.range_m[run.flight.t >= run.begin_s], default=math.nan))
    return [
        near("it stops before the obstacle, true distance", left_m, limits.obstacle_m, _OFF_M, "m"),
        Check(
            "it never comes closer than 1 cm less than that",
            f"{closest:.3f} m",
            closest >= limits.obstacle_m - 0.01,
        ),
        Check("it has driven up to there", f"{driven:.2f} m", driven > 0.5),
        Check("it says what is in the way", words or "nothing", "something ahead" in words),
    ]
