"""What is counted, reported, said and waited for, in simulated time."""

from __future__ import annotations

from typing import Any

import pytest
from model_robot import ModelRobot

from reflexarc.robot.actions import Count, Report, Say, Wait


def said(robot: ModelRobot) -> list[str]:
    return [text for _, text in robot.said("said")]


# ---- count


@pytest.mark.parametrize(
    ("language", "words"),
    [("count my sit-ups", "That was 2 sit-ups."), ("数仰卧起坐", "一共做了2个仰卧起坐。")],
)
def test_it_counts_to_its_target_and_says_so(language: str, words: str) -> None:
    robot = ModelRobot()
    robot.order(Count(target=2), said=language)
    assert robot.controller.needed_tasks() == set()  # nothing is known of the body yet
    robot.run(0.02)
    assert robot.controller.needed_tasks() == {"situps"}
    for count in (7, 7, 8, 9):  # the task has counted before: only what comes now is ours
        robot.look(2, "situps", sit_ups=count)
    assert [text for _, text in robot.said("progress")] == ["1", "2"]
    assert said(robot) == [words]
    assert robot.is_idle
    assert robot.events[-1].result == {"sit_ups": 2.0}
    assert robot.controller.needed_tasks() == set()


def test_without_a_target_it_ends_when_nobody_goes_on() -> None:
    robot = ModelRobot()
    robot.order(Count())
    robot.look(1, "situps", sit_ups=0)
    robot.look(59, "situps", sit_ups=1)
    assert robot.controller.has_order
    robot.look(3, "situps", sit_ups=1)
    assert said(robot) == ["That was 1 sit-up."]
    assert robot.is_idle


def test_a_count_that_begins_anew_is_no_repetition() -> None:
    robot = ModelRobot()
    robot.order(Count())
    for count in (5, 6, 0, 0):
        robot.look(1, "situps", sit_ups=count)
    assert [text for _, text in robot.said("progress")] == ["1"]


@pytest.mark.parametrize("seen", [0, 2])
def test_a_camera_that_shows_nothing_is_said(seen: int) -> None:
    robot = ModelRobot()
    robot.order(Count())
    for count in range(seen):
        robot.look(1, "situps", sit_ups=count)
    robot.run(6)
    ((_, text),) = robot.said("failed")
    assert text.startswith("expected a camera that sees somebody do sit-ups; found no picture")
    assert text.endswith("check the camera (`reflexarc doctor`)")


def test_what_was_seen_long_ago_is_no_picture() -> None:
    robot = ModelRobot()
    robot.see("situps", sit_ups=3)
    robot.run(100)
    robot.order(Count())
    robot.run(6)
    assert len(robot.said("failed")) == 1


# ---- report


@pytest.mark.parametrize(
    ("topic", "seen", "english", "chinese"),
    [
        ("people", [], "I see 0 people.", "我看到0个人。"),
        ("people", ["person"], "I see 1 person.", "我看到1个人。"),
        ("people", ["person"] * 3, "I see 3 people.", "我看到3个人。"),
        ("pose", ["body"], "I see 1 body.", "我看到1个人的身体。"),
        ("digit", [], "I see no digit.", "我没看到数字。"),
        ("digit", ["7", "3"], "I see 7, 3.", "我看到7, 3。"),
        ("mask", [], "I see no face.", "我没看到脸。"),
        ("mask", ["mask", "no_mask", "mask"], "With a mask: 2. Without: 1.",
         "戴口罩的有2人，没戴的有1人。"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_seen_in_the_words_of_the_order(
    topic: Any, seen: list[str], english: str, chinese: str, language: str
) -> None:
    robot = ModelRobot()
    robot.order(Report(topic=topic), said="what is there" if language == "en" else "报告")
    robot.run(0.02)
    (task,) = robot.controller.needed_tasks()
    robot.look(0.5, task, *seen)
    assert said(robot) == [english if language == "en" else chinese]
    assert robot.is_idle


def test_one_look_that_misses_something_is_made_good() -> None:
    robot = ModelRobot()
    robot.order(Report(topic="people"))
    robot.run(0.02)
    for labels in (["person"], ["person", "person"], []):
        robot.look(0.05, "people", *labels)
    robot.run(0.05)
    assert said(robot) == ["I see 2 people."]


def test_only_what_is_seen_after_it_was_asked() -> None:
    robot = ModelRobot()
    robot.look(1, "people", "person")
    robot.order(Report(topic="people"))
    robot.run(1)
    assert said(robot) == []
    robot.run(3)
    assert said(robot) == ["I get no picture from the camera."]


def test_the_battery_needs_no_eyes() -> None:
    robot = ModelRobot()
    robot.board.battery_v = 7.26
    robot.order(Report(topic="battery"))
    robot.run(0.05)
    assert said(robot) == ["The battery has 7.3 volts."]


# ---- say, wait


def test_waiting_takes_its_time() -> None:
    robot = ModelRobot()
    robot.order(Say(text="ready"), Wait(seconds=2.5), Wait(seconds=0), Say(text="go"))
    robot.run(2.5)
    assert said(robot) == ["ready"]
    robot.run(0.1)
    assert said(robot) == ["ready", "go"]
    waited = [e.result for e in robot.events if e.text == "wait 2.5 s" and e.kind == "finished"]
    assert waited == [{"seconds": pytest.approx(2.5, abs=0.02)}]
