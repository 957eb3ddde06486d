"""Between two processes: what arrives is what was sent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from rclpy.action import ActionClient
from reflexarc_interfaces.action import RunPlan
from reflexarc_interfaces.msg import (
    Count,
    Detection,
    Event,
    Keypoint,
    NamedValue,
    Observation,
    Plan,
    RobotState,
)
from reflexarc_interfaces.srv import Arm, EStop, MakePlan
from ros_graph import Ear, Graph
from std_msgs.msg import Header

HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id="camera_optical_frame")
PLAN = Plan(
    status="ok",
    actions='[{"do": "say", "text": "你好"}]',
    message="",
    planner="parser",
    confidence=1 / 3,
)
MESSAGES = [
    Observation(
        header=HEADER,
        captured_ns=2**62 + 1,
        seq=2**63 + 5,
        source="box:/tmp/frames",
        task="pose",
        image_width=320,
        image_height=240,
        detections=[
            Detection(
                label="person",
                score=0.1 + 0.2,
                x=-1.5,
                y=1e-300,
                width=320.0,
                height=240.25,
                track=7,
                keypoints=[Keypoint(x=1 / 3, y=2 / 3, score=0.9)] * 17,
                values=[NamedValue(name="dwell_s", value=2.5)],
            )
        ],
        counts=[Count(name="sit_ups", value=-(2**40))],
    ),
    RobotState(
        header=HEADER,
        measured_ns=987654321,
        chip_us=2**40,
        encoder=[-(2**40), 2**40],
        speed=[-5500, 5500],
        duty=[-255, 255],
        motors_on=True,
        faults=["host_timeout"],
        battery_v=7.4,
        range_m=float("inf"),
        servos_deg=[45.5, -30.1, 0.0],
        rx_errors=2**32 - 1,
        connection="connected",
        gate="armed",
        by_hand=True,
    ),
    Event(
        header=HEADER,
        kind="started",
        text="向左转",
        rule="when mask_missing",
        action='{"do": "turn", "angle_deg": 90}',
        result=[NamedValue(name="left_m", value=-0.1)],
        frame_ns=1,
        observed_ns=2,
        decided_ns=3,
        acknowledged_ns=4,
    ),
    PLAN,
]


@pytest.fixture(scope="module")
def both() -> Iterator[Graph]:
    with Graph() as graph:
        other = Path(__file__).with_name("echo.py")
        process = subprocess.Popen([sys.executable, other], stderr=subprocess.DEVNULL)
        yield graph
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_went(both: Graph, message: Any) -> None:
    name, ear = type(message).__name__.lower(), Ear()
    publisher = both.node.create_publisher(type(message), name, 10)
    both.node.create_subscription(type(message), f"{name}/back", ear.take, 10)
    both.wait_until(lambda: publisher.get_subscription_count() == 1)
    both.wait_until(lambda: both.node.count_publishers(f"/{name}/back") == 1)
    for _ in range(200):  # the way back may be found later than the way there
        publisher.publish(message)
        time.sleep(0.1)
        if ear.messages:
            break
    assert ear.last == message


def test_the_services_answer(both: Graph) -> None:
    made = both._ask(MakePlan, "make_plan", MakePlan.Request(text="去哪里?"), 20)
    assert (made.plan.status, made.plan.message) == ("clarify", "去哪里?")
    armed = both._ask(Arm, "arm", Arm.Request(arm=True), 20)
    assert (armed.success, armed.message) == (True, "armed")
    stopped = both._ask(EStop, "e_stop", EStop.Request(reason="smoke"), 20)
    assert (stopped.success, stopped.message) == (True, "smoke")


def test_a_plan_is_run_with_its_events_on_the_way(both: Graph) -> None:
    client = ActionClient(both.node, RunPlan, "run_plan")
    assert client.wait_for_server(20)
    heard: list[Any] = []
    goal = RunPlan.Goal(text="say hello", plan=PLAN, confirmed=True)
    accepted = wait(client.send_goal_async(goal, lambda told: heard.append(told.feedback.event)))
    result = wait(accepted.get_result_async()).result
    assert (result.outcome, result.plan) == ("done", PLAN)
    both.wait_until(lambda: len(heard) == 2)
    assert [(one.kind, one.text) for one in heard] == [
        ("started", "say hello"),
        ("finished", "say hello"),
    ]
    client.destroy()


def wait(future: Any) -> Any:
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(20)
    return future.result()
