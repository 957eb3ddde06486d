"""reflexes: from an observation, and from the word "stop", to the emulated board"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.row import Row
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.perception.observation import Box, Detection, Observation
from reflexarc.robot.actions import Light, Move, Wait
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.controller import Controller
from reflexarc.robot.gate import Gate
from reflexarc.robot.plan import Plan
from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.stop import stop_plan
from reflexarc.robot.reflexes import Reflex, RuleBook
from reflexarc.robot.session import Session

RULES = 100
_CALLS = 400
_BOX = Box(0, 0, 20, 20)


def measure() -> list[Row]:
    with _connected() as board:
        return [*reflex(board), *stop(board)]


@contextmanager
def _connected() -> Iterator[Board]:
    with EmulatedBoard() as emulator, Board.connect(emulator.port) as board:
        board.wait_state()
        yield board


class _Wire:
    """Notes when a command is handed to the board, and when the chip has answered it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.handed_ns = self.answered_ns = 0

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self.handed_ns = self.handed_ns or time.perf_counter_ns()
        held = self._board.drive(left, right)
        self.answered_ns = self.answered_ns or time.perf_counter_ns()
        return held

    def stop(self) -> None:
        self.handed_ns = self.handed_ns or time.perf_counter_ns()
        self._board.stop()
        self.answered_ns = self.answered_ns or time.perf_counter_ns()

    def set_servos(self, angles: object) -> dict[str, float]:
        raise AssertionError("no servo here")

    def set_light(self, color: str) -> None:
        raise AssertionError("no light here")

    def since(self, start_ns: int) -> tuple[float, float]:
        """Milliseconds to both, and forget them."""
        both = (self.handed_ns - start_ns) * 1e-6, (self.answered_ns - start_ns) * 1e-6
        self.handed_ns = self.answered_ns = 0
        return both


def _rules() -> list[Reflex]:
    """One that fires, last of all, and many that look at the same observations."""
    others = [
        Reflex(event="digit_seen", value=i % 9, name=f"rule {i}", actions=(Light(color="red"),))
        for i in range(RULES - 1)
    ]
    move = (Move(distance_m=0.2),)
    return [
        *others,
        Reflex(event="digit_seen", value=9, hold_s=0, cooldown_s=0, actions=move),
    ]


def reflex(board: Board) -> list[Row]:
    """A digit is seen; the last of 100 rules drives."""
    config = RobotConfig()
    wire = _Wire(board)
    gate = Gate(wire, config.limits, config.geometry)
    controller = Controller(config, gate, book=RuleBook(_rules()))
    gate.arm(time.monotonic_ns())
    found = (Detection("9", 1.0, _BOX),)
    times = []
    for number in range(_CALLS):
        controller.tick(board.wait_state())
        nothing = Observation(time.monotonic_ns(), 2 * number, "bench", "digits")
        controller.observe(nothing)
        seen = Observation(time.monotonic_ns(), 2 * number + 1, "bench", "digits", found)
        wire.handed_ns = wire.answered_ns = 0
        start_ns = time.perf_counter_ns()
        controller.observe(seen)
        times.append(wire.since(start_ns))
        controller.stop("next")
        controller.order(Plan(status="ok", actions=(Wait(seconds=0),)))  # reflexes may move again
    handed, answered = np.array(times).T
    return [
        Row("observation to board command, p50", float(np.percentile(handed, 50)), "ms"),
        Row("observation to board command, p99", float(np.percentile(handed, 99)), "ms", "1 ms"),
        Row("observation to the chip's answer, p50", float(np.percentile(answered, 50)), "ms"),
        Row("observation to the chip's answer, p99", float(np.percentile(answered, 99)), "ms"),
    ]


class _Silent:
    """Stop asks no planner."""

    name = "none"

    def plan(self, text: str) -> Plan:
        return stop_plan()


def stop(board: Board) -> list[Row]:
    """ "Stop" while it drives, from the text to the board."""
    config = RobotConfig()
    wire = _Wire(board)
    gate = Gate(wire, config.limits, config.geometry)
    book = RuleBook(_rules())
    controller = Controller(config, gate, book=book)
    planner: Planner = _Silent()
    session = Session(config, planner, controller, book)
    gate.arm(time.monotonic_ns())
    times = []
    for _ in range(_CALLS):
        controller.order(Plan(status="ok", actions=(Move(distance_m=1.0),)))
        for _ in range(3):
            controller.tick(board.wait_state())
        wire.handed_ns = wire.answered_ns = 0
        start_ns = time.perf_counter_ns()
        session.hear("please stop!")
        times.append(wire.since(start_ns))
    handed, answered = np.array(times).T
    return [
        Row("'stop' from text to board, p50", float(np.percentile(handed, 50)), "ms"),
        Row("'stop' from text to board, p99", float(np.percentile(handed, 99)), "ms", "5 ms"),
        Row("'stop' from text to the chip's answer, p50", float(np.percentile(answered, 50)), "ms"),
        Row("'stop' from text to the chip's answer, p99", float(np.percentile(answered, 99)), "ms"),
    ]
