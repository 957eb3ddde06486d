"""Stop: recognised before every planner, and nothing else taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.robot.planners.parser import Parser
from reflexarc.robot.planners.stop import is_stop, stop_plan


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "STOP!!!",
        "stooooop",
        "Stop, please!",
        "halt",
        "freeze",
        "whoa stop",
        "emergency stop",
        "e-stop",
        "stop right now",
        "don't move",
        "robot, stop",
        "ｓｔｏｐ",
        "st\u200bop",
        "停",
        "停！",
        "停下来",
        "快停下",
        "别动",
        "不许动",
        "急停",
        "停車",
        "機器人停下來",
        "立刻停止",
        "停停停",
        "alto",
        "стоп",
    ],
)
def test_stop_in_many_ways(text: str) -> None:
    assert is_stop(text)
    assert Parser().plan(text).actions == stop_plan().actions


@pytest.mark.parametrize(
    "text",
    [
        "",
        "don't stop",
        "never stop",
        "stop for five seconds",
        "stop when you see a person",
        "停五秒",
        "不要停",
        "别停",
        "停不下来",
        "nonstop",
        "bus stop",
        "say stop",
        "说停",
        "turn off the stop",
        "now",
        "请",
        "when I say stop, nod",
        "!!!",
    ],
)
def test_what_only_contains_the_word(text: str) -> None:
    assert not is_stop(text)


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    assert is_stop(text) in (True, False)
