"""The plan check: the first of the three layers of safety, before anything is armed.

The models of `reflexarc.robot.actions` already hold the hard limits; here the robot's own,
of robot.yaml, and what needs a person's word first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reflexarc.robot.actions import Action, Basic, Follow, Look, Move, Repeat, Turn, When
from reflexarc.robot.actions import written_out as steps_of
from reflexarc.robot.config import Confirm, Limits
from reflexarc.robot.plan import Plan
from reflexarc.robot.words import Language, phrase

RISKY_DISTANCE_M = 2.0
RISKY_ANGLE_DEG = 360.0
RISKY_CONFIDENCE = 0.8


def checked(plan: Plan, limits: Limits, language: Language) -> Plan:
    """The plan, or its refusal if this robot's limits do not allow it."""
    reason = _too_much(plan, limits, language) if plan.status == "ok" else None
    if reason is None:
        return plan
    return Plan(status="refuse", message=reason, planner=plan.planner, confidence=plan.confidence)


def needs_word(plan: Plan, policy: Confirm) -> bool:
    """Whether a person should confirm the plan first.

    Risky is what drives far, turns much, follows, or lets a reflex drive; and whatever the
    planner is not sure of. An order to stop is never held up; what it wants after that is.
    """
    if policy == "never" or plan.status != "ok" or (plan.stops and len(plan.actions) == 1):
        return False
    if policy == "always":
        return True
    steps = list(_every_step(plan.actions))
    distance = sum(abs(step.distance_m) for step in steps if isinstance(step, Move))
    angle = sum(abs(step.angle_deg) for step in steps if isinstance(step, Turn))
    rules = [action for action in plan.actions if isinstance(action, When)]
    driving = (Move, Turn, Follow)
    return (
        plan.confidence < RISKY_CONFIDENCE
        or distance > RISKY_DISTANCE_M
        or angle > RISKY_ANGLE_DEG
        or any(isinstance(step, Follow) for step in steps)
        or any(isinstance(step, driving) for rule in rules for step in steps_of(rule.actions))
    )


def _too_much(plan: Plan, limits: Limits, language: Language) -> str | None:
    for step in _every_step(plan.actions):
        if isinstance(step, Move) and abs(step.distance_m) > limits.distance_m:
            return phrase("too_far", language, most=f"{limits.distance_m:g}")
        if isinstance(step, Turn) and abs(step.angle_deg) > limits.angle_deg:
            return phrase("too_much_turn", language, most=f"{limits.angle_deg:g}")
        if isinstance(step, Look):
            for name, angle in (("pan", step.pan_deg), ("tilt", step.tilt_deg)):
                low, high = limits.servo_range(name)
                if not low <= angle <= high:
                    return phrase("out_of_reach", language, low=f"{low:g}", high=f"{high:g}")
    return None


def _every_step(actions: Iterable[Action]) -> Iterator[Basic]:
    for action in actions:
        if isinstance(action, (Repeat, When)):
            yield from steps_of(action.actions if isinstance(action, When) else (action,))
        else:
            yield action
