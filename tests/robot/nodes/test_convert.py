"""Messages say exactly what our types say."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from hypothesis import given
from hypothesis import strategies as st
from plans import plans
from rclpy.serialization import deserialize_message, serialize_message
from reflexarc_interfaces.msg import Plan as PlanMessage
from reflexarc_interfaces.msg import RobotState

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.faults import FAULTS
from reflexarc.perception.observation import Box, Detection, Keypoint, Observation
from reflexarc.robot.actions import Move
from reflexarc.robot.events import Event, Stations
from reflexarc.robot.nodes.convert import (
    MessageError,
    Standing,
    event_dict,
    event_message,
    observation_message,
    observation_of,
    plan_message,
    plan_of,
    standing_of,
    state_message,
    state_of,
    stations_of,
)
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import Firing
from reflexarc.robot.reflexes.rule import Reflex

STAMP = Time(sec=12, nanosec=34)
numbers = st.floats(allow_nan=False, allow_infinity=False)
# What DDS strings can carry: no zero byte.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


def over_the_wire(message: Any) -> Any:
    return deserialize_message(serialize_message(message), type(message))


boxes = st.builds(Box, numbers, numbers, numbers, numbers)
detections = st.builds(
    Detection,
    label=words,
    score=numbers,
    box=boxes,
    track=st.none() | st.integers(0, 2**62),
    keypoints=st.lists(st.builds(Keypoint, numbers, numbers, numbers), max_size=4).map(tuple),
    values=st.dictionaries(words, numbers, max_size=3),
)
observations = st.builds(
    Observation,
    stamp_ns=st.integers(1, 2**62),
    seq=st.integers(0, 2**63),
    source=words,
    task=words,
    detections=st.lists(detections, max_size=3).map(tuple),
    counts=st.dictionaries(words, st.integers(-(2**62), 2**62), max_size=3),
)


@given(observations)
def test_an_observation_comes_through_unchanged(seen: Observation) -> None:
    message = over_the_wire(observation_message(seen, (640, 480), STAMP))
    assert observation_of(message, message.captured_ns) == seen
    assert (message.image_width, message.image_height) == (640, 480)
    assert message.header.stamp == STAMP


@given(plans())
def test_a_plan_comes_through_unchanged(plan: Plan) -> None:
    assert plan_of(over_the_wire(plan_message(plan))) == plan


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "ok", "actions": "[{"}, "actions"),
        ({"status": "ok", "actions": '{"do": "move"}'}, "actions"),
        ({"status": "ok", "actions": '[{"do": "fly"}]'}, "actions"),
        ({"status": "ok", "actions": '[{"do": "move", "distance_m": 1e9}]'}, "distance_m"),
        ({"status": "ok", "actions": "[" * 100_000}, "actions"),
        ({"status": "maybe"}, "status"),
        ({"status": "ok"}, "actions"),
        ({"status": "refuse", "message": "no", "confidence": math.nan}, "confidence"),
    ],
)
def test_what_is_no_plan_is_said_in_words(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(MessageError, match=words) as raised:
        plan_of(PlanMessage(**fields))
    assert len(str(raised.value)) < 600


pairs = st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
duties = st.tuples(st.integers(-255, 255), st.integers(-255, 255))
counters = st.integers(0, 2**32 - 1)
states = st.builds(
    BoardState,
    stamp_ns=st.just(77),
    measured_ns=st.integers(1, 2**62),
    chip_us=st.integers(0, 2**62),
    encoder=st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62)),
    speed=pairs,
    faults=st.sets(st.sampled_from(sorted(FAULTS))).map(frozenset),
    duty=duties,
    battery_v=numbers,
    range_m=st.none() | numbers,
    servos=st.fixed_dictionaries(
        {name: st.none() | numbers for name in ("pan", "tilt", "gripper")}
    ),
    rx_errors=counters,
    longest_period_us=counters,
    stack_free=counters,
)
standings = st.builds(
    Standing,
    st.sampled_from(["connected", "reconnecting", "restarted", "closed"]),
    st.sampled_from(["disarmed", "armed", "stopped"]),
    words,
    st.booleans(),
)


@given(states, standings)
def test_a_state_comes_through_unchanged(state: BoardState, standing: Standing) -> None:
    message = over_the_wire(state_message(state, standing, STAMP))
    assert state_of(message, stamp_ns=77) == state
    assert standing_of(message) == standing


def test_what_is_no_text_is_said_all_the_same() -> None:
    event = Event("failed", "no file caf\udce9.png")
    assert over_the_wire(event_message(event, STAMP)).text == "no file caf?.png"


def test_a_limp_servo_and_nothing_near_are_no_numbers() -> None:
    message = RobotState(range_m=math.nan, servos_deg=[math.nan, 1.0, 2.0])
    state = state_of(message, stamp_ns=1)
    assert state.range_m is None
    assert state.servos == {"pan": None, "tilt": 1.0, "gripper": 2.0}


RULE = Reflex.model_validate(
    {"event": "mask_missing", "actions": [{"do": "move", "distance_m": 1.0}]}
)
SEEN = Observation(1, 0, "test", "mask")
events = st.builds(
    Event,
    kind=st.sampled_from(["fired", "started", "finished", "failed", "said", "stopped"]),
    text=words,
    firing=st.none() | st.just(Firing(RULE, SEEN)),
    action=st.none() | st.just(Move(distance_m=0.5)),
    result=st.dictionaries(words, numbers, max_size=3) | st.just({"left_m": 0.25, "right_m": -0.5}),
    stations=st.none() | st.just(Stations(1, 2, 3, 4)),
)


@given(events)
def test_an_event_says_what_its_plain_data_say(event: Event) -> None:
    message = over_the_wire(event_message(event, STAMP))
    assert event_dict(message) == event.as_dict()
    assert stations_of(message) == event.stations
