"""A place in a ROS graph of its own for a test: listen, speak, call, and start real nodes.

Everything runs in a domain that nobody else uses, on this machine only.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from reflexarc.robot.nodes.graph import Call, Topic

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_numbers = itertools.count()
TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "cleanup": Transition.TRANSITION_CLEANUP,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
}


def next_domain() -> int:
    """1 to 101, another one each time, and another in each process."""
    return (os.getpid() * 13 + next(_numbers) * 7) % 101 + 1


class Ear:
    """Everything that was heard on a topic so far."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._news = threading.Condition()

    def take(self, message: Any) -> None:
        with self._news:
            self.messages.append(message)
            self._news.notify_all()

    @property
    def last(self) -> Any:
        return self.messages[-1]

    def wait_for(
        self, what: Callable[[Any], bool] = lambda message: True, timeout: float = 20.0
    ) -> Any:
        """The next message from now on that is so."""
        start = len(self.messages)
        with self._news:

            def found() -> Any:
                return next((m for m in self.messages[start:] if what(m)), None)

            heard = self._news.wait_for(lambda: found() is not None, timeout)
            assert heard, f"not heard; the last was {self.messages[-1:]}"
            return found()


class NodeProcess:
    """A node in a process of its own; what it says is in `text`."""

    def __init__(self, module: str, words: list[str], environment: dict[str, str]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **environment},
            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for_text(self, words: str, timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while words not in self.text:
            assert self.process.poll() is None, f"it ended: {self.text}"
            assert time.monotonic() < deadline, f"no {words!r} in: {self.text}"
            time.sleep(0.02)

    def wait(self, timeout: float = 20.0) -> int:
        """Until it ends; its exit code."""
        return self.process.wait(timeout)

    def terminate(self, timeout: float = 20.0) -> int:
        self.process.terminate()
        return self.wait(timeout)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()


class Graph:
    """A graph with one node of the test's own in it; a context manager."""

    def __init__(self, name: str = "test_probe") -> None:
        self.domain = next_domain()
        self.environment = {
            "ROS_DOMAIN_ID": str(self.domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "AMENT_PREFIX_PATH": os.environ.get("AMENT_PREFIX_PATH", sys.prefix),
            # A field of the wrong type is an error at once, not nonsense on the wire.
            "ROS_PYTHON_CHECK_FIELDS": "1",
            "RCUTILS_COLORIZED_OUTPUT": "0",
            "PYTHONPATH": str(Path(__file__).parent),
        }
        self._before = {key: os.environ.get(key) for key in self.environment}
        os.environ.update(self.environment)
        self.context = rclpy.Context()
        self.context.init(domain_id=self.domain)
        self.node = rclpy.create_node(name, context=self.context, use_global_arguments=False)
        # Not the EventsExecutor: it hangs when another thread makes a subscription meanwhile.
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._spinning = threading.Thread(target=self._spin, name="test graph", daemon=True)
        self._spinning.start()
        self._processes: list[NodeProcess] = []

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    # ---- topics

    def hear(self, topic: Topic) -> Ear:
        ear = Ear()
        self.node.create_subscription(topic.type, topic.name, ear.take, topic.quality.profile)
        return ear

    def speaker(self, topic: Topic, *, to: int = 1, timeout: float = 20.0) -> Callable[[Any], None]:
        """A function that publishes; somebody listens already when this returns."""
        publisher = self.node.create_publisher(topic.type, topic.name, topic.quality.profile)
        self.wait_until(lambda: publisher.get_subscription_count() >= to, timeout)
        return publisher.publish  # type: ignore[no-any-return]

    # ---- services

    def call(self, call: Call, request: Any, timeout: float = 20.0) -> Any:
        return self._ask(call.type, call.name, request, timeout)

    def _ask(self, kind: Any, name: str, request: Any, timeout: float) -> Any:
        client = self.node.create_client(kind, name)
        try:
            assert client.wait_for_service(timeout), f"nobody serves {name}"
            done = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _: done.set())
            assert done.wait(timeout), f"{name} does not answer"
            return future.result()
        finally:
            self.node.destroy_client(client)

    def state_of(self, node: str) -> str:
        """The lifecycle state of a node."""
        answer = self._ask(GetState, f"{node}/get_state", GetState.Request(), 20.0)
        return str(answer.current_state.label)

    def change(self, node: str, transition: str) -> bool:
        """One of TRANSITIONS, or "shutdown"; was it done?"""
        if transition == "shutdown":
            request = ChangeState.Request(transition=Transition(label="shutdown"))
        else:
            request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        return bool(self._ask(ChangeState, f"{node}/change_state", request, 20.0).success)

    # ---- processes

    def start(self, module: str, *arguments: str, **parameters: Any) -> NodeProcess:
        """Start `python -m module` with parameters; it ends with the graph."""
        words = ["--ros-args", *arguments]
        for name, value in parameters.items():
            shown = str(value).lower() if isinstance(value, bool) else f"{value}"
            words += ["-p", f"{name}:={shown}"]
        process = NodeProcess(module, words, self.environment)
        self._processes.append(process)
        return process

    @staticmethod
    def wait_until(what: Callable[[], bool], timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *error: object) -> None:
        for process in reversed(self._processes):
            process.close()
        self._executor.shutdown()
        self._spinning.join(5)
        self.node.destroy_node()
        self.context.try_shutdown()
        for key, value in self._before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
