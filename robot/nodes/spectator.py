"""Watches a robot's graph for a program without ROS: lines of JSON in and out.

It says what comes on ``events``, ``observations``, ``replies`` and ``robot_state`` (ten times
a second), and writes the annotated pictures to a folder; it is told orders for ``orders``, and
``{"arm": true}`` or ``{"e_stop": reason}`` for the services. The lines are those of a robot
without ROS (`reflexarc.cli.box.lines`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.convert import event_dict, observation_of

_STATE_S = 0.1
_ANSWER_S = 5.0
_TURN_S = 0.1
_writing = threading.Lock()


def say(kind: str, value: Any, **more: Any) -> None:
    """One line, at once, from any thread. Where nobody listens any more, nothing."""
    line = json.dumps({kind: value, "mono_ns": time.monotonic_ns(), **more}, ensure_ascii=False)
    with _writing, contextlib.suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class Spectator(Node):  # type: ignore[misc]
    """Sees and tells; and passes on what it is told."""

    def __init__(self, pictures: Path | None) -> None:
        """Subscribe. `pictures`: a folder for what perception has drawn."""
        super().__init__("spectator")
        self._state_ns = 0
        self._pictures = pictures
        self._orders = self._publisher(graph.ORDERS)
        self._arm = self.create_client(graph.ARM.type, graph.ARM.name)
        self._e_stop = self.create_client(graph.E_STOP.type, graph.E_STOP.name)
        self._listen(graph.EVENTS, self._event)
        self._listen(graph.OBSERVATIONS, self._observation)
        self._listen(graph.REPLIES, self._reply)
        self._listen(graph.ROBOT_STATE, self._robot_state)
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            self._listen(graph.ANNOTATED, self._annotated)

    def order(self, text: str) -> None:
        """Say a sentence to the robot, once somebody hears it."""
        deadline = time.monotonic() + _ANSWER_S
        while not self._orders.get_subscription_count() and time.monotonic() < deadline:
            time.sleep(0.01)
        self._orders.publish(String(data=text))

    def arm(self) -> None:
        """Arm it; says the answer."""
        self._call("armed", self._arm, graph.ARM.type.Request(arm=True))

    def e_stop(self, reason: str) -> None:
        """Stop it; says the answer."""
        self._call("e_stopped", self._e_stop, graph.E_STOP.type.Request(reason=reason))

    def _call(self, name: str, client: Any, request: Any) -> None:
        if not client.wait_for_service(_ANSWER_S):
            say("failed", f"nobody answers {client.srv_name}")
            return
        future = client.call_async(request)
        future.add_done_callback(
            lambda done: say(name, done.result().success, message=done.result().message)
        )

    def _publisher(self, topic: graph.Topic) -> Any:
        return self.create_publisher(topic.type, topic.name, topic.quality.offered)

    def _listen(self, topic: graph.Topic, callback: Any) -> None:
        self.create_subscription(topic.type, topic.name, callback, topic.quality.profile)

    def _event(self, message: Any) -> None:
        stations = {
            name: getattr(message, f"{name}_ns")
            for name in ("frame", "told", "observed", "decided", "acknowledged")
        }
        say("event", {**event_dict(message), "stations": stations if stations["decided"] else None})

    def _observation(self, message: Any) -> None:
        seen = observation_of(message, message.captured_ns)
        say("observation", seen.as_dict(), size=[message.image_width, message.image_height])

    def _reply(self, message: Any) -> None:
        say("reply", {"text": message.data})

    def _robot_state(self, message: Any) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._state_ns >= _STATE_S * 1e9:
            self._state_ns = now_ns
            names = ("connection", "gate", "gate_reason")
            say("state", {name: getattr(message, name) for name in names})

    def _annotated(self, message: Any) -> None:
        assert self._pictures is not None
        stamp_ns = time.monotonic_ns()
        path = self._pictures / f"{stamp_ns}.jpg"
        with contextlib.suppress(OSError):
            path.write_bytes(bytes(message.data))
            say("picture", str(path), stamp_ns=stamp_ns)


def main() -> None:
    """Watch until stdin ends, or a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder for perception's pictures")
    options, _ = parser.parse_known_args()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    node = Spectator(options.pictures)
    executor = EventsExecutor()
    executor.add_node(node)
    threading.Thread(target=_obey, args=(node, ended), daemon=True).start()
    say("ready", True)
    with contextlib.suppress(ExternalShutdownException):
        while not ended.is_set():
            executor.spin_once(timeout_sec=_TURN_S)  # signals reach Python between two turns
    node.destroy_node()
    rclpy.try_shutdown()


def _obey(node: Spectator, ended: threading.Event) -> None:
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError:
            continue
        if request.get("end"):
            break
        if "order" in request:
            node.order(str(request["order"]))
        elif "arm" in request:
            node.arm()
        elif "e_stop" in request:
            node.e_stop(str(request["e_stop"]))
    ended.set()


if __name__ == "__main__":
    main()
