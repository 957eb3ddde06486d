"""The brain node, a real process, before a base that the test plays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.action import ActionClient
from reflexarc_interfaces.action import RunPlan
from reflexarc_interfaces.msg import Observation as ObservationMessage
from reflexarc_interfaces.srv import Arm, MakePlan
from ros_graph import Ear, Graph, NodeProcess
from scripted_base import ScriptedBase
from std_msgs.msg import String

from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.robot.nodes import graph as names
from reflexarc.robot.nodes.convert import event_dict, observation_message

MODULE = "reflexarc.robot.nodes.brain"
RULES = """
name: {name}
reflexes:
  - {{event: mask_missing, hold_s: 0.0, actions: [{{do: move, distance_m: 2.0}}]}}
  - {{event: digit_seen, value: 3, hold_s: 0.0, actions: [{{do: light, color: red}}]}}
"""


class Brain:
    """A brain node in front of a scripted base, with all that it says."""

    def __init__(self, graph: Graph, folder: Path, **parameters: Any) -> None:
        config = folder / "robot.yaml"
        config.write_text(RULES.format(name=f"test{graph.domain}-{folder.name}"[:40]))
        self.graph = graph
        self.base = ScriptedBase(graph)
        self.events: Ear = graph.hear(names.EVENTS)
        self.replies: Ear = graph.hear(names.REPLIES)
        self.needed: Ear = graph.hear(names.NEEDED_TASKS)
        self.process: NodeProcess = graph.start(
            MODULE, config=config, state_folder=folder, listen=False, **parameters
        )
        self.say_to = graph.speaker(names.ORDERS)
        self.look_at = graph.speaker(names.OBSERVATIONS)
        graph.speaker(names.ROBOT_STATE)
        self._seq = 0
        self.mark()

    def close(self) -> None:
        self.process.close()
        self.base.close()

    def say(self, text: str) -> None:
        self.mark()
        self.say_to(String(data=text))

    def mark(self) -> None:
        """What is waited for comes after this."""
        self._moved, self._told = len(self.base.speeds.messages), len(self.events.messages)

    def wait_moving(self) -> None:
        until(self.base.speeds, moving, self._moved)

    def wait_event(self, kind: str) -> Any:
        return until(self.events, lambda message: message.kind == kind, self._told)

    def see(self, task: str, label: str) -> None:
        found = Detection(label, 0.99, Box(200, 100, 200, 200))
        self._seq += 1
        seen = Observation(time.monotonic_ns(), self._seq, "test", task, (found,))
        self.look_at(observation_message(seen, (640, 480), self.now()))

    def now(self) -> Any:
        return self.graph.node.get_clock().now().to_msg()

    def wait_armed(self) -> None:
        self.graph.wait_until(lambda: self.base.gate == "armed")
        # Told by a brain that lives.
        until(self.needed, lambda message: bool(message.data == "digits,mask"))
        time.sleep(0.1)


@pytest.fixture
def brain(graph: Graph, tmp_path: Path) -> Iterator[Brain]:
    brain = Brain(graph, tmp_path)
    try:
        brain.wait_armed()
        yield brain
    finally:
        print(brain.process.text)
        for message in brain.events.messages:
            print(message.kind, message.text)
        brain.close()


class Client:
    """Calls run_plan."""

    def __init__(self, graph: Graph) -> None:
        self._client = ActionClient(graph.node, RunPlan, names.RUN_PLAN.name)
        assert self._client.wait_for_server(20.0)
        self.events: list[dict[str, Any]] = []
        self.goal: Any = None

    def send(self, **goal: Any) -> Client:
        self.goal = self.result_of(
            self._client.send_goal_async(
                RunPlan.Goal(**goal),
                feedback_callback=lambda m: self.events.append(event_dict(m.feedback.event)),
            )
        )
        return self

    @staticmethod
    def result_of(future: Any, timeout: float = 20.0) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(timeout), "no answer"
        return future.result()

    def result(self) -> Any:
        return self.result_of(self.goal.get_result_async()).result

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]


def until(ear: Ear, what: Callable[[Any], bool], since: int = 0, timeout: float = 20.0) -> Any:
    """The first message, of those heard already too, that is so."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for message in ear.messages[since:]:
            if what(message):
                return message
        time.sleep(0.01)
    raise AssertionError(f"not heard; the last were {ear.messages[-3:]}")


def moving(message: Any) -> bool:
    return bool(message.twist.linear.x > 0.01)


def resting(message: Any) -> bool:
    return message.twist.linear.x == 0 and message.twist.angular.z == 0


def test_what_is_seen_fires_a_rule_and_the_command_goes_to_the_base(brain: Brain) -> None:
    brain.see("mask", "no_mask")
    brain.wait_moving()
    started = brain.events.messages[-1]
    kinds = [message.kind for message in brain.events.messages]
    assert kinds[:2] == ["fired", "started"], kinds
    assert started.frame_ns <= started.observed_ns <= started.decided_ns <= started.acknowledged_ns


def test_eyes_that_fall_silent_stop_what_goes_by_them(brain: Brain) -> None:
    brain.see("mask", "no_mask")
    brain.wait_moving()
    # No further frame: as if perception had been killed.
    failed = brain.wait_event("failed")
    assert failed.text == "no new frame"
    brain.graph.wait_until(lambda: brain.base.gate == "stopped")
    assert brain.base.stops == ["no new frame"], "the base's gate is latched with the brain's"
    until(brain.base.halts, bool)


def test_a_perception_that_is_gone_stops_what_an_order_moves(brain: Brain) -> None:
    """Ended here; killed in tests/scenarios/test_kills.py."""
    life = brain.graph.node.create_publisher(
        names.EYES.type, names.EYES.name, names.EYES.quality.offered
    )
    brain.graph.wait_until(lambda: life.get_subscription_count() == 1)
    time.sleep(0.5)  # it has to be known there too, and alive
    brain.say("go forward 2 metres")
    brain.wait_moving()
    brain.graph.node.destroy_publisher(life)
    assert brain.wait_event("failed").text == "perception is gone"
    brain.graph.wait_until(lambda: brain.base.gate == "stopped")
    assert brain.base.stops == ["perception is gone"]


def test_an_order_is_done_and_answered(brain: Brain) -> None:
    brain.say("turn the light red")
    reply = until(brain.replies, bool)
    assert "red" in reply.data
    light = brain.base.lights.last
    assert (light.r, light.g, light.b) == (1.0, 0.0, 0.0)


def test_stop_by_topic_stops_a_move_at_once(brain: Brain) -> None:
    brain.say("go forward 1 metre")
    brain.wait_moving()
    count = len(brain.base.speeds.messages)
    brain.say("停！")
    until(brain.base.halts, bool)
    brain.graph.wait_until(lambda: resting(brain.base.speeds.last))
    after = brain.base.speeds.messages[count:]
    first_rest = next(i for i, message in enumerate(after) if resting(message))
    assert all(map(resting, after[first_rest:])), "nothing moves after the stop"
    assert brain.base.gate == "armed", "a word is no alarm"


def test_needed_tasks_are_those_of_rules_and_of_what_is_under_way(brain: Brain) -> None:
    until(brain.needed, lambda message: message.data == "digits,mask")
    brain.say("count 3 sit-ups")
    until(brain.needed, lambda message: message.data == "digits,mask,situps")
    brain.say("stop")
    until(
        brain.needed, lambda message: message.data == "digits,mask", len(brain.needed.messages) - 1
    )


def test_one_arm_call_arms_brain_and_base_after_either_has_stopped(brain: Brain) -> None:
    brain.base.gate, brain.base.reason = "stopped", "bumped"
    brain.say("go forward 1 metre")
    failed = brain.wait_event("failed")
    assert "bumped" in failed.text
    brain.graph.call(names.ARM, Arm.Request(arm=True))
    time.sleep(0.1)
    brain.say("go forward 1 metre")
    brain.wait_moving()


def test_a_hand_takes_the_wheels_without_being_halted(brain: Brain) -> None:
    halts = len(brain.base.halts.messages)
    brain.say("go forward 1 metre")
    brain.wait_moving()
    brain.base.by_hand = True
    failed = brain.wait_event("failed")
    assert failed.text == "driven by hand"
    assert len(brain.base.halts.messages) == halts, "it would stop the hand, too"
    brain.graph.wait_until(lambda: resting(brain.base.speeds.last))
    brain.say("go forward 1 metre")
    failed = brain.wait_event("failed")
    assert failed.text == "driven by hand"
    brain.base.by_hand = False
    time.sleep(0.3)
    brain.say("go forward 1 metre")
    brain.wait_moving()


def test_a_base_that_falls_silent_stops_everything_until_somebody_arms(brain: Brain) -> None:
    brain.say("go forward 2 metres")
    brain.wait_moving()
    brain.base.is_silent = True
    failed = brain.wait_event("failed")
    assert "silence from the base" in failed.text
    brain.base.is_silent = False
    brain.graph.wait_until(lambda: brain.base.gate == "stopped")
    time.sleep(0.2)  # nobody arms before the brain has been told that the base is stopped
    brain.graph.call(names.ARM, Arm.Request(arm=True))
    time.sleep(0.1)
    brain.say("go forward 1 metre")
    brain.wait_moving()


def test_a_base_that_loses_its_board_stops_everything(brain: Brain) -> None:
    brain.say("go forward 2 metres")
    brain.wait_moving()
    brain.base.connection = "reconnecting"
    failed = brain.wait_event("failed")
    assert "reconnecting" in failed.text
    assert brain.process.process.poll() is None


def test_a_plan_is_made_and_not_done(brain: Brain) -> None:
    answer = brain.graph.call(names.MAKE_PLAN, MakePlan.Request(text="go forward 1 metre"))
    assert answer.plan.status == "ok"
    assert '"distance_m": 1.0' in answer.plan.actions
    assert not any(map(moving, brain.base.speeds.messages))


def test_run_plan_tells_what_happens_and_ends_as_done(brain: Brain) -> None:
    client = Client(brain.graph).send(text="go forward 20 cm")
    result = client.result()
    assert (result.outcome, result.plan.status) == ("done", "ok"), result
    assert client.kinds()[0] == "started"
    assert client.kinds()[-1] == "finished"
    assert client.events[-1]["left_m"] == pytest.approx(0.2, abs=0.03)


def test_run_plan_takes_a_plan_and_refuses_what_is_none(brain: Brain) -> None:
    goal = RunPlan.Goal()
    goal.plan.status, goal.plan.actions = "ok", '[{"do": "light", "color": "blue"}]'
    assert Client(brain.graph).send(plan=goal.plan).result().outcome == "done"
    assert brain.base.lights.last.b == 1.0
    goal.plan.actions = '[{"do": "fly"}]'
    result = Client(brain.graph).send(plan=goal.plan).result()
    assert result.outcome == "failed"
    assert "actions" in result.message


def test_run_plan_asks_for_a_word_before_what_is_risky(brain: Brain) -> None:
    client = Client(brain.graph).send(text="go forward 5 metres")
    assert client.result().outcome == "confirm"
    assert not any(map(moving, brain.base.speeds.messages))
    client = Client(brain.graph).send(text="go forward 5 metres", confirmed=True)
    brain.wait_moving()
    Client.result_of(client.goal.cancel_goal_async())
    assert client.result().outcome == "stopped"
    brain.graph.wait_until(lambda: resting(brain.base.speeds.last))


def test_a_second_goal_goes_instead_of_the_first(brain: Brain) -> None:
    first = Client(brain.graph).send(text="go forward 2 metres")
    brain.wait_moving()
    second = Client(brain.graph).send(text="turn left 10 degrees")
    result = first.result()
    assert (result.outcome, result.message) == ("failed", "another order came")
    assert second.result().outcome == "done"


def test_stop_as_a_goal_ends_the_one_under_way(brain: Brain) -> None:
    first = Client(brain.graph).send(text="go forward 2 metres")
    brain.wait_moving()
    assert Client(brain.graph).send(text="stop").result().outcome == "done"
    assert first.result().outcome == "stopped"


def test_a_sentence_that_is_no_order_is_refused_or_answered(brain: Brain) -> None:
    assert Client(brain.graph).send(text="fly to the moon").result().outcome == "refused"
    assert Client(brain.graph).send(text="which rules do you have?").result().outcome == "answer"


def test_deactivated_it_rests_and_activated_again_it_works(brain: Brain) -> None:
    brain.say("go forward 2 metres")
    brain.wait_moving()
    assert brain.graph.change("brain", "deactivate")
    assert brain.base.halts.messages
    assert resting(brain.base.speeds.last)
    assert brain.graph.change("brain", "activate")
    brain.graph.wait_until(lambda: brain.needed.last.data == "digits,mask")
    brain.say("go forward 1 metre")
    brain.wait_moving()
    assert brain.process.terminate() == 0
    assert resting(brain.base.speeds.last)


def test_a_message_of_nonsense_does_no_harm(brain: Brain) -> None:
    message = ObservationMessage(task="", image_width=0)
    message.header.stamp.sec = 2**31 - 1
    brain.look_at(message)
    brain.say("\x00" * 100)
    until(brain.replies, bool)
    brain.see("digits", "3")
    until(brain.base.lights, lambda light: light.r == 1.0)


def test_a_stopped_base_is_left_for_a_person_to_arm(graph: Graph, tmp_path: Path) -> None:
    brain = Brain(graph, tmp_path)
    brain.base.gate, brain.base.reason = "stopped", "no new command"
    try:
        brain.process.wait_for_text("no new command; arm it on purpose")
        assert not brain.base.armings
    finally:
        brain.close()


def test_told_not_to_it_does_not_arm(graph: Graph, tmp_path: Path) -> None:
    brain = Brain(graph, tmp_path, armed=False)
    try:
        brain.process.wait_for_text("call the service arm")
        assert not brain.base.armings
        graph.call(names.ARM, Arm.Request(arm=True))
        brain.say("go forward 1 metre")
        brain.wait_moving()
    finally:
        brain.close()
