"""The robot's real controller and gate on a model board, in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model_board import PERIOD_NS, ModelBoard

from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.robot.actions import Action
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.controller import Controller
from reflexarc.robot.events import Event
from reflexarc.robot.gate import Decision, Gate
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import RuleBook

BOX = Box(100, 100, 40, 40)


class ModelRobot:
    """Armed from the start. Time passes in `run` only."""

    def __init__(self, config: RobotConfig | None = None, **settings: Any) -> None:
        self.config = config or RobotConfig(**settings)
        self.board = ModelBoard(self.config.geometry)
        self.events: list[Event] = []
        self.decisions: list[Decision] = []
        self.gate = Gate(
            self.board, self.config.limits, self.config.geometry, self.decisions.append
        )
        self.book = RuleBook(self.config.reflexes)
        self.controller = Controller(
            self.config,
            self.gate,
            self.events.append,
            clock_ns=lambda: self.board.now_ns,
            book=self.book,
        )
        self.gate.arm(0)
        self._seq = 0

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, a board state every 10 ms."""
        for _ in range(round(seconds * 1e9 / PERIOD_NS)):
            self.controller.tick(self.board.step())
            if until():
                return

    def order(self, *actions: Action, said: str = "") -> None:
        self.controller.order(Plan(status="ok", actions=actions), said)

    def see(self, task: str, *labels: str, **counts: int) -> None:
        """An observation of now."""
        self._seq += 1
        found = tuple(Detection(label, 0.99, BOX) for label in labels)
        self.controller.observe(
            Observation(self.board.now_ns, self._seq, "test", task, found, counts)
        )

    def look(self, seconds: float, task: str, *labels: str, **counts: int) -> None:
        """Time passes while a camera sees the same, 20 times a second."""
        for _ in range(round(seconds * 20)):
            self.see(task, *labels, **counts)
            self.run(0.05)

    def said(self, *kinds: str) -> list[tuple[str, str]]:
        """The events of these kinds, of all if none is named: kind and text."""
        return [(e.kind, e.text) for e in self.events if not kinds or e.kind in kinds]

    @property
    def is_idle(self) -> bool:
        return not self.controller.busy
