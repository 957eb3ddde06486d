"""What a robot can be asked to do: one pydantic model an action, told apart by `do`.

Units are SI with degrees at the user's surface; forward, left and up are
positive (REP-103). The JSON Schema of `ACTION` serves documentation,
validation and tests.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MAX_DISTANCE_M = 5.0
MAX_ANGLE_DEG = 720.0


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Move(_Action):
    """Drive straight: forward is positive."""

    do: Literal["move"] = "move"
    distance_m: Annotated[
        float, Field(ge=-MAX_DISTANCE_M, le=MAX_DISTANCE_M, allow_inf_nan=False)
    ] = 0.5

    def __str__(self) -> str:
        """As a person would say it."""
        return f"move {self.distance_m:+g} m"


class Turn(_Action):
    """Turn on the spot: left is positive."""

    do: Literal["turn"] = "turn"
    angle_deg: Annotated[float, Field(ge=-MAX_ANGLE_DEG, le=MAX_ANGLE_DEG, allow_inf_nan=False)] = (
        90.0
    )

    def __str__(self) -> str:
        """As a person would say it."""
        return f"turn {self.angle_deg:+g}°"


class Stop(_Action):
    """Stop the motors now and forget what was under way."""

    do: Literal["stop"] = "stop"

    def __str__(self) -> str:
        """As a person would say it."""
        return "stop"


class When(_Action):
    """A reflex: whenever `event` begins, do `actions`."""

    do: Literal["when"] = "when"
    event: Literal["digit_seen"]
    value: Annotated[int, Field(ge=0, le=9)]
    actions: Annotated[tuple[Motion, ...], Field(min_length=1)]


Motion = Annotated[Move | Turn | Stop, Field(discriminator="do")]
Action = Annotated[Move | Turn | Stop | When, Field(discriminator="do")]
When.model_rebuild()
ACTION: TypeAdapter[Move | Turn | Stop | When] = TypeAdapter(Action)
