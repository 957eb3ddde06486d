"""The base node's side of the graph, played by a test: states out, commands kept.

For what a brain does when its base says this or that. The real one is in other tests.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from reflexarc_interfaces.msg import RobotState
from reflexarc_interfaces.srv import Arm, EStop
from ros_graph import Ear, Graph

from reflexarc.robot.nodes import graph as names

_PERIOD_S = 0.01


class ScriptedBase:
    """Publishes `robot_state` a hundred times a second; wheels follow what is asked at once."""

    def __init__(self, graph: Graph, *, gate: str = "disarmed", reason: str = "not armed yet"):
        self.gate, self.reason, self.by_hand, self.connection = gate, reason, False, "connected"
        self.range_m = math.nan
        self.armings: list[bool] = []
        self.stops: list[str] = []
        self.refuses = ""
        self.speeds: Ear = graph.hear(names.BRAIN_CMD_VEL)
        self.halts: Ear = graph.hear(names.HALT)
        self.joints: Ear = graph.hear(names.JOINT_COMMANDS)
        self.lights: Ear = graph.hear(names.LIGHT)
        self._encoder = [0.0, 0.0]
        self._graph = graph
        topic = names.ROBOT_STATE
        self._states = graph.node.create_publisher(topic.type, topic.name, topic.quality.profile)
        graph.node.create_service(Arm, names.ARM.name, self._arm)
        graph.node.create_service(EStop, names.E_STOP.name, self._stop)
        self.is_silent = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)

    def __enter__(self) -> ScriptedBase:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _arm(self, request: Any, response: Any) -> Any:
        self.armings.append(request.arm)
        response.success, response.message = not self.refuses, self.refuses
        if not self.refuses:
            self.gate = "armed" if request.arm else "disarmed"
            self.reason = self.gate
        return response

    def _stop(self, request: Any, response: Any) -> Any:
        self.stops.append(request.reason)
        self.gate, self.reason = "stopped", request.reason
        response.success = True
        return response

    def _publish(self) -> None:
        counts_per_m = 1440 / (math.pi * 0.065)
        while not self._ended.wait(_PERIOD_S):
            if self.is_silent:
                continue
            ahead = turning = 0.0
            if self.speeds.messages and self.gate == "armed":
                twist = self.speeds.last.twist
                ahead, turning = twist.linear.x, twist.angular.z * 0.15 / 2
            speeds = [counts_per_m * (ahead - turning), counts_per_m * (ahead + turning)]
            for side, speed in enumerate(speeds):
                self._encoder[side] += speed * _PERIOD_S
            message = RobotState()
            message.header.stamp = self._graph.node.get_clock().now().to_msg()
            message.measured_ns = time.monotonic_ns()
            message.chip_us = time.monotonic_ns() // 1000
            message.encoder = [round(count) for count in self._encoder]
            message.speed = [round(speed) for speed in speeds]
            message.battery_v, message.range_m = 7.6, self.range_m
            message.servos_deg = [0.0, 0.0, 0.0]
            message.connection, message.gate = self.connection, self.gate
            message.gate_reason, message.by_hand = self.reason, self.by_hand
            self._states.publish(message)
