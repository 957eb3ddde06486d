"""Asks lifecycle nodes for their state and for transitions: lines of JSON in and out.

``{"id": 1, "do": "state", "node": "/base"}`` is answered with ``{"id": 1, "state": "inactive"}``
as soon as the node is there and in none of its passing states. ``{"id": 2, "do": "change",
"node": "/base", "transition": "activate"}`` is answered with ``"success"``: true, false, or null
where the answer was lost. ``{"id": 1, "do": "forget"}`` ends the asking. ``{"id": 0, "do":
"expect", "node": "/base"}`` has no answer: the node will be asked for, so that it is looked for
already. Ends with its stdin.

`reflexarc launch` runs it beside the nodes, so that the launcher itself needs no rclpy.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

_LOOK_S = 0.02
# A request to a server that is gone, or that has not yet found us, is never answered.
_ASK_AGAIN_S = 0.5
# A transition may take long. A node that is in one answers no other question, so its answer
# to GetState tells that the transition is over and its own answer lost.
_ASK_BESIDE_S = 1.0
_LOST_S = 0.5

_STATES = {
    State.PRIMARY_STATE_UNCONFIGURED: "unconfigured",
    State.PRIMARY_STATE_INACTIVE: "inactive",
    State.PRIMARY_STATE_ACTIVE: "active",
    State.PRIMARY_STATE_FINALIZED: "finalized",
}


@dataclass
class _Question:
    number: int
    node: str
    transition: str | None
    since: float = 0.0
    """When the transition was asked for; 0: not yet."""
    told: float = 0.0
    """When the node told its state while the transition was out; 0: not yet."""
    asked: float = 0.0
    futures: list[tuple[Any, Any]] = field(default_factory=list)


class Asker:
    """Holds the open questions and looks after them until they are answered."""

    def __init__(self, node: Any) -> None:
        """For a node that an executor spins."""
        self._node = node
        self._open: dict[int, _Question] = {}
        self._clients: dict[tuple[str, type], Any] = {}

    @property
    def busy(self) -> bool:
        """Whether a question is open."""
        return bool(self._open)

    def take(self, question: dict[str, Any]) -> None:
        """A line of input."""
        number = int(question["id"])
        if question["do"] == "forget":
            self._drop(number)
            return
        if question["do"] == "expect":
            self._client(question["node"], "get_state", GetState)
            self._client(question["node"], "change_state", ChangeState)
            return
        transition = str(question["transition"]) if question["do"] == "change" else None
        self._open[number] = _Question(number, str(question["node"]), transition)

    def look(self) -> None:
        """Ask what is due, and see what came back. To be called every now and then."""
        now = time.monotonic()
        for question in list(self._open.values()):
            if question.transition is None:
                self._look_for_state(question, now)
            else:
                self._look_for_change(question, now)

    def _look_for_state(self, question: _Question, now: float) -> None:
        state = self._state_told(question)
        if state is not None:
            self._answer(question, state=state)
        elif not question.asked or now - question.asked > _ASK_AGAIN_S:
            self._ask_state(question, now)

    def _look_for_change(self, question: _Question, now: float) -> None:
        if not question.since:
            client = self._client(question.node, "change_state", ChangeState)
            if client.service_is_ready():
                request = ChangeState.Request()
                # Which number "shutdown" has depends on the state; the node knows it by its label.
                request.transition.label = question.transition
                question.futures.append((client, client.call_async(request)))
                question.since = question.asked = now
            return
        for client, future in question.futures:
            if client.srv_type is ChangeState and future.done():
                self._answer(question, success=bool(future.result().success))
                return
        if question.told:
            if now - question.told > _LOST_S:
                self._answer(question, success=None)
        elif self._state_told(question) is not None:
            question.told = now
        elif now - question.asked > _ASK_BESIDE_S:
            self._ask_state(question, now)

    def _ask_state(self, question: _Question, now: float) -> None:
        client = self._client(question.node, "get_state", GetState)
        if client.service_is_ready():
            question.futures.append((client, client.call_async(GetState.Request())))
            question.asked = now

    def _state_told(self, question: _Question) -> str | None:
        for client, future in question.futures:
            if client.srv_type is GetState and future.done():
                state = _STATES.get(future.result().current_state.id)
                if state is not None:
                    return state
                question.futures.remove((client, future))  # it is passing: ask again
                return None
        return None

    def _client(self, node: str, name: str, kind: type) -> Any:
        key = (node, kind)
        if key not in self._clients:
            self._clients[key] = self._node.create_client(kind, f"{node}/{name}")
        return self._clients[key]

    def _answer(self, question: _Question, **answer: Any) -> None:
        self._drop(question.number)
        print(json.dumps({"id": question.number, **answer}), flush=True)

    def _drop(self, number: int) -> None:
        question = self._open.pop(number, None)
        for client, future in question.futures if question is not None else ():
            if not future.done():
                client.remove_pending_request(future)


def main() -> None:
    """Answer questions until stdin ends."""
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(
        f"reflexarc_launch_{os.getpid()}", start_parameter_services=False, enable_rosout=False
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    asker = Asker(node)
    lines: deque[str | None] = deque()
    news = node.create_guard_condition(lambda: None)

    def listen() -> None:
        for line in sys.stdin:
            lines.append(line)
            news.trigger()
        lines.append(None)
        news.trigger()

    threading.Thread(target=listen, name="stdin", daemon=True).start()
    while True:
        # Nothing to do while no question is open: then only a line wakes it.
        executor.spin_once(timeout_sec=_LOOK_S if asker.busy else None)
        while lines:
            line = lines.popleft()
            if line is None:
                node.destroy_node()
                rclpy.shutdown()
                return
            asker.take(json.loads(line))
        asker.look()


if __name__ == "__main__":
    main()
