"""What a robot can be asked to do: one pydantic model an action, told apart by `do`.

Units are SI with degrees at the user's surface; forward, left and up are positive
(REP-103). The JSON Schema made from these models serves documentation, validation,
language models and tests.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from typing_extensions import Self

MAX_DISTANCE_M = 5.0
MAX_ANGLE_DEG = 720.0
PAN_DEG = (-90.0, 90.0)
TILT_DEG = (-45.0, 60.0)
MAX_WAIT_S = 600.0
MAX_TIMES = 20
MAX_SIT_UPS = 1000
MAX_TEXT = 200
MAX_STEPS = 100
"""Steps of a list of actions with its repetitions written out."""


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Move(_Action):
    """Drive straight: forward is positive."""

    do: Literal["move"] = "move"
    distance_m: Annotated[
        float, Field(ge=-MAX_DISTANCE_M, le=MAX_DISTANCE_M, allow_inf_nan=False)
    ] = 0.5

    def __str__(self) -> str:
        """As a log says it."""
        return f"move {self.distance_m:+g} m"


class Turn(_Action):
    """Turn on the spot: left is positive."""

    do: Literal["turn"] = "turn"
    angle_deg: Annotated[float, Field(ge=-MAX_ANGLE_DEG, le=MAX_ANGLE_DEG, allow_inf_nan=False)] = (
        90.0
    )

    def __str__(self) -> str:
        """As a log says it."""
        return f"turn {self.angle_deg:+g}°"


class Look(_Action):
    """Point the head: left and up are positive, (0, 0) is straight ahead."""

    do: Literal["look"] = "look"
    pan_deg: Annotated[float, Field(ge=PAN_DEG[0], le=PAN_DEG[1], allow_inf_nan=False)] = 0.0
    tilt_deg: Annotated[float, Field(ge=TILT_DEG[0], le=TILT_DEG[1], allow_inf_nan=False)] = 0.0

    def __str__(self) -> str:
        """As a log says it."""
        return f"look {self.pan_deg:+g}°, {self.tilt_deg:+g}°"


class Grip(_Action):
    """Open or close the gripper."""

    do: Literal["grip"] = "grip"
    state: Literal["open", "close"]

    def __str__(self) -> str:
        """As a log says it."""
        return f"{self.state} the gripper"


class Follow(_Action):
    """Keep a person or a face in front, at a distance, until stopped or lost."""

    do: Literal["follow"] = "follow"
    target: Literal["person", "face"] = "person"

    def __str__(self) -> str:
        """As a log says it."""
        return f"follow the {self.target}"


class Gesture(_Action):
    """A movement of the head that says something."""

    do: Literal["gesture"] = "gesture"
    name: Literal["nod", "shake", "wave"]

    def __str__(self) -> str:
        """As a log says it."""
        return self.name


class Light(_Action):
    """The RGB light."""

    do: Literal["light"] = "light"
    color: Literal["red", "green", "blue", "white", "off"]

    def __str__(self) -> str:
        """As a log says it."""
        return f"light {self.color}"


def _speakable(text: str) -> str:
    if not text.strip() or any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("text without control characters")
    return text


class Say(_Action):
    """Say a text."""

    do: Literal["say"] = "say"
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_speakable)]

    def __str__(self) -> str:
        """As a log says it."""
        return f"say {self.text!r}"


class Wait(_Action):
    """Do nothing for a time."""

    do: Literal["wait"] = "wait"
    seconds: Annotated[float, Field(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)]

    def __str__(self) -> str:
        """As a log says it."""
        return f"wait {self.seconds:g} s"


class Count(_Action):
    """Count somebody's repetitions, up to a target or until stopped."""

    do: Literal["count"] = "count"
    what: Literal["sit_ups"] = "sit_ups"
    target: Annotated[int, Field(ge=1, le=MAX_SIT_UPS)] | None = None

    def __str__(self) -> str:
        """As a log says it."""
        return f"count {self.what}" + (f" up to {self.target}" if self.target else "")


class Report(_Action):
    """Say what is seen or measured."""

    do: Literal["report"] = "report"
    topic: Literal["mask", "people", "digit", "battery", "pose"]

    def __str__(self) -> str:
        """As a log says it."""
        return f"report {self.topic}"


class Stop(_Action):
    """Stop the motors now and forget what was under way."""

    do: Literal["stop"] = "stop"

    def __str__(self) -> str:
        """As a log says it."""
        return "stop"


_Plain = Move | Turn | Look | Grip | Follow | Gesture | Light | Say | Wait | Count | Report | Stop
Basic = Annotated[_Plain, Field(discriminator="do")]


class Repeat(_Action):
    """Do actions several times. Repetitions do not nest."""

    do: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(ge=1, le=MAX_TIMES)]
    actions: Annotated[tuple[Basic, ...], Field(min_length=1)]

    def __str__(self) -> str:
        """As a log says it."""
        return f"{self.times} times: {', '.join(map(str, self.actions))}"


Step = Annotated[_Plain | Repeat, Field(discriminator="do")]
EventName = Literal[
    "mask_missing",
    "mask_present",
    "person_seen",
    "person_gone",
    "digit_seen",
    "sit_up",
    "obstacle",
    "battery_low",
]
EVENTS: tuple[str, ...] = get_args(EventName)


class When(_Action):
    """A reflex: whenever `event` begins, do `actions`. `value` is the digit of "digit_seen"."""

    do: Literal["when"] = "when"
    event: EventName
    value: Annotated[int, Field(ge=0, le=9)] | None = None
    actions: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _a_digit_has_a_value(self) -> Self:
        if (self.value is None) == (self.event == "digit_seen"):
            raise ValueError(
                "a value from 0 to 9 with digit_seen"
                if self.value is None
                else f"no value with {self.event}"
            )
        return self

    def __str__(self) -> str:
        """As a log says it."""
        event = self.event if self.value is None else f"{self.event} {self.value}"
        return f"when {event}: {', '.join(map(str, self.actions))}"


Action = Annotated[_Plain | Repeat | When, Field(discriminator="do")]
ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def written_out(actions: Iterable[Action]) -> Iterator[Basic]:
    """The steps in their order, repetitions as often as they are done; no reflexes."""
    for action in actions:
        if isinstance(action, Repeat):
            for _ in range(action.times):
                yield from action.actions
        elif not isinstance(action, When):
            yield action


def count_steps(actions: Iterable[Action]) -> int:
    """How many steps the actions are, repetitions and reflexes written out."""
    return sum(
        action.times * len(action.actions)
        if isinstance(action, Repeat)
        else count_steps(action.actions)
        if isinstance(action, When)
        else 1
        for action in actions
    )
