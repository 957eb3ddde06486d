"""Light, say and wait: done by a word or by the clock."""

from __future__ import annotations

from reflexarc.robot.actions import Light, Say, Wait
from reflexarc.robot.skills.base import NOTHING, Part, Senses, Wish


class Once:
    """One wish, then done."""

    tasks: frozenset[str] = frozenset()

    def __init__(self, wish: Wish, parts: frozenset[Part] = frozenset()) -> None:
        self.parts = parts
        self._wish: Wish | None = wish

    def step(self, senses: Senses) -> Wish | None:
        """The wish at the first step."""
        wish, self._wish = self._wish, None
        return wish

    def result(self) -> dict[str, float]:
        """Nothing to measure."""
        return {}


class Pause:
    """Nothing for a time."""

    parts: frozenset[Part] = frozenset()
    tasks: frozenset[str] = frozenset()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since_ns: int | None = None
        self._waited_s = 0.0

    def step(self, senses: Senses) -> Wish | None:
        """None once the time is over."""
        if self._since_ns is None:
            self._since_ns = senses.now_ns
        self._waited_s = (senses.now_ns - self._since_ns) * 1e-9
        return NOTHING if self._waited_s < self._seconds else None

    def result(self) -> dict[str, float]:
        """The time waited."""
        return {"seconds": self._waited_s}


def light(action: Light) -> Once:
    """Set the light."""
    return Once(Wish(light=action.color), frozenset({"light"}))


def say(action: Say) -> Once:
    """Say a text."""
    return Once(Wish(say=action.text))


def wait(action: Wait) -> Pause:
    """Wait."""
    return Pause(action.seconds)
