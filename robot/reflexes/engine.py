"""Runs reflex rules: from what is seen to what is done, at frame rate, with no planner.

Time is the observations' own, so a recording replays alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reflexarc.perception.observation import Observation
from reflexarc.robot.reflexes.events import EVENTS, Feeling, Seen
from reflexarc.robot.reflexes.rule import Reflex

_MOST_AT_ONCE = 10
_BODY = ""  # where rules wait that no task tells of


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that has just fired, and the observation that made it; None: the body did."""

    rule: Reflex
    observation: Observation | None


class ReflexEngine:
    """A set of rules, looked up by the task that can fire them.

    A rule fires once per appearance of its event: when the event has been true in every
    observation for ``hold_s``, and the last firing is ``cooldown_s`` ago. It is ready
    again after an observation in which the event was false. A pulse fires each time; those
    that come between two observations fire one by one.
    """

    def __init__(self, rules: Iterable[Reflex] = ()) -> None:
        self._watches: dict[str, list[_Watch]] = defaultdict(list)
        self.set_rules(rules)

    def set_rules(self, rules: Iterable[Reflex]) -> None:
        """Run these from now on; rules that were there already go on where they stand."""
        standing = {watch.rule: watch for each in self._watches.values() for watch in each}
        self._watches = defaultdict(list)
        # Of the same priority, the order stays.
        for rule in sorted(rules, key=lambda rule: -rule.priority):
            source = EVENTS[rule.event]
            where = source.task if isinstance(source, Seen) else _BODY
            self._watches[where].append(standing.get(rule) or _Watch(rule))

    def update(self, observation: Observation) -> list[Firing]:
        """Take one observation; give the rules that fire on it, the most important first."""
        return [
            Firing(watch.rule, observation)
            for watch in self._watches.get(observation.task, ())
            for _ in range(watch.sees(observation))
        ]

    def feel(self, feeling: Feeling) -> list[Firing]:
        """Take what the body tells."""
        return [
            Firing(watch.rule, None)
            for watch in self._watches.get(_BODY, ())
            if watch.feels(feeling)
        ]


class _Watch:
    """One rule and where it stands."""

    def __init__(self, rule: Reflex) -> None:
        self.rule = rule
        self._source = EVENTS[rule.event]
        self._since_ns: int | None = None  # start of this appearance
        # What is to be absent has to be there first.
        self._spent = isinstance(self._source, Seen) and self._source.absent
        self._fired_ns: int | None = None
        self._count: int | None = None

    def sees(self, observation: Observation) -> int:
        """How often it fires."""
        source = self._source
        assert isinstance(source, Seen)
        if source.counter:
            return self._counts(observation.counts.get(source.counter, 0))
        return self._level(source.is_true(self.rule, observation), observation.stamp_ns)

    def feels(self, feeling: Feeling) -> bool:
        source = self._source
        assert not isinstance(source, Seen)
        return self._level(source.is_true(feeling), feeling.stamp_ns)

    def _counts(self, count: int) -> int:
        before, self._count = self._count, count
        return 0 if before is None else min(max(0, count - before), _MOST_AT_ONCE)

    def _level(self, is_true: bool, now_ns: int) -> bool:
        if not is_true:
            self._since_ns, self._spent = None, False
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        held = now_ns - self._since_ns >= self.rule.hold_s * 1e9
        rested = self._fired_ns is None or now_ns - self._fired_ns >= self.rule.cooldown_s * 1e9
        if self._spent or not held or not rested:
            return False
        self._spent, self._fired_ns = True, now_ns
        return True
