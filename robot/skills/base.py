"""What every skill is: an action that is being done, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import BoardState
from reflexarc.perception.observation import Observation
from reflexarc.robot.body import Wheels

Part = Literal["wheels", "head", "gripper", "light"]


class SkillError(ReflexarcError):
    """An action that could not be done."""


@dataclass(frozen=True, slots=True)
class Senses:
    """What a skill knows at a step.

    Attributes:
        now_ns: monotonic time.
        state: the board's newest.
        seen: the newest observation of each task.
        picture: width and height of the newest frame, pixels.
        blocked: what the gate saw in the way of the last movement; empty: nothing.
        home: where each servo was when it was last at rest on purpose, degrees.
    """

    now_ns: int
    state: BoardState
    seen: Mapping[str, Observation] = field(default_factory=dict)
    picture: tuple[int, int] = (640, 480)
    blocked: str = ""
    home: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a skill wants now; the gate decides what comes of it.

    Attributes:
        wheels: speeds; None: this skill does not drive.
        servos: angles by name, degrees; only those that should change now.
        light: a color; None: as it is.
        say: a text to say now.
        progress: how far it has come, in words, if that is news.
    """

    wheels: Wheels | None = None
    servos: Mapping[str, float] = field(default_factory=dict)
    light: str | None = None
    say: str = ""
    progress: str = ""


NOTHING = Wish()


class Skill(Protocol):
    """An action under way. It is stepped at every state of the board, 100 times a second.

    Attributes:
        parts: of the body that it moves: nothing else may move them meanwhile.
        tasks: of perception that it looks with.
    """

    parts: frozenset[Part]
    tasks: frozenset[str]

    def step(self, senses: Senses) -> Wish | None:
        """Say what to do now; None when it is done.

        Raises:
            SkillError: it cannot be done.
        """
        ...

    def result(self) -> dict[str, float]:
        """What came of it so far, by name: "left_m", "sit_ups", ..."""
        ...
