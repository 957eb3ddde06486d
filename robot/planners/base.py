"""What every planner is."""

from __future__ import annotations

from typing import Protocol

from reflexarc.core import ReflexarcError
from reflexarc.robot.plan import Plan


class PlannerError(ReflexarcError):
    """A planner that cannot be used, or that gave no valid plan in its time."""


class Planner(Protocol):
    """Makes a plan of a sentence. Safe to share between threads."""

    @property
    def name(self) -> str:
        """What its plans carry in `Plan.planner`."""
        ...

    def plan(self, text: str) -> Plan:
        """Understand one order of a user.

        Args:
            text: as typed or heard, any language, any length.

        Raises:
            PlannerError: it could not answer. Not for orders that it does not
                understand: those are plans with status "clarify" or "refuse".
        """
        ...
