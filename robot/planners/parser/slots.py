"""From a clause whose intent is known to its actions, within the limits of the actions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from reflexarc.robot.actions import (
    MAX_ANGLE_DEG,
    MAX_DISTANCE_M,
    MAX_SIT_UPS,
    MAX_TEXT,
    MAX_TIMES,
    MAX_WAIT_S,
    PAN_DEG,
    TILT_DEG,
    Basic,
    Count,
    Follow,
    Gesture,
    Grip,
    Light,
    Look,
    Move,
    Repeat,
    Report,
    Say,
    Stop,
    Turn,
    Wait,
)
from reflexarc.robot.planners.parser.clauses import Clause
from reflexarc.robot.planners.parser.problems import problem
from reflexarc.robot.planners.parser.text import Text
from reflexarc.robot.planners.parser.tokens import Token

# The defaults of speech (docs/language.md): metres and degrees.
MOVE_M, MOVE_LITTLE_M = 0.5, 0.2
TURN_DEG, TURN_LITTLE_DEG, AROUND_DEG, CIRCLE_DEG = 90.0, 15.0, 180.0, 360.0
PAN_DEFAULT_DEG, TILT_DEFAULT_DEG, LOOK_LITTLE_DEG = 45.0, 30.0, 15.0
_SIGNS = {"left": 1.0, "right": -1.0, "up": 1.0, "down": -1.0, "forward": 1.0, "back": -1.0}
Fill = Callable[[Clause, Text], tuple[Basic, ...]]
Color = Literal["red", "green", "blue", "white", "off"]


def amounts(clause: Clause, dimension: str) -> list[float]:
    """The amounts of a dimension ("" for bare numbers) in a clause."""
    return [
        token.value
        for token in clause.tokens
        if token.value is not None and token.dimension == dimension
    ]


def fill(intent: str, clause: Clause, text: Text) -> tuple[Basic, ...]:
    """The actions of a clause.

    Raises:
        Problem: out of the limits, or something is missing.
    """
    kind, _, detail = intent.partition(".")
    if kind in ("refuse", "clarify"):
        part = text.verbatim(clause.start, clause.end)[:80] or "?"
        raise problem(detail, part=part, limit=PAN_DEG[1])
    if kind == "turn":
        return _turn(clause, detail)
    if kind == "report":
        return (Report.model_validate({"topic": detail}),)
    if kind == "gesture":
        return (Gesture.model_validate({"name": detail}),)
    if kind == "grip":
        return (Grip.model_validate({"state": detail}),)
    if kind == "follow":
        return (Follow(target="face" if detail == "face" else "person"),)
    if kind == "light":
        return _light(clause, detail)
    if intent == "look.straight":
        return (Look(),)
    return _FILLS[kind](clause, text)


def times_of(clause: Clause) -> int | None:
    """How often a clause is to be done, None if it does not say.

    Raises:
        Problem: not a whole number from 1 to the limit.
    """
    found = amounts(clause, "times")
    if not found:
        return None
    if len(found) > 1:
        raise problem("many", 0.6)
    times = found[0]
    if not 1 <= times <= MAX_TIMES:
        raise problem("too_often", limit=MAX_TIMES)
    if times != int(times):
        raise problem("many", 0.6)
    return int(times)


def repeated(actions: tuple[Basic, ...], times: int | None) -> tuple[Basic | Repeat, ...]:
    """Actions done `times` times; once is no repetition."""
    if times is None or times == 1:
        return actions
    return (Repeat(times=times, actions=actions),)


def _one(values: list[float], key: str) -> float | None:
    if len(values) > 1:
        raise problem(key, 0.6)
    return values[0] if values else None


def _side(clause: Clause, one: str, other: str, key: str) -> float | None:
    tags = clause.tags
    if one in tags and other in tags:
        raise problem(key, 0.7)
    return _SIGNS[one] if one in tags else _SIGNS[other] if other in tags else None


def _move(clause: Clause, text: Text) -> tuple[Basic, ...]:
    tags = clause.tags
    if {"forward", "back"} <= tags:
        raise problem("contradiction", 0.7)
    side = _side(clause, "forward", "back", "which_way_move")
    length = _one(amounts(clause, "length"), "how_far")
    if length is None:
        if tags & {"vague", "unit"} or any(amounts(clause, d) for d in ("", "time", "angle")):
            raise problem("how_far", 0.8)
        length = MOVE_LITTLE_M if "little" in tags else MOVE_M
        if side is None:
            raise problem("which_way_move")
    if length < 0:  # "forward minus two meters": which is meant?
        raise problem("which_way_move", 0.7)
    _within(length, MAX_DISTANCE_M, "too_far")
    if length == 0:
        raise problem("how_far", 0.7)
    return (Move(distance_m=_rounded((side or 1.0) * length)),)


def _turn(clause: Clause, detail: str) -> tuple[Basic, ...]:
    tags = clause.tags
    side = _side(clause, "left", "right", "which_way")
    angle = _one(amounts(clause, "angle"), "how_round")
    if angle is None:
        bare = _one(amounts(clause, ""), "how_round")
        if amounts(clause, "length") or amounts(clause, "time") or tags & {"vague", "unit"}:
            raise problem("how_round", 0.8)
        if bare is not None:
            angle = bare
        elif detail:
            angle = {"around": AROUND_DEG, "back": AROUND_DEG, "circle": CIRCLE_DEG}[detail]
        else:
            angle = TURN_LITTLE_DEG if "little" in tags else TURN_DEG
            if side is None:
                raise problem("which_way")
    _within(angle, MAX_ANGLE_DEG, "too_round")
    if side is None and not detail and angle > 0 and angle % AROUND_DEG:
        raise problem("which_way", 0.8)
    if angle < 0:
        raise problem("which_way", 0.7)
    if angle == 0:
        raise problem("how_round", 0.7)
    return (Turn(angle_deg=_rounded((side or 1.0) * angle)),)


def _look(clause: Clause, text: Text) -> tuple[Basic, ...]:
    tags = clause.tags
    if "vague" in tags:
        raise problem("how_round", 0.8)
    axes = [
        (index, name)
        for index, token in enumerate(clause.tokens)
        for name in ("left", "right", "up", "down")
        if name in token.tags
    ]
    names = {name for _, name in axes}
    values = [
        (index, token.value)
        for index, token in enumerate(clause.tokens)
        if token.value is not None and token.dimension in ("angle", "")
    ]
    if {"left", "right"} <= names or {"up", "down"} <= names:
        if values or len(names) != 2:
            raise problem("which_way_look", 0.6)
        return tuple(_pointed({name: _look_default(name, tags)}) for _, name in axes)
    if len(values) > len(names) or not names:
        raise problem("which_way_look", 0.7)
    angles: dict[str, float] = {name: _look_default(name, tags) for name in names}
    free = dict.fromkeys(names)
    for index, value in values:
        # An amount belongs to the nearest direction that has none yet.
        nearest = min((abs(index - at), name) for at, name in axes if name in free)[1]
        del free[nearest]
        angles[nearest] = value
    return (_pointed(angles),)


def _look_default(name: str, tags: frozenset[str]) -> float:
    if "little" in tags:
        return LOOK_LITTLE_DEG
    if "all_way" in tags:
        return {"left": PAN_DEG[1], "right": -PAN_DEG[0], "up": TILT_DEG[1], "down": -TILT_DEG[0]}[
            name
        ]
    return PAN_DEFAULT_DEG if name in ("left", "right") else TILT_DEFAULT_DEG


def _pointed(angles: dict[str, float]) -> Look:
    pan = sum(_SIGNS[name] * value for name, value in angles.items() if name in ("left", "right"))
    tilt = sum(_SIGNS[name] * value for name, value in angles.items() if name in ("up", "down"))
    if not PAN_DEG[0] <= pan <= PAN_DEG[1]:
        raise problem("pan", limit=PAN_DEG[1])
    if not TILT_DEG[0] <= tilt <= TILT_DEG[1]:
        raise problem("tilt", up=TILT_DEG[1], down=-TILT_DEG[0])
    return Look(pan_deg=_rounded(pan), tilt_deg=_rounded(tilt))


def _light(clause: Clause, detail: str) -> tuple[Basic, ...]:
    if detail == "on":
        return (Light(color="white"),)
    if detail == "off":
        return (Light(color="off"),)
    colors = {tag.removeprefix("color:") for tag in clause.tags if tag.startswith("color:")}
    if len(colors) > 1:
        raise problem("what_color", 0.7)
    return (Light.model_validate({"color": colors.pop()}),)


def _wait(clause: Clause, text: Text) -> tuple[Basic, ...]:
    seconds = _one(amounts(clause, "time") or amounts(clause, ""), "how_long")
    if seconds is None:
        raise problem("how_long")
    if not 0 <= seconds <= MAX_WAIT_S:
        raise problem("too_long", limit=MAX_WAIT_S)
    return (Wait(seconds=_rounded(seconds)),)


def _count(clause: Clause, text: Text) -> tuple[Basic, ...]:
    if "vague" in clause.tags and not clause.tags & {"how_many", "question"}:
        raise problem("many", 0.7)
    target = _one(amounts(clause, "") or amounts(clause, "times"), "many")
    if target is None:
        return (Count(),)
    if not 1 <= target <= MAX_SIT_UPS:
        raise problem("too_many", limit=MAX_SIT_UPS)
    if target != int(target):
        raise problem("many", 0.6)
    return (Count(target=int(target)),)


def _say(clause: Clause, text: Text) -> tuple[Basic, ...]:
    said = next((token for token in clause.tokens if token.quoted), None)
    words = _spoken(said, text) if said else ""
    if not words:
        raise problem("what_say")
    if len(words) > MAX_TEXT:
        raise problem("text_too_long", limit=MAX_TEXT)
    return (Say(text=words),)


def _spoken(token: Token, text: Text) -> str:
    words = text.verbatim(token.start, token.end)
    marked = (token.start, token.end) in text.quotes
    return words if marked else words.strip(" .。，,、;；:：!！")


def _square(clause: Clause, text: Text) -> tuple[Basic, ...]:
    side = _one(amounts(clause, "length"), "how_far")
    if side is None:
        raise problem("how_far")
    _within(side, MAX_DISTANCE_M, "too_far")
    angle = -TURN_DEG if "right" in clause.tags else TURN_DEG
    return (Move(distance_m=_rounded(side)), Turn(angle_deg=angle)) * 4


def _stop(clause: Clause, text: Text) -> tuple[Basic, ...]:
    return (Stop(),)


def _within(value: float, limit: float, key: str) -> None:
    if not math.isfinite(value) or abs(value) > limit * (1 + 1e-9):
        raise problem(key, limit=limit)


def _rounded(value: float) -> float:
    return round(value, 4) + 0.0


_FILLS: dict[str, Fill] = {
    "move": _move,
    "look": _look,
    "wait": _wait,
    "count": _count,
    "say": _say,
    "square": _square,
    "stop": _stop,
}
