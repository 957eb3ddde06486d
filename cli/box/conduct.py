"""Who leads a run: says the orders when their time has come, arms, and sees its end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from reflexarc.cli.box.live import Live
from reflexarc.core import ReflexarcError
from reflexarc.sim.control import BoxControl

_LOOK_S = 0.03
_STALLED_S = 30.0
"""Wall time: without a simulated moment for so long, the box has failed."""
_RESTED_S = 0.3
"""Simulated: somebody who has put the cable back looks first, then arms."""

_AGAIN_S = 1.0

Step = Callable[[Live], bool]
"""Called again and again during a run; True ends it."""


class StalledError(ReflexarcError):
    """A box in which time does not pass any more."""


def begin(live: Live) -> None:
    """Let the scenario begin: its clock, its movers, its events.

    Raises:
        BoxError: the box does not answer.
    """
    with BoxControl(live.engine.control) as box:
        live.begin_s = float(box.ask(begin=True)["t"])


class Conduct:
    """Leads a run to its end."""

    def __init__(self, live: Live, seconds: float, step: Step) -> None:
        self._live, self._seconds, self._step = live, seconds, step
        self._at = sorted(
            (o for o in live.scenario.orders if o.at is not None), key=lambda o: o.at or 0.0
        )
        self._when = deque(o for o in live.scenario.orders if o.when is not None)
        self._armed_at = 0.0

    def until_end(self) -> str:
        """Lead; give why it has ended: "goal" (`step` said so) or "time".

        Raises:
            ChildError: a program has ended that should not have.
            StalledError: time stands still in the box.
        """
        live = self._live
        moved = time.monotonic()
        while True:
            if live.tail.read():
                moved = time.monotonic()
            elif time.monotonic() - moved > _STALLED_S:
                raise StalledError(
                    expected="simulated time to pass",
                    found=f"{live.tail.now:.2f} s for {_STALLED_S:g} s",
                    remedy="see the log of the sim process in the run's folder",
                )
            live.take()
            self._give_orders()
            self._arm()
            if self._step(live):
                return "goal"
            if live.now >= self._seconds or live.tail.ended is not None:
                return "time"
            time.sleep(_LOOK_S)

    def _give_orders(self) -> None:
        live = self._live
        while self._at and live.now >= (self._at[0].at or 0.0):
            live.say(self._at.pop(0).say)
        # One at a time, in the order in which they are written, to a robot that may move.
        if self._when and live.state.get("gate") == "armed":
            when = self._when[0].when
            assert when is not None
            if live.tail.holds(when, live.begin_s):
                live.say(self._when.popleft().say)

    def _arm(self) -> None:
        """Who has put the cable back arms the robot, once it is connected again."""
        live = self._live
        replugged = live.tail.happened("replug")
        if not replugged or live.tail.now < max(
            replugged[-1] + _RESTED_S, self._armed_at + _AGAIN_S
        ):
            return
        state = live.state
        if state.get("connection") == "connected" and state.get("gate") == "stopped":
            self._armed_at = live.tail.now
            live.engine.tell(arm=True)
