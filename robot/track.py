"""One of the lists of actions that a robot does side by side."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from reflexarc.robot.actions import Basic
from reflexarc.robot.reflexes import Firing, Reflex
from reflexarc.robot.skills import Part, Skill
from reflexarc.robot.words import Language


@dataclass
class Track:
    """A list of actions being done: of an order, which has a number, or of a firing."""

    waiting: deque[Basic]
    firing: Firing | None = None
    language: Language = "en"
    parts: frozenset[Part] = frozenset()  # of all its actions, for a reflex
    action: Basic | None = None
    skill: Skill | None = None
    observed_ns: int | None = None
    is_first: bool = True
    order: int | None = None

    @property
    def holds(self) -> frozenset[Part]:
        """What nothing of its own rank or below may move now."""
        now: frozenset[Part] = frozenset() if self.skill is None else self.skill.parts
        return self.parts | now

    @property
    def name(self) -> str:
        """For people."""
        return "the order" if self.firing is None else self.firing.rule.title

    @property
    def drives_by_eye(self) -> bool:
        """Do the wheels go by what a camera has seen, or sees?"""
        by_rule = self.firing is not None and self.firing.observation is not None
        return "wheels" in self.holds and (
            by_rule or (self.skill is not None and bool(self.skill.tasks))
        )

    def yields_to(self, rule: Reflex) -> bool:
        """May a rule that needs the same part of the body end it?"""
        if self.firing is None:
            return rule.interrupts == "everything"
        return rule.interrupts != "nothing" and self.firing.rule.priority <= rule.priority
