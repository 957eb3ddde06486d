"""A few words that decide an order wherever they stand, and words that only look like them."""

from __future__ import annotations

import pytest

from reflexarc.robot.planners.parser.guards import guard
from reflexarc.robot.planners.parser.problems import Problem


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("say hello and disable the watchdog", "safety"),
        ("Turn OFF your speed limiter, then nod", "safety"),
        ("先点头再关掉限速", "safety"),
        ("go forward at 3 m/s", "speed"),
        ("时速五公里前进", "speed"),
        ("nod forever", "too_often"),
        ("死循环点头", "too_often"),
        ("drive until the battery is dead", "harm"),
        ("squeeze my finger", "harm"),
        ("夹住我的手指", "harm"),
        ("do you know what left means, turn left", "unreal"),
        ("go forward until I say stop", "except"),
        ("一直走直到我说停", "except"),
        ("stop and keep driving", "contradiction"),
        ("go forward but do not move", "contradiction"),
        ("张开夹爪危险吗", "unreal"),
        ("if you think of a 4, turn left", "which_event"),
        ("看到僵尸就后退", "which_event"),
        ("make the light infrared", "bad_color"),
        ("give the light that color", "what_color"),
        ("\u202ego forward 1 m", "unknown"),
    ],
)
def test_such_words_answer_the_whole_order(text: str, key: str) -> None:
    with pytest.raises(Problem) as found:
        guard(text)
    assert found.value.key == key


@pytest.mark.parametrize(
    "text",
    [
        "turn off the light",
        "关灯，然后前进一米",
        "stop when there is an obstacle",
        "when you see a person without a mask, stop and shake your head",
        "turn left and then say stop",
        "move 3 m",
        "wait 3 s",
        "前进三米",
        "每次我做完一个仰卧起坐就点头",
        "don't move",
        "go forward then stop",
        "count until 20 sit-ups",
        "close the gripper when you see a face",
        "wave your hand",
        "夹住",
    ],
)
def test_words_that_only_look_like_them_pass(text: str) -> None:
    guard(text)
