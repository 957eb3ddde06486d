"""Reflex rules: from what is seen to what is done, at frame rate, with no planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.perception.observation import Observation
from reflexarc.robot.actions import When
from reflexarc.robot.config import Reflex


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that has just fired, and the observation that made it."""

    rule: Reflex
    observation: Observation


def digit_seen(rule: When, observation: Observation) -> bool:
    """Is the rule's digit among the detections?"""
    return any(found.label == str(rule.value) for found in observation.detections)


# event -> (the task whose observations it reads, is it true now?)
EVENTS: dict[str, tuple[str, Callable[[When, Observation], bool]]] = {
    "digit_seen": ("digits", digit_seen),
}


class ReflexEngine:
    """Runs the rules. Time is the observations' own, so a recording replays alike.

    A rule fires once per appearance of its event: when the event has been true
    in every observation for ``hold_s``, and the last firing is ``cooldown_s``
    ago. It is ready again after an observation in which the event was false.
    """

    def __init__(self, rules: tuple[Reflex, ...]) -> None:
        """Arm `rules`, in the order of their priority."""
        self._watches = [_Watch(rule) for rule in rules]

    def update(self, observation: Observation) -> list[Firing]:
        """Take one observation; give the rules that fire on it, in their order."""
        return [
            Firing(watch.rule, observation) for watch in self._watches if watch.fires(observation)
        ]


class _Watch:
    """One rule and where it stands."""

    def __init__(self, rule: Reflex) -> None:
        self.rule = rule
        self._task, self._is_true = EVENTS[rule.event]
        self._since_ns: int | None = None  # start of this appearance
        self._spent = False  # fired in this appearance
        self._fired_ns: int | None = None

    def fires(self, observation: Observation) -> bool:
        if observation.task != self._task:
            return False
        if not self._is_true(self.rule, observation):
            self._since_ns, self._spent = None, False
            return False
        now = observation.stamp_ns
        if self._since_ns is None:
            self._since_ns = now
        held = now - self._since_ns >= self.rule.hold_s * 1e9
        rested = self._fired_ns is None or now - self._fired_ns >= self.rule.cooldown_s * 1e9
        if self._spent or not held or not rested:
            return False
        self._spent, self._fired_ns = True, now
        return True
