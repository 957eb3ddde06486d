"""What must hold in each scenario, and when it has been played to its end.

Everything is judged by the flight log, what really happened at the pins and to the body, on
simulated time; the robot's own words are held against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.cli.box.judges import (
    cable_pull,
    common,
    courier,
    demo,
    follower,
    greeter,
    obstacle,
    order_taker,
    trainer,
)
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Check, Run

SETTLE_S = 0.5
"""Simulated: a run goes on so long after its goal, so that what comes then is seen too."""


@dataclass(frozen=True)
class Plot:
    """A scenario's own: when its goal is reached, and what must hold."""

    is_over: Callable[[Live], bool]
    checks: Callable[[Run], list[Check]]


PLOTS = {
    "cable_pull": Plot(cable_pull.is_over, cable_pull.checks),
    "courier": Plot(courier.is_over, courier.checks),
    "demo": Plot(demo.is_over, demo.checks),
    "follower": Plot(follower.is_over, follower.checks),
    "greeter": Plot(greeter.is_over, greeter.checks),
    "obstacle": Plot(obstacle.is_over, obstacle.checks),
    "order_taker": Plot(order_taker.is_over, order_taker.checks),
    "trainer": Plot(trainer.is_over, trainer.checks),
}


class Judge:
    """Watches one run and judges it. Scenarios without a plot are only held to what holds in
    all of them, and last as long as they say."""

    def __init__(self) -> None:
        self._over_at: float | None = None

    def is_over(self, live: Live) -> bool:
        """Whether the goal is reached, and a moment has passed since."""
        plot = PLOTS.get(live.scenario.name)
        if plot is None:
            return False
        if self._over_at is None and plot.is_over(live):
            self._over_at = live.now
        return self._over_at is not None and live.now >= self._over_at + SETTLE_S

    def checks(self, run: Run) -> list[Check]:
        """All promises, whether they were kept."""
        plot = PLOTS.get(run.scenario.name)
        return [*(plot.checks(run) if plot is not None else []), *common.checks(run)]
