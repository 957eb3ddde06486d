"""A laptop that drives: what brain says to base, word by word from stdin.

    arm                 asks the service, again every second until it answers; the answer is a
                        line {"armed": ..., "message": ...}
    drive AHEAD TURN    says this speed (m/s, rad/s) 100 times a second from now on
    quiet               says nothing any more
    halt
    order WORDS         to brain; what it replies is a line {"reply": ...}

Each change of what base says of itself is a line {"gate": ..., "reason": ..., "heard": n}.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from typing import Any

import rclpy
from rclpy.duration import Duration
from reflexarc_interfaces.srv import Arm
from std_msgs.msg import Empty, String

from reflexarc.robot.nodes import graph

_PERIOD_S = 0.01
_ASK_AGAIN_S = 0.5


class Driver:
    """The node, and what it is saying."""

    def __init__(self, namespace: str, topic: graph.Topic, ahead_s: float) -> None:
        node = rclpy.create_node("driver", namespace=namespace)
        self.node = node
        self._topic = topic
        self._ahead = Duration(nanoseconds=round(ahead_s * 1e9))
        self._speed: tuple[float, float] | None = None
        self._told: tuple[str, str] | None = None
        self._heard = 0
        self._asking = False
        self._out = node.create_publisher(topic.type, topic.name, topic.quality.offered)
        self._halt = node.create_publisher(
            graph.HALT.type, graph.HALT.name, graph.HALT.quality.profile
        )
        self._arm = node.create_client(Arm, graph.ARM.name)
        orders, replies, states = graph.ORDERS, graph.REPLIES, graph.ROBOT_STATE
        self._orders = node.create_publisher(orders.type, orders.name, orders.quality.offered)
        node.create_subscription(
            replies.type,
            replies.name,
            lambda reply: print(json.dumps({"reply": reply.data}), flush=True),
            replies.quality.profile,
        )
        node.create_subscription(states.type, states.name, self._take, states.quality.profile)
        node.create_timer(_PERIOD_S, self._say)
        # A server drops its answer to a client it has not wholly discovered within 100 ms,
        # which over a slow network is the usual case at first contact (rmw_fastrtps).
        node.create_timer(_ASK_AGAIN_S, self._ask)

    def obey(self, word: str, *values: str) -> None:
        match word:
            case "arm":
                self._asking = True
            case "drive":
                ahead, turn = values
                self._speed = (float(ahead), float(turn))
            case "quiet":
                self._speed = None
            case "halt":
                self._halt.publish(Empty())
            case "order":
                self._orders.publish(String(data=" ".join(values)))
            case _:
                print(json.dumps({"error": word}), flush=True)

    def _say(self) -> None:
        if self._speed is None:
            return
        message = self._topic.type()
        twist = message
        if hasattr(message, "header"):
            message.header.stamp = (self.node.get_clock().now() + self._ahead).to_msg()
            twist = message.twist
        twist.linear.x, twist.angular.z = self._speed
        self._out.publish(message)

    def _ask(self) -> None:
        if self._asking and self._arm.service_is_ready():
            self._arm.call_async(Arm.Request(arm=True)).add_done_callback(self._armed)

    def _armed(self, future: Any) -> None:
        answer = future.result()
        self._asking = False
        print(json.dumps({"armed": answer.success, "message": answer.message}), flush=True)

    def _take(self, state: Any) -> None:
        self._heard += 1
        told = (state.gate, state.gate_reason)
        if told != self._told:
            self._told = told
            print(
                json.dumps({"gate": told[0], "reason": told[1], "heard": self._heard}), flush=True
            )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default="")
    parser.add_argument("--topic", default="BRAIN_CMD_VEL", help="its name in robot.nodes.graph")
    parser.add_argument("--ahead", type=float, default=0.0, help="of its clock, s")
    options = parser.parse_args()
    rclpy.init()
    driver = Driver(options.namespace, getattr(graph, options.topic), options.ahead)
    threading.Thread(target=rclpy.spin, args=(driver.node,), daemon=True).start()
    for line in sys.stdin:
        driver.obey(*line.split())


if __name__ == "__main__":
    main()
