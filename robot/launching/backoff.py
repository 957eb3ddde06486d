"""How long to wait before trying again."""

from __future__ import annotations

from reflexarc.robot.launching.model import Respawn

LONGEST_S = 30.0
WELL_S = 30.0
"""A program that ran this long ran well: the waiting begins again with its first step."""


class Backoff:
    """Twice as long after every failure, up to a limit."""

    def __init__(self, first_s: float, longest_s: float = LONGEST_S) -> None:
        """Begin with `first_s` seconds."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next(self) -> float:
        """Seconds to wait now."""
        now = min(self._next_s, self._longest_s)
        self._next_s = 2 * now
        return now

    def reset(self) -> None:
        """Something went well."""
        self._next_s = self._first_s


class Respawns:
    """When, and whether, a program starts again."""

    def __init__(self, respawn: Respawn | None) -> None:
        """As the launch file says."""
        self._left = respawn.most if respawn is not None else 0
        self._backoff = Backoff(respawn.delay_s if respawn is not None else 0.0)

    def after(self, ran_s: float) -> float | None:
        """Seconds to wait after it ran for `ran_s`; None: it stays dead."""
        if self._left == 0:
            return None
        if self._left is not None:
            self._left -= 1
        if ran_s >= WELL_S:
            self._backoff.reset()
        return self._backoff.next()
