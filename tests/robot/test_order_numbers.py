"""Every order has a number: who gave it can follow it, and take back that one and no other."""

from __future__ import annotations

import pytest
from model_robot import ModelRobot

from reflexarc.robot.actions import Light, Move, Say, Turn, Wait, When
from reflexarc.robot.plan import Plan
from reflexarc.robot.session import Session


def ok(*actions: object) -> Plan:
    return Plan.model_validate({"status": "ok", "actions": actions})


@pytest.fixture
def robot() -> ModelRobot:
    robot = ModelRobot()
    robot.run(0.1)
    return robot


def test_events_carry_the_number_of_their_order(robot: ModelRobot) -> None:
    first = robot.controller.order(ok(Light(color="red"), Say(text="hello")))
    robot.run(0.5)
    second = robot.controller.order(ok(Move(distance_m=1.0)))
    assert robot.controller.is_doing(second)
    assert not robot.controller.is_doing(first)
    robot.run(0.5)
    third = robot.controller.order(ok(Turn(angle_deg=10)))
    robot.run(5.0)
    numbers = [(event.order, event.kind) for event in robot.events]
    assert [kind for order, kind in numbers if order == first] == [
        *("started", "finished", "said", "started", "finished")
    ]
    assert [kind for order, kind in numbers if order == second] == ["started", "failed"]
    assert [kind for order, kind in numbers if order == third] == ["started", "finished"]
    assert first < second < third


def test_an_order_is_taken_back_and_another_is_not(robot: ModelRobot) -> None:
    first = robot.controller.order(ok(Wait(seconds=5)))
    second = robot.controller.order(ok(Move(distance_m=1.0)))
    robot.run(0.5)
    robot.controller.cancel(first, "cancelled")
    assert robot.controller.is_doing(second)
    robot.controller.cancel(second, "cancelled")
    assert not robot.controller.is_doing(second)
    assert robot.events[-1].text == "cancelled"
    assert not robot.gate.moving


def test_an_order_of_rules_alone_is_done_at_once(robot: ModelRobot) -> None:
    rule = When(event="sit_up", actions=(Light(color="red"),))
    number = robot.controller.order(ok(rule))
    assert not robot.controller.is_doing(number)
    assert [(event.kind, event.order) for event in robot.events] == [("rule", number)]


def test_what_a_rule_does_belongs_to_no_order() -> None:
    actions = [{"do": "light", "color": "red"}]
    robot = ModelRobot(reflexes=[{"event": "mask_missing", "hold_s": 0.0, "actions": actions}])
    robot.run(0.1)
    robot.see("mask", "no_mask")
    robot.run(0.1)
    assert {event.kind for event in robot.events} >= {"fired", "finished"}
    assert {event.order for event in robot.events} == {None}


def test_a_hand_past_the_controller_takes_the_wheels_for_as_long_as_it_says_so(
    robot: ModelRobot,
) -> None:
    robot.order(Move(distance_m=1.0))
    robot.run(0.3)
    robot.controller.yield_to_hand()
    assert robot.said("failed") == [("failed", "driven by hand")]
    assert not robot.gate.moving
    robot.order(Move(distance_m=1.0))
    assert len(robot.said("failed")) == 2
    robot.order(Light(color="red"))
    robot.run(0.1)
    assert ("finished", "light red") in robot.said()
    robot.run(1.0)
    robot.order(Move(distance_m=0.3))
    robot.run(3.0)
    assert robot.said()[-1][0] == "finished"


class Planner:
    name = "test"

    def plan(self, text: str) -> Plan:
        return ok(Move(distance_m=4.0))


def session(robot: ModelRobot) -> Session:
    return Session(robot.config, Planner(), robot.controller, robot.book)


def test_a_ready_plan_is_checked_and_waits_for_a_word_like_any_other(robot: ModelRobot) -> None:
    talk = session(robot)
    assert talk.carry_out(ok(Move(distance_m=4.0))).kind == "confirm"
    assert robot.is_idle
    reply = talk.carry_out(ok(Move(distance_m=4.0)), confirmed=True)
    assert reply.kind == "doing"
    assert reply.order is not None
    assert robot.controller.is_doing(reply.order)


def test_a_sentence_given_as_confirmed_needs_no_yes(robot: ModelRobot) -> None:
    talk = session(robot)
    assert talk.hear("go far").kind == "confirm"
    reply = talk.hear("go far", confirmed=True)
    assert reply.kind == "doing"
    assert reply.order is not None
