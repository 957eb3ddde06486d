"""Whatever is said: a valid plan, nothing raised, nothing done that was not clearly ordered."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reflexarc.robot.actions import MAX_ANGLE_DEG, MAX_DISTANCE_M, Action, Move, Repeat, When
from reflexarc.robot.plan import Plan
from reflexarc.robot.planners.parser import Parser
from reflexarc.robot.planners.parser.lexicon import LANGUAGES, read_table

PARSER = Parser()
WORDS = sorted(
    {
        phrase
        for language in LANGUAGES
        for phrases in read_table(language)["words"].values()
        for item in phrases
        for phrase in item.split("|")
    }
    | {unit for sizes in read_table("units").values() for units in sizes.values() for unit in units}
    | {"1", "2.5", "1e309", "NaN", "-3", "½", "百", "两", "半", '"', "“", "”", "\x00", "\u202e"}
)
MOTIONS = [
    "go forward",
    "turn left",
    "back up 30 cm",
    "open the gripper",
    "nod",
    "wave",
    "follow me",
    "前进",
    "左转",
    "后退三十厘米",
    "张开夹爪",
    "点头",
    "跟着我",
]


def checked(text: str) -> Plan:
    plan = PARSER.plan(text)
    assert Plan.model_validate(plan.model_dump()) == plan
    return plan


@given(st.text(max_size=600))
def test_any_text_gives_a_valid_plan(text: str) -> None:
    checked(text)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(["", " "]))
def test_any_words_in_any_order_give_a_valid_plan(words: list[str], gap: str) -> None:
    checked(gap.join(words))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        "go " * 4000,
        "前" * 10_000,
        "🤖" * 500,
        "\u202e\u200b" * 250,
        "1" * 500,
        "go forward 1e309 m",
        "go forward NaN meters",
        "go forward minus minus 2 m",
        "每" * 500,
        "go forward -1e309",
        "turn left 0 degrees",
        "wait -5 seconds",
        "nod 0 times",
        "nod 2.5 times",
        "when " * 100,
        "say " * 125,
        '"' * 500,
        "一百" * 250,
        "repeat three times " * 26,
        "1/" * 250,
        "count 1e309 sit-ups",
        "when you see 1e309, nod",
        "say \x07",
        "\ud800",
        "point five point",
    ],
)
def test_nothing_hostile_is_acted_on(text: str) -> None:
    assert checked(text).status != "ok"


@given(
    st.sampled_from(MOTIONS),
    st.sampled_from(["don't {}", "do not {}", "never {}", "please don't {}"]),
)
def test_a_forbidden_motion_is_not_made(motion: str, frame: str) -> None:
    text = frame.format(motion)
    if not motion.isascii():
        text = {"don't {}": "别{}", "do not {}": "不要{}"}.get(frame, "千万别{}").format(motion)
    assert checked(text).status != "ok"


@given(
    st.sampled_from(MOTIONS[:7]),
    st.sampled_from(
        [
            "what would happen if you {}",
            "he said {}",
            "should i tell you to {}",
            "{} unless I am near",
            "imagine: {}",
            "pretend to {}",
            "what does '{}' mean",
            "why did you {}",
            "{} or not",
        ]
    ),
)
def test_talk_about_a_motion_is_no_order(motion: str, frame: str) -> None:
    assert checked(frame.format(motion)).status != "ok"


@given(
    st.floats(0.01, 12).map(lambda x: round(x, 2)),
    st.sampled_from(
        [("go forward {} m", 1), ("back up {} meters", -1), ("前进{}米", 1), ("后退{}米", -1)]
    ),
)
def test_a_distance_is_done_exactly_or_refused(metres: float, form: tuple[str, int]) -> None:
    frame, sign = form
    plan = checked(frame.format(metres))
    if metres > MAX_DISTANCE_M:
        assert plan.status == "refuse"
    else:
        assert plan.actions == (Move(distance_m=sign * metres),)


@given(st.integers(1, 2000), st.sampled_from(["turn left {} degrees", "左转{}度"]))
def test_an_angle_beyond_the_limit_is_refused(degrees: int, frame: str) -> None:
    plan = checked(frame.format(degrees))
    assert plan.status == ("refuse" if degrees > MAX_ANGLE_DEG else "ok")


@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_no_plan_leaves_the_limits(words: list[str]) -> None:
    for action in flat(checked(" ".join(words)).actions):
        if isinstance(action, Move):
            assert math.isfinite(action.distance_m)
            assert abs(action.distance_m) <= MAX_DISTANCE_M


def flat(actions: Iterable[Action]) -> Iterable[Action]:
    for action in actions:
        yield action
        if isinstance(action, (Repeat, When)):
            yield from flat(action.actions)
