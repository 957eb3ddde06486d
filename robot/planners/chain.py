"""Ask planners one after the other, until one is sure enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reflexarc.robot.plan import MAX_MESSAGE, Plan
from reflexarc.robot.planners.base import Planner, PlannerError
from reflexarc.robot.planners.stop import is_stop, stop_plan
from reflexarc.robot.words import language_of, phrase

MAX_CHARACTERS = 500


@dataclass(frozen=True)
class Link:
    """A planner of a chain, and how sure it must be for the next not to be asked."""

    planner: Planner
    min_confidence: float = 0.0


class Chain:
    """A planner made of planners. "stop" in any language is answered before all of them."""

    name = "chain"

    def __init__(self, links: Sequence[Link]) -> None:
        """Ask these, in this order."""
        self._links = tuple(links)

    def plan(self, text: str) -> Plan:
        """The first sure plan; if none is sure, the surest; if none answers, a refusal."""
        language = language_of(text[: MAX_CHARACTERS * 2])
        if is_stop(text):
            return stop_plan()
        if len(text) > MAX_CHARACTERS:
            return _no("refuse", phrase("too_long", language, most=MAX_CHARACTERS))
        if not text.strip():
            return _no("clarify", phrase("heard_nothing", language))
        unsure: list[Plan] = []
        failures: list[PlannerError] = []
        for link in self._links:
            try:
                plan = link.planner.plan(text)
            except PlannerError as error:
                failures.append(error)
                continue
            if plan.confidence >= link.min_confidence:
                return plan
            unsure.append(plan)
        if unsure:
            return max(unsure, key=lambda plan: plan.confidence)
        why = "; ".join(map(str, failures)) or "no planner"
        return _no("refuse", phrase("planner_failed", language, why=why)[:MAX_MESSAGE])


def _no(status: str, message: str) -> Plan:
    return Plan.model_validate({"status": status, "message": message, "planner": Chain.name})
