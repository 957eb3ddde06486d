"""The other process of test_round_trip: gives back what it gets, by topic, service and action."""

from __future__ import annotations

import contextlib
from typing import Any

import rclpy
from rclpy.action import ActionServer
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from reflexarc_interfaces.action import RunPlan
from reflexarc_interfaces.msg import Event, Observation, Plan, RobotState
from reflexarc_interfaces.srv import Arm, EStop, MakePlan


class Echo(Node):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("echo")
        for kind in (Observation, RobotState, Event, Plan):
            name = kind.__name__.lower()
            answer = self.create_publisher(kind, f"{name}/back", 10)
            self.create_subscription(kind, name, answer.publish, 10)
        self.create_service(MakePlan, "make_plan", self.make_plan)
        self.create_service(Arm, "arm", self.arm)
        self.create_service(EStop, "e_stop", self.e_stop)
        self.server = ActionServer(self, RunPlan, "run_plan", self.run_plan)

    def make_plan(self, request: Any, response: Any) -> Any:
        response.plan = Plan(status="clarify", message=request.text, planner="echo")
        return response

    def arm(self, request: Any, response: Any) -> Any:
        response.success, response.message = request.arm, "armed"
        return response

    def e_stop(self, request: Any, response: Any) -> Any:
        response.success, response.message = True, request.reason
        return response

    def run_plan(self, goal: Any) -> Any:
        for kind in ("started", "finished"):
            goal.publish_feedback(RunPlan.Feedback(event=Event(kind=kind, text=goal.request.text)))
        goal.succeed()
        return RunPlan.Result(outcome="done", plan=goal.request.plan)


def main() -> None:
    rclpy.init()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Echo())
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
