"""A plan: what a planner makes of a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from reflexarc.robot.actions import MAX_STEPS, Action, Stop, count_steps

Status = Literal["ok", "clarify", "refuse"]
MAX_MESSAGE = 1000


class Plan(BaseModel):
    """What is to be done, or why not.

    ok: `actions` are to be done in their order; reflexes among them are armed.
    clarify: `message` asks the user back. refuse: `message` says why it is not done.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status
    actions: tuple[Action, ...] = ()
    message: Annotated[str, Field(max_length=MAX_MESSAGE)] = ""
    planner: str = ""
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0

    @model_validator(mode="after")
    def _actions_only_where_it_is_ok(self) -> Self:
        if (self.status == "ok") != bool(self.actions):
            raise ValueError("actions with status ok, and with no other")
        if self.status != "ok" and not self.message:
            raise ValueError(f"a message with status {self.status}")
        steps = count_steps(self.actions)
        if steps > MAX_STEPS:
            raise ValueError(f"at most {MAX_STEPS} steps, repetitions written out, not {steps}")
        return self

    @property
    def stops(self) -> bool:
        """Is it an order to stop, to be carried out before everything else?"""
        return any(isinstance(action, Stop) for action in self.actions[:1])


def same_actions(ours: Plan, status: str, actions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a plan is exactly what is wanted: its status, and for "ok" each action.

    Numbers may differ by a rounding of units (1e-3); defaults may be left out.
    """
    if ours.status != status:
        return False
    if status != "ok":
        return True
    wanted = Plan.model_validate({"status": "ok", "actions": actions})
    return _close(
        [action.model_dump() for action in ours.actions],
        [action.model_dump() for action in wanted.actions],
    )


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_close(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-3
    return bool(one == other)
