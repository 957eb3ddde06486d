"""What the controller makes of orders, rules and hands, in simulated time."""

from __future__ import annotations

import random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_robot import ModelRobot

from reflexarc.core import WriteError
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.robot import controller
from reflexarc.robot.actions import (
    EVENTS,
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
    Stop,
    Turn,
    Wait,
    When,
)
from reflexarc.robot.body import Wheels
from reflexarc.robot.controller import MOVES_PER_ORDER
from reflexarc.robot.gate import GateState
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import Reflex, RuleError
from reflexarc.robot.reflexes.book import MAX_RULES


def on(event: str, *actions: Action, **settings: Any) -> Reflex:
    timing: dict[str, Any] = {"hold_s": 0, "cooldown_s": 0}
    return Reflex(event=event, actions=actions, **(timing | settings))  # type: ignore[arg-type]


def finished(robot: ModelRobot) -> list[str]:
    return [text for _, text in robot.said("finished")]


# ---- orders


def test_an_order_is_done_step_by_step() -> None:
    robot = ModelRobot()
    robot.order(
        Look(pan_deg=30),
        Repeat(times=2, actions=(Say(text="hi"),)),
        Move(distance_m=0.1),
        Wait(seconds=0.5),
    )
    assert robot.controller.has_order
    robot.run(8, until=lambda: robot.is_idle)
    assert finished(robot) == [
        "look +30°, +0°",
        "say 'hi'",
        "say 'hi'",
        "move +0.1 m",
        "wait 0.5 s",
    ]
    assert robot.said("said") == [("said", "hi")] * 2
    assert robot.board.metres() == pytest.approx((0.1, 0.1), abs=0.005)
    assert robot.board.servos["pan"] == pytest.approx(30, abs=0.1)
    assert robot.board.order == (0, 0)


def test_an_order_given_before_the_body_is_felt_waits_for_it() -> None:
    robot = ModelRobot()
    robot.order(Move(distance_m=0.1))
    assert robot.board.sent == []
    assert robot.controller.has_order
    robot.run(3, until=lambda: robot.is_idle)
    assert finished(robot) == ["move +0.1 m"]


def test_a_plan_of_rules_only_is_no_order_under_way() -> None:
    robot = ModelRobot()
    robot.order(When(event="sit_up", actions=(Gesture(name="nod"),)), said="nod when I sit up")
    assert not robot.controller.busy
    assert robot.said() == [("rule", "sit_up")]
    assert robot.book.rules()[0].said == "nod when I sit up"
    assert robot.controller.needed_tasks() == {"situps"}


def test_a_plan_may_arm_a_rule_and_do_something() -> None:
    robot = ModelRobot()
    robot.order(Light(color="blue"), When(event="person_seen", actions=(Light(color="red"),)))
    robot.run(0.1)
    assert robot.board.light == "blue"
    robot.look(0.2, "people", "person")
    assert robot.board.light == "red"


@pytest.mark.parametrize("status", ["clarify", "refuse"])
def test_only_a_plan_that_is_ok_is_an_order(status: Any) -> None:
    with pytest.raises(ValueError, match="expected a plan to do"):
        ModelRobot().controller.order(Plan(status=status, message="what?"))


def test_a_new_order_replaces_the_old_one() -> None:
    robot = ModelRobot()
    robot.order(Move(distance_m=5), Say(text="there"))
    robot.run(1)
    robot.order(Turn(angle_deg=90))
    robot.run(6, until=lambda: robot.is_idle)
    assert robot.said("failed", "finished") == [
        ("failed", "another order came"),
        ("finished", "turn +90°"),
    ]
    assert robot.said("said") == []


def test_stop_ends_everything_in_one_call() -> None:
    robot = ModelRobot(reflexes=(on("sit_up", Gesture(name="nod")),))
    robot.run(0.05)
    robot.order(Move(distance_m=5))
    robot.look(0.5, "situps", sit_ups=0)
    robot.look(0.1, "situps", sit_ups=1)
    assert robot.controller.busy
    robot.controller.stop("told to stop")
    assert robot.board.order == (0, 0)
    assert not robot.controller.busy
    assert robot.said("failed") == [("failed", "told to stop")] * 2
    assert robot.events[-1].kind == "stopped"
    sent = len(robot.board.sent)
    robot.run(1)
    assert len(robot.board.sent) == sent


def test_after_a_stop_reflexes_that_move_rest_until_the_next_order() -> None:
    robot = ModelRobot(reflexes=(on("digit_seen", Move(distance_m=0.2), value=3),))
    robot.controller.stop("told to stop")
    robot.look(0.5, "digits", "3")
    assert robot.said("ignored") == [("ignored", "digit_seen 3: resting until the next order")]
    assert robot.board.metres() == (0, 0)
    robot.order(Say(text="go on"))
    robot.look(0.1, "digits")
    robot.look(0.5, "digits", "3")
    assert robot.said("fired") == [("fired", "digit_seen 3")]


def test_reflexes_that_move_nothing_go_on_after_a_stop() -> None:
    robot = ModelRobot(reflexes=(on("person_seen", Light(color="red")),))
    robot.controller.stop("told to stop")
    robot.look(0.2, "people", "person")
    assert robot.board.light == "red"


def test_stop_and_more_is_stop_first() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.order(Move(distance_m=5))
    robot.run(1)
    robot.order(Stop(), Say(text="as you wish"))
    assert robot.board.order == (0, 0)
    robot.run(0.1)
    assert robot.said("said") == [("said", "as you wish")]
    assert robot.is_idle


def test_stop_in_the_middle_is_a_rest() -> None:
    robot = ModelRobot()
    robot.order(Move(distance_m=0.1), Stop(), Move(distance_m=-0.1))
    robot.run(6, until=lambda: robot.is_idle)
    assert finished(robot) == ["move +0.1 m", "stop", "move -0.1 m"]


@pytest.mark.parametrize(
    ("action", "moves"),
    [
        (Move(distance_m=1), True),
        (Look(pan_deg=10), True),
        (Grip(state="open"), True),
        (Gesture(name="nod"), True),
        (Follow(), True),
        (Light(color="red"), False),
        (Say(text="hi"), False),
        (Report(topic="battery"), False),
    ],
)
def test_while_stopped_only_what_moves_nothing_is_done(action: Action, moves: bool) -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.gate.stop("button", robot.board.now_ns)
    robot.order(action)
    robot.run(1)
    kinds = [kind for kind, _ in robot.said("failed", "finished")]
    assert kinds == (["failed"] if moves else ["finished"])
    if moves:
        assert robot.said("failed") == [("failed", "not armed: button")]
    assert robot.is_idle


def test_a_hundred_instant_steps_do_not_keep_stop_waiting() -> None:
    """One step a board state: what asks the board does not do it a hundred times in a row."""
    robot = ModelRobot()
    robot.run(0.05)
    colors = (Light(color="red"), Light(color="green"), Light(color="blue"), Light(color="off"))
    robot.order(Repeat(times=20, actions=colors))
    before = len(robot.board.sent)
    robot.run(0.01)
    assert len(robot.board.sent) - before <= 1
    robot.run(2, until=lambda: robot.is_idle)
    assert [sent.values for sent in robot.board.sent] == ["red", "green", "blue", "off"] * 20


# ---- errors


def test_a_skill_that_cannot_be_done_ends_its_order_and_says_why() -> None:
    robot = ModelRobot()
    robot.board.gain = (0.0, 0.0)
    robot.order(Move(distance_m=1), Say(text="done"))
    robot.run(3, until=lambda: robot.is_idle)
    ((kind, text),) = robot.said("failed")
    assert kind == "failed"
    assert "no progress for 1.0 s" in text
    assert robot.said("said") == []
    assert robot.board.order == (0, 0)


def test_a_gate_that_stops_ends_what_moves_and_not_the_rest() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.order(Count())
    robot.book.add(on("digit_seen", Move(distance_m=5), value=3))
    robot.look(0.1, "situps", sit_ups=0)
    robot.look(0.5, "digits", "3")
    robot.board.battery_v = 6.0
    robot.run(0.02)
    assert robot.said("failed") == [("failed", "battery at 6.00 V")]
    assert robot.controller.has_order  # it counts on
    robot.look(0.1, "digits")
    robot.look(0.1, "digits", "3")
    assert robot.said("ignored")[-1][1] == "digit_seen 3: not armed: battery at 6.00 V"


def test_a_rule_too_many_leaves_the_others_armed() -> None:
    robot = ModelRobot()
    for distance in range(MAX_RULES - 1):
        robot.book.add(on("obstacle", Move(distance_m=-distance / 100)))
    light = When(event="person_seen", actions=(Light(color="red"),))
    with pytest.raises(RuleError):
        robot.order(light, When(event="sit_up", actions=(Light(color="blue"),)), Move())
    robot.look(0.2, "people", "person")
    assert robot.board.light == "red"
    assert not robot.controller.has_order


def test_a_link_that_breaks_in_a_stop_still_ends_everything() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.order(Move(distance_m=5))
    robot.run(0.5)

    def lost() -> None:
        raise LinkLostError(expected="a", found="b", remedy="c")

    robot.board.stop = lost  # type: ignore[method-assign]
    with pytest.raises(LinkLostError):
        robot.controller.stop("told to stop")
    assert not robot.controller.busy
    assert not robot.gate.moving
    robot.controller.end("the end")  # and this never raises


# ---- rules


def test_rules_change_from_one_moment_to_the_next() -> None:
    robot = ModelRobot()
    rule = robot.book.add(on("person_seen", Light(color="red")))
    robot.look(0.1, "people", "person")
    assert robot.board.light == "red"
    robot.book.pause([rule.number])
    assert robot.controller.needed_tasks() == frozenset()
    robot.order(Light(color="off"))
    robot.look(0.1, "people")
    robot.look(0.1, "people", "person")
    assert robot.board.light == "off"


def test_a_rule_that_has_expired_does_not_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    robot = ModelRobot()
    robot.book._now = lambda: now[0]
    robot.book.add(on("person_seen", Light(color="red"), expires_s=10))
    now[0] += 11
    robot.look(0.2, "people", "person")
    assert robot.said() == []


def test_of_two_rules_for_the_same_part_the_first_has_it() -> None:
    nod, shake = on("sit_up", Gesture(name="nod")), on("person_seen", Gesture(name="shake"))
    robot = ModelRobot(reflexes=(nod, shake))
    robot.look(0.1, "situps", sit_ups=0)
    robot.look(0.1, "situps", sit_ups=1)
    robot.look(0.1, "people", "person")
    assert robot.said("ignored") == [("ignored", "person_seen: busy with sit_up")]


@pytest.mark.parametrize(
    ("interrupts", "priority", "order", "wins"),
    [
        ("nothing", 9, False, False),
        ("reflexes", 0, False, True),
        ("reflexes", -1, False, False),  # not a more important one
        ("reflexes", 9, True, False),
        ("everything", 0, True, True),
        ("everything", -1, False, False),
    ],
)
def test_what_a_rule_may_interrupt(interrupts: str, priority: int, order: bool, wins: bool) -> None:
    shake = on("person_seen", Gesture(name="shake"), interrupts=interrupts, priority=priority)
    robot = ModelRobot(reflexes=(on("sit_up", Gesture(name="nod")), shake))
    robot.run(0.05)
    robot.look(0.1, "situps", sit_ups=0)
    if order:
        robot.order(Gesture(name="nod"))
    robot.look(0.1, "situps", sit_ups=int(not order))
    robot.look(0.05, "people", "person")
    if wins:
        assert robot.said("failed") == [("failed", "interrupted by person_seen")]
    else:
        assert robot.said("failed") == []
        assert robot.said("ignored")[0][1].startswith("person_seen: busy with ")


def test_of_two_rules_at_once_the_more_important_one_is_not_interrupted_at_once() -> None:
    low = on("person_seen", Gesture(name="shake"), interrupts="reflexes", name="low")
    high = on("person_seen", Gesture(name="nod"), priority=5, name="high")
    robot = ModelRobot(reflexes=(low, high))
    robot.run(0.05)
    robot.look(0.05, "people", "person")
    assert robot.said("fired", "ignored") == [("fired", "high"), ("ignored", "low: busy with high")]


def test_reflexes_on_different_parts_run_side_by_side() -> None:
    rules = (on("sit_up", Gesture(name="nod")), on("person_seen", Grip(state="open")))
    robot = ModelRobot(reflexes=rules)
    robot.order(Move(distance_m=1.0))
    robot.look(0.3, "situps", sit_ups=0)
    robot.see("situps", sit_ups=1)
    robot.see("people", "person")
    robot.run(0.3)
    assert robot.board.speed[0] > 0
    assert robot.board.servos["tilt"] not in (None, 0.0)
    robot.see("people", "person")
    robot.run(6, until=lambda: robot.is_idle)
    assert sorted(finished(robot)) == ["move +1 m", "nod", "open the gripper"]
    assert robot.board.servos["gripper"] == pytest.approx(45, abs=0.1)
    assert robot.board.servos["tilt"] == pytest.approx(0, abs=0.1)
    assert robot.board.metres() == pytest.approx((1, 1), abs=0.005)


def test_light_while_driving_and_nods_while_counting() -> None:
    robot = ModelRobot(
        reflexes=(on("sit_up", Gesture(name="nod")), on("person_seen", Light(color="green")))
    )
    robot.order(Count(target=3))
    for count in range(5):
        robot.look(1.5, "situps", sit_ups=count)
        robot.look(0.1, "people", *["person"] * (count % 2))
    assert robot.said("progress") == [("progress", "1"), ("progress", "2"), ("progress", "3")]
    assert robot.said("said") == [("said", "That was 3 sit-ups.")]
    assert finished(robot).count("nod") == 4
    assert robot.board.light == "green"
    assert robot.events[-1].kind == "finished"


def test_pulses_queue_up_and_each_is_answered_within_reason() -> None:
    robot = ModelRobot(reflexes=(on("sit_up", Gesture(name="nod")),))
    robot.look(0.1, "situps", sit_ups=0)
    robot.see("situps", sit_ups=2)
    robot.look(3, "situps", sit_ups=2)
    assert finished(robot) == ["nod"] * 2
    robot.see("situps", sit_ups=12)
    robot.look(5, "situps", sit_ups=12)
    assert len(finished(robot)) == 2 + 4  # one at work, three waiting
    assert ("ignored", "sit_up: too many at once") in robot.said("ignored")
    assert robot.said("fired") == [("fired", "sit_up")] * 6


def test_a_level_rule_that_is_still_at_it_does_not_begin_anew() -> None:
    robot = ModelRobot(reflexes=(on("digit_seen", Move(distance_m=1), value=3),))
    robot.look(0.2, "digits", "3")
    robot.look(0.1, "digits")
    robot.look(0.2, "digits", "3")
    assert robot.said("ignored") == [("ignored", "digit_seen 3: still at it")]


def test_a_stop_reflex_stops_everything_then_does_the_rest() -> None:
    rule = on("obstacle", Say(text="ouch"), Stop(), Light(color="red"))
    robot = ModelRobot(reflexes=(rule,))
    robot.order(Move(distance_m=5))
    robot.run(1)
    robot.board.range_m = 0.2
    robot.run(0.02)
    assert robot.board.order == (0, 0)
    robot.run(0.1)
    assert robot.said("failed") == [("failed", "stopped by a reflex")]
    assert robot.said("said") == [("said", "ouch")]
    assert robot.board.light == "red"


def test_a_camera_that_falls_silent_stops_what_goes_by_eye_only() -> None:
    robot = ModelRobot(reflexes=(on("digit_seen", Move(distance_m=5), value=3),))
    robot.look(0.2, "digits", "3")
    robot.run(2)
    assert robot.said("failed") == [("failed", "no new frame")]
    assert robot.gate.state is GateState.STOPPED


@pytest.mark.parametrize(
    ("rule", "stimulus"), [(None, None), (on("obstacle", Move(distance_m=-2)), 0.2)]
)
def test_what_needs_no_eyes_goes_on_without_a_camera(
    rule: Reflex | None, stimulus: float | None
) -> None:
    """An order to drive, or a reflex of the body, on a robot that has no camera at all."""
    robot = ModelRobot(reflexes=() if rule is None else (rule,))
    robot.run(5)
    if rule is None:
        robot.order(Move(distance_m=-2))
    robot.board.range_m = stimulus
    robot.run(10, until=lambda: robot.board.range_m is None and robot.is_idle)
    assert finished(robot) == ["move -2 m"]
    assert robot.said("failed") == []


def test_eyes_that_are_gone_stop_the_wheels_also_where_nothing_goes_by_them() -> None:
    robot = ModelRobot()
    robot.run(0.1)
    robot.order(Move(distance_m=5))
    robot.run(1)
    robot.controller.lose_eyes("perception is gone")
    robot.run(0.05)
    assert robot.said("failed") == [("failed", "perception is gone")]
    assert robot.gate.state is GateState.STOPPED
    assert robot.board.order == (0, 0)


def test_eyes_that_are_gone_are_no_alarm_for_a_robot_at_rest() -> None:
    robot = ModelRobot()
    robot.run(0.1)
    robot.order(Count())
    robot.controller.lose_eyes("perception is gone")
    robot.run(0.05)
    assert robot.gate.state is GateState.ARMED
    robot.order(Move(distance_m=1))
    robot.run(20, until=lambda: robot.is_idle)
    assert finished(robot)[-1] == "move +1 m"


def test_a_stamp_of_the_future_does_not_keep_frames_fresh() -> None:
    robot = ModelRobot(reflexes=(on("digit_seen", Move(distance_m=5), value=3),))
    robot.board.now_ns += 10**9
    robot.see("digits")
    robot.board.now_ns += 10**9
    late = robot.board.now_ns
    robot.board.now_ns += 10**15
    robot.see("digits", "3")
    robot.board.now_ns = late
    robot.gate._frame_ns = min(robot.gate._frame_ns, late)
    robot.run(3)
    assert robot.said("failed") == [("failed", "no new frame")]


# ---- manual > safety > plan > reflex


def test_by_hand_goes_before_orders_and_reflexes() -> None:
    robot = ModelRobot(reflexes=(on("digit_seen", Move(distance_m=1), value=3),))
    robot.order(Move(distance_m=5))
    robot.run(0.5)
    for _ in range(20):
        robot.controller.manual(Wheels(-0.1, 0.1))
        robot.run(0.01)
    assert robot.said("failed") == [("failed", "driven by hand")]
    robot.look(0.05, "digits", "3")
    assert robot.said("ignored") == [("ignored", "digit_seen 3: driven by hand")]
    assert robot.board.order[0] < 0 < robot.board.order[1]


def test_an_order_that_waits_does_not_take_the_wheel_from_a_hand() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.order(Wait(seconds=0.1), Move(distance_m=1))
    for _ in range(30):
        robot.controller.manual(Wheels(-0.1, -0.1))
        robot.run(0.01)
    assert robot.said("failed") == [("failed", "driven by hand")]
    assert robot.board.metres()[0] < 0


def test_safety_goes_before_a_hand() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.gate.stop("button", robot.board.now_ns)
    assert robot.controller.manual(Wheels(0.1, 0.1)) == Wheels(0, 0)


def test_a_hand_that_lets_go_stops() -> None:
    robot = ModelRobot()
    robot.run(0.05)
    robot.controller.manual(Wheels(0.1, 0.1))
    robot.run(0.5)
    assert robot.gate.reason == "no new command"
    assert robot.board.order == (0, 0)


def test_an_order_goes_before_a_reflex() -> None:
    robot = ModelRobot(reflexes=(on("person_seen", Look(pan_deg=90)),))
    robot.order(Look())  # a limp servo jumps to its first angle
    robot.run(0.5)
    robot.look(0.1, "people", "person")
    robot.order(Look(pan_deg=-30))
    robot.run(3, until=lambda: robot.is_idle)
    assert robot.said("failed") == [("failed", "an order needs the same part of the body")]
    assert robot.board.servos["pan"] == pytest.approx(-30, abs=2)


# ---- no chain of reflexes goes on for ever

MOVING = (
    Move(distance_m=0.05), Move(distance_m=-0.05), Turn(angle_deg=10), Look(pan_deg=30),
    Gesture(name="nod"), Grip(state="open"),
)  # fmt: skip
TASKS = {"mask_missing": ("mask", "no_mask"), "mask_present": ("mask", "mask"),
         "person_seen": ("people", "person"), "digit_seen": ("digits", "3")}  # fmt: skip


class Adversary:
    """A world that answers every command with the next event of some rule."""

    def __init__(self, robot: ModelRobot) -> None:
        self.robot = robot
        self.sit_ups = 0

    def provoke(self, event: str) -> None:
        robot, board = self.robot, self.robot.board
        if event == "sit_up":
            self.sit_ups += 1
            robot.see("situps", sit_ups=self.sit_ups)
        elif event == "person_gone":
            robot.see("people", "person")
            robot.see("people")
        elif event in TASKS:
            task, label = TASKS[event]
            robot.see(task)
            robot.see(task, label)
        else:
            calm, upset = {
                "obstacle": ((None, 7.4), (0.25, 7.4)),
                "battery_low": ((None, 7.4), (None, 6.7)),
            }[event]
            for board.range_m, board.battery_v in (calm, upset):
                robot.controller.tick(board.step())


rules = st.builds(
    lambda event, actions, priority, interrupts: on(
        event,
        *actions,
        value=3 if event == "digit_seen" else None,
        priority=priority,
        interrupts=interrupts,
    ),
    st.sampled_from(EVENTS),
    st.lists(st.sampled_from(MOVING), min_size=1, max_size=3),
    st.integers(-2, 2),
    st.sampled_from(["nothing", "reflexes", "everything"]),
)


@given(
    st.lists(rules, min_size=1, max_size=6), st.integers(0, 2**32), st.sampled_from([0.1, 0.4, 1])
)
@settings(max_examples=20)
def test_no_set_of_rules_in_any_world_goes_on_for_ever(
    rule_set: list[Reflex], seed: int, patience: float
) -> None:
    """However quickly the world answers, and whoever arms the gate again meanwhile."""
    luck = random.Random(seed)
    with patch.object(controller, "MOVES_PER_ORDER", 20):
        robot = ModelRobot(reflexes=tuple(rule_set))
    world = Adversary(robot)
    events = sorted({rule.event for rule in rule_set})
    for _ in range(1000):
        world.provoke(luck.choice(events))
        if any(text.endswith("resting until the next order") for _, text in robot.said("ignored")):
            break
        if luck.random() < patience:
            robot.run(8, until=lambda: robot.is_idle)
        robot.gate.arm(robot.board.now_ns)
    robot.run(60, until=lambda: robot.is_idle)
    assert robot.is_idle
    assert len(robot.said("fired")) == 20
    sent = [s for s in robot.board.sent if s.what != "stop"]
    for event in events * 3:
        world.provoke(event)
        robot.run(1)
    assert [s for s in robot.board.sent if s.what != "stop"] == sent


def test_the_budget_is_a_persons_to_renew() -> None:
    robot = ModelRobot(reflexes=(on("sit_up", Gesture(name="nod")),))
    robot.run(0.05)
    robot.see("situps", sit_ups=0)
    for count in range(1, MOVES_PER_ORDER + 50):
        robot.see("situps", sit_ups=count)
        robot.run(1, until=lambda: robot.is_idle)
    assert len(robot.said("fired")) == MOVES_PER_ORDER
    robot.order(Say(text="go on"))
    robot.see("situps", sit_ups=MOVES_PER_ORDER + 60)
    assert len(robot.said("fired")) > MOVES_PER_ORDER


def test_what_cannot_be_kept_is_not_done_either(monkeypatch: pytest.MonkeyPatch) -> None:
    robot = ModelRobot()

    def full(*_: object) -> None:
        raise WriteError(expected="room", found="none", remedy="free some")

    monkeypatch.setattr(robot.book, "_keep", full)
    with pytest.raises(WriteError):
        robot.order(When(event="sit_up", actions=(Gesture(name="nod"),)), Move())
    assert not robot.controller.busy


@pytest.mark.parametrize(
    ("event", "limits", "calm", "upset"),
    [
        ("battery_low", {}, (None, 7.4), (None, 6.7)),
        ("battery_low", {"battery_min_v": 9.6}, (None, 11.1), (None, 9.9)),
        ("obstacle", {}, (0.35, 7.4), (0.25, 7.4)),
        ("obstacle", {"obstacle_m": 0.4}, (0.9, 7.4), (0.7, 7.4)),
    ],
)
def test_what_is_low_or_near_goes_by_the_robots_own_limits(
    event: str,
    limits: dict[str, float],
    calm: tuple[float | None, float],
    upset: tuple[float | None, float],
) -> None:
    robot = ModelRobot(limits=limits, reflexes=(on(event, Light(color="red")),))
    robot.board.range_m, robot.board.battery_v = calm
    robot.run(0.5)
    assert robot.said("fired") == []
    robot.board.range_m, robot.board.battery_v = upset
    robot.run(0.5)
    assert len(robot.said("fired")) == 1
