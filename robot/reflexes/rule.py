"""A reflex rule: a `when` with its conditions and timing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reflexarc.robot.actions import When

Interrupts = Literal["nothing", "reflexes", "everything"]


class Reflex(When):
    """When an event has lasted, and nothing better is under way, do the actions."""

    name: str = Field("", max_length=80, description="for people; made from the event if empty")
    hold_s: float = Field(0.1, ge=0, le=10, description="the event must last this long")
    cooldown_s: float = Field(1.0, ge=0, le=3600, description="then it rests this long")
    min_score: float = Field(0.0, ge=0, le=1, description="only what is seen at least so surely")
    min_count: int = Field(1, ge=1, le=100, description="only if at least so many are seen")
    zone: str = Field("", description="only what is inside this zone of the task")
    priority: int = Field(0, ge=-100, le=100, description="of two rules the higher one goes first")
    interrupts: Interrupts = Field(
        "nothing", description="what it ends if that moves the same parts of the body"
    )
    expires_s: float | None = Field(
        None, gt=0, description="it is forgotten this long after it was made; never if left out"
    )

    @property
    def title(self) -> str:
        """The name, or one made from event and value."""
        if self.name:
            return self.name
        return self.event if self.value is None else f"{self.event} {self.value}"
