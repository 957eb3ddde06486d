from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reflexarc.robot.actions import ACTION, MAX_ANGLE_DEG, MAX_DISTANCE_M, Move, Stop, Turn, When


@pytest.mark.parametrize(
    "data, action",
    [
        ({"do": "move"}, Move(distance_m=0.5)),
        ({"do": "move", "distance_m": -0.3}, Move(distance_m=-0.3)),
        ({"do": "turn"}, Turn(angle_deg=90)),
        ({"do": "turn", "angle_deg": -45}, Turn(angle_deg=-45)),
        ({"do": "stop"}, Stop()),
        (
            {"do": "when", "event": "digit_seen", "value": 3, "actions": [{"do": "stop"}]},
            When(event="digit_seen", value=3, actions=(Stop(),)),
        ),
    ],
)
def test_an_action_is_told_by_what_it_does(data: dict[str, Any], action: object) -> None:
    assert ACTION.validate_python(data) == action


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"do": "fly"},
        {"do": "move", "distance": 1},
        {"do": "move", "distance_m": "far"},
        {"do": "move", "distance_m": math.nan},
        {"do": "move", "distance_m": math.inf},
        {"do": "move", "distance_m": MAX_DISTANCE_M * 1.01},
        {"do": "turn", "angle_deg": -MAX_ANGLE_DEG - 1},
        {"do": "when", "event": "digit_seen", "value": 10, "actions": [{"do": "stop"}]},
        {"do": "when", "event": "digit_seen", "value": 3, "actions": []},
        {"do": "when", "event": "tea_time", "value": 3, "actions": [{"do": "stop"}]},
        # A rule inside a rule would let one reflex plant another.
        {
            "do": "when",
            "event": "digit_seen",
            "value": 3,
            "actions": [
                {"do": "when", "event": "digit_seen", "value": 1, "actions": [{"do": "stop"}]}
            ],
        },
    ],
)
def test_what_is_not_an_action_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ACTION.validate_python(data)


@given(st.builds(Move, distance_m=st.floats(-MAX_DISTANCE_M, MAX_DISTANCE_M)))
def test_an_action_survives_json(action: Move) -> None:
    assert ACTION.validate_json(action.model_dump_json()) == action


def test_the_schema_names_every_action() -> None:
    mapping = ACTION.json_schema()["discriminator"]["mapping"]
    assert set(mapping) == {
        "move", "turn", "look", "grip", "follow", "gesture", "light", "say", "wait", "count",
        "report", "stop", "repeat", "when",
    }  # fmt: skip


def test_an_action_says_itself_in_words() -> None:
    said = [str(action) for action in (Move(distance_m=-0.25), Turn(angle_deg=90), Stop())]
    assert said == ["move -0.25 m", "turn +90°", "stop"]
