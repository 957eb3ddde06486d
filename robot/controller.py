"""The robot's spinal cord: observations and board states in, gated commands out."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reflexarc.firmware_bridge import BoardState
from reflexarc.perception.observation import Observation
from reflexarc.robot.actions import Move, Stop, Turn
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.gate import Gate, GateState, Wheels
from reflexarc.robot.reflexes import Firing, ReflexEngine
from reflexarc.robot.skills import Roll, SkillError, Travel, skill_for


@dataclass(frozen=True, slots=True)
class Stations:
    """When a firing passed each station, monotonic nanoseconds."""

    frame: int
    observed: int
    decided: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person or a log may want to know.

    Attributes:
        kind: a rule fired; it was ignored because something was under way; an
            action started, finished, or ended early.
        text: in words.
        firing: the rule and observation behind it.
        travel: what the wheels rolled, for an action that ended.
        stations: for a start that made the first command.
    """

    kind: Literal["fired", "ignored", "started", "finished", "failed"]
    text: str
    firing: Firing | None = None
    action: Move | Turn | Stop | None = None
    travel: Travel | None = None
    stations: Stations | None = None


class Controller:
    """Runs one list of actions at a time. Safe to call from two threads.

    `observe` is called for every observation and `tick` for every board state;
    both may command the board, always through the gate.
    """

    def __init__(
        self,
        config: RobotConfig,
        gate: Gate,
        on_event: Callable[[Event], None] = lambda event: None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._config = config
        self._gate = gate
        self._engine = ReflexEngine(config.reflexes)
        self._tell = on_event
        self._clock_ns = clock_ns
        self._lock = threading.RLock()
        self._waiting: deque[Move | Turn | Stop] = deque()
        self._skill: Roll | None = None
        self._action: Move | Turn | None = None
        self._firing: Firing | None = None
        self._state: BoardState | None = None

    @property
    def busy(self) -> bool:
        """Is an action under way or waiting?"""
        with self._lock:
            return self._skill is not None or bool(self._waiting)

    def observe(self, observation: Observation) -> None:
        """Take an observation; a rule that fires moves the robot before this returns."""
        observed_ns = self._clock_ns()
        with self._lock:
            self._gate.saw_frame(observation.stamp_ns)
            for firing in self._engine.update(observation):
                stops = any(isinstance(action, Stop) for action in firing.rule.actions)
                if self.busy and not stops:
                    self._tell(Event("ignored", f"{firing.rule.title}: busy", firing))
                    continue
                self._tell(Event("fired", firing.rule.title, firing))
                if stops:
                    self._cancel("stopped by a reflex")
                self._firing = firing
                self._waiting.extend(firing.rule.actions)
                self._next(observed_ns)

    def tick(self, state: BoardState) -> None:
        """Take a board state: watch over it, and go on with what is under way."""
        with self._lock:
            self._state = state
            self._gate.watch(self._clock_ns(), state.battery_v)
            if self._gate.state is not GateState.ARMED:
                if self.busy:
                    self._cancel(self._gate.reason)
            elif self._skill is None:
                self._next(None)
            elif not self._advance():
                self._finish()
                self._next(None)

    def _next(self, observed_ns: int | None) -> None:
        """Start the next waiting action, if any and if the board has been heard."""
        while self._skill is None and self._waiting and self._state is not None:
            action = self._waiting.popleft()
            if isinstance(action, Stop):
                self._gate.halt(self._clock_ns())
                self._tell(Event("finished", str(action), self._firing, action))
                continue
            self._action = action
            self._skill = skill_for(action, self._config.limits, self._config.geometry)
            decided_ns = self._clock_ns()
            moving = self._advance()
            stations = None
            if moving and observed_ns is not None and self._firing is not None:
                stations = Stations(
                    self._firing.observation.stamp_ns, observed_ns, decided_ns, self._clock_ns()
                )
            self._tell(Event("started", str(action), self._firing, action, None, stations))
            if not moving:
                self._finish()

    def _advance(self) -> bool:
        """One step of the skill through the gate; False when it is done or given up."""
        assert self._skill is not None and self._state is not None
        try:
            wheels = self._skill.step(self._state)
        except SkillError as error:
            self._gate.halt(self._clock_ns())
            self._cancel(str(error))
            return False
        # Also for an action of no length: what is done ends with motors at rest.
        self._gate.drive(wheels or Wheels(0.0, 0.0), self._clock_ns())
        return wheels is not None

    def _finish(self) -> None:
        """Say that the skill is done, unless it was given up and that was said."""
        if self._skill is not None:
            travel = self._skill.travel
            self._tell(Event("finished", str(self._action), self._firing, self._action, travel))
            self._skill = None

    def _cancel(self, reason: str) -> None:
        if self._skill is not None:
            travel = self._skill.travel
            self._tell(Event("failed", reason, self._firing, self._action, travel))
        self._skill = None
        self._waiting.clear()
