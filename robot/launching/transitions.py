"""Lifecycle transitions, asked for in a process of its own: this one needs no rclpy."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from reflexarc.robot.launching.child import Child
from reflexarc.robot.launching.errors import LaunchError
from reflexarc.robot.launching.tasks import first_of

_MODULE = "reflexarc.robot.nodes.transitions"
_MOST_STARTS = 3


class TransitionsLostError(Exception):
    """The process that asks for transitions has died; the next question starts another."""


class Transitions:
    """Asks lifecycle nodes for their state and for transitions.

    Each question can be cancelled. The process starts with the first question, or by `start`.
    """

    def __init__(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """Args as of a process.

        Args:
            environment: of the nodes: they have to be in the same ROS domain.
            tell: takes what the process complains of.
        """
        self._environment = environment
        self._tell = tell
        self._child: Child | None = None
        self._expected: list[str] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._unanswered_starts = 0

    @staticmethod
    def check() -> None:
        """See that rclpy is there.

        Raises:
            LaunchError: it is not.
        """
        for name in ("rclpy", "lifecycle_msgs"):
            if importlib.util.find_spec(name) is None:
                raise LaunchError(
                    expected=f"{name}, to configure and activate nodes",
                    found="none",
                    remedy="source /opt/ros/…/setup.bash, or on x86_64: "
                    "pip install 'reflexarc[ros]'",
                )

    def expect(self, node: str) -> None:
        """Say, before `start`, that a node will be asked for: it is found sooner."""
        self._expected.append(node)

    def start(self) -> None:
        """Start the process, so that it is ready when the first node is.

        Raises:
            LaunchError: it died several times without an answer.
        """
        if self._child is not None and not self._child.ended.done():
            return
        if self._unanswered_starts >= _MOST_STARTS:
            raise LaunchError(
                expected=f"answers from python -m {_MODULE}",
                found=f"it died {_MOST_STARTS} times",
                remedy="see what it said above; `reflexarc doctor` checks the installation",
            )
        self._unanswered_starts += 1
        self._child = Child(
            [sys.executable, "-m", _MODULE],
            self._environment,
            self._answer,
            pipe=True,
            errors=self._tell,
        )
        self._child.ended.add_done_callback(lambda _: self._lost())
        for node in self._expected:
            self._child.write(json.dumps({"id": 0, "do": "expect", "node": node}))

    async def state(self, node: str) -> str:
        """A node's state ("unconfigured", "inactive", ...), as soon as it can be had.

        Raises:
            TransitionsLostError: the process died.
        """
        return str((await self._ask(do="state", node=node))["state"])

    async def change(self, node: str, transition: str) -> bool | None:
        """Ask for a transition ("configure", ...).

        Returns:
            Whether it was made; None where the answer was lost: ask for the state.

        Raises:
            TransitionsLostError: the process died.
        """
        success = (await self._ask(do="change", node=node, transition=transition))["success"]
        return bool(success) if success is not None else None

    async def end(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.close_input()
            await first_of(self._child.ended, seconds=1.0)
            await self._child.end([(signal.SIGTERM, 1.0)])

    def kill(self) -> None:
        """End the process at once."""
        if self._child is not None:
            self._child.kill()

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        running = self._child is not None and not self._child.ended.done()
        return self._child.pid if running and self._child is not None else None

    async def _ask(self, **question: Any) -> dict[str, Any]:
        self.start()
        assert self._child is not None
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._child.write(json.dumps({"id": number, **question}))
        try:
            return await answer
        finally:
            del self._waiting[number]
            if not answer.done() or answer.cancelled():
                self._child.write(json.dumps({"id": number, "do": "forget"}))

    def _answer(self, line: str) -> None:
        try:
            answer = json.loads(line)
            future = self._waiting.get(answer["id"])
        except (ValueError, TypeError, KeyError):
            self._tell(line)
            return
        self._unanswered_starts = 0
        if future is not None and not future.done():
            future.set_result(answer)

    def _lost(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(TransitionsLostError())
