"""What the robot says to people, in their language: English or Chinese.

`describe_plan` is the preview of a plan before it is done; `phrase` gives everything else
by its key. Texts are data, in words.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from reflexarc.robot.actions import (
    Action,
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
    Turn,
    Wait,
    When,
)

Language = Literal["en", "zh"]


def language_of(text: str) -> Language:
    """The language to answer in: Chinese as soon as there is one Chinese character."""
    return "zh" if any("\u3400" <= char <= "\u9fff" for char in text) else "en"


def phrase(key: str, language: Language, **values: object) -> str:
    """A text by its key; a key with forms "one" and "many" goes by the value `count`."""
    text = _texts()[language][key]
    if isinstance(text, Mapping):
        text = text["one" if values.get("count") == 1 else "many"]
    return str(text).format(**values)


def describe_plan(actions: Iterable[Action], language: Language) -> str:
    """The actions as a sentence: "Turn left 90°, then drive forward 1 m."."""
    said = [describe_action(action, language) for action in actions]
    sentence = _texts()[language]["then"].join(said)
    return phrase("sentence", language, text=sentence[:1].upper() + sentence[1:])


def describe_action(action: Action, language: Language) -> str:
    """One action in words, without an end mark."""
    say = _Words(language)
    match action:
        case Move():
            return say("forward" if action.distance_m >= 0 else "backward", abs(action.distance_m))
        case Turn():
            return say("left" if action.angle_deg >= 0 else "right", abs(action.angle_deg))
        case Look():
            return _look(action, say)
        case Grip():
            return say(f"grip_{action.state}")
        case Follow():
            return say(f"follow_{action.target}")
        case Gesture():
            return say(action.name)
        case Light():
            return say(f"light_{action.color}")
        case Say():
            return say("say", action.text)
        case Wait():
            return say("wait", action.seconds)
        case Count():
            return say("count") if action.target is None else say("count_to", action.target)
        case Report():
            return say(f"report_{action.topic}")
        case Repeat():
            inner = _join(action.actions, language)
            return phrase("repeat", language, times=action.times, actions=inner)
        case When():
            event = phrase(f"event_{action.event}", language, value=action.value)
            inner = _join(action.actions, language)
            return phrase("when", language, event=event, actions=inner)
        case _:
            return say("stop")


class _Words:
    def __init__(self, language: Language) -> None:
        self._language = language

    def __call__(self, key: str, value: float | str = "") -> str:
        shown = f"{value:g}" if isinstance(value, (int, float)) else value
        return phrase(key, self._language, value=shown)


def _look(action: Look, say: _Words) -> str:
    if not action.pan_deg and not action.tilt_deg:
        return say("look_straight")
    where = []
    if action.pan_deg:
        where.append(say("look_left" if action.pan_deg > 0 else "look_right", abs(action.pan_deg)))
    if action.tilt_deg:
        where.append(say("look_up" if action.tilt_deg > 0 else "look_down", abs(action.tilt_deg)))
    return say("look", say("and").join(where))


def _join(actions: Iterable[Action], language: Language) -> str:
    return str(_texts()[language]["then"]).join(
        describe_action(action, language) for action in actions
    )


@cache
def _texts() -> dict[str, dict[str, Any]]:
    text = files("reflexarc.robot").joinpath("words.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded
