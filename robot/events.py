"""What the robot tells of itself while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reflexarc.robot.actions import Action
from reflexarc.robot.reflexes import Firing
from reflexarc.robot.skills import Travel

Kind = Literal[
    "fired", "ignored", "started", "progress", "finished", "failed", "said", "rule", "stopped"
]


@dataclass(frozen=True, slots=True)
class Stations:
    """When a firing passed each station, monotonic nanoseconds."""

    frame: int
    observed: int
    decided: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person or a log may want to know.

    Attributes:
        kind: a rule fired; it was ignored because something was under way; an action
            started, came further, finished, or ended early; something was said; a rule
            was kept; everything was stopped.
        text: in words.
        firing: the rule and observation behind it; None for orders.
        action: that it is about.
        result: what came of the action so far, by name.
        stations: for a start that made the first command.
        order: number of the order of a person that it belongs to, see `Controller.order`.
    """

    kind: Kind
    text: str
    firing: Firing | None = None
    action: Action | None = None
    result: Mapping[str, float] = field(default_factory=dict)
    stations: Stations | None = None
    order: int | None = None

    @property
    def travel(self) -> Travel | None:
        """What the wheels rolled, where the action rolls them."""
        if "left_m" not in self.result:
            return None
        return Travel(self.result["left_m"], self.result["right_m"])

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rolled = self.travel
        return {
            "event": self.kind,
            "text": self.text,
            "rule": None if self.firing is None else self.firing.rule.title,
            "action": None if self.action is None else self.action.model_dump(mode="json"),
            "left_m": rolled and rolled.left,
            "right_m": rolled and rolled.right,
            "result": dict(self.result),
        }
