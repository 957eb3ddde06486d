"""The safety gate: the only way to the motors.

It clamps speed and acceleration, refuses while stopped or disarmed, and stops
by itself when frames or commands go stale or the battery is low. Every stop
latches: somebody has to `arm` again on purpose.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from reflexarc.robot.config import Geometry, Limits


class Driver(Protocol):
    """What the gate needs of a board (`reflexarc.firmware_bridge.Board` has it)."""

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set wheel speeds in encoder counts/s; give what was applied."""
        ...

    def stop(self) -> None:
        """Motors off at once."""
        ...


class GateState(Enum):
    """Who may move."""

    DISARMED = "disarmed"
    ARMED = "armed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Wheels:
    """Speed of each wheel in m/s, forward positive."""

    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate was asked, what it really let through, and why it differs."""

    stamp_ns: int
    asked: Wheels
    applied: Wheels
    reason: str


_REST = Wheels(0.0, 0.0)
_HISTORY = 1000


class Gate:
    """Clamp, refuse, watch. Times are monotonic nanoseconds given by the caller."""

    def __init__(self, driver: Driver, limits: Limits, geometry: Geometry) -> None:
        """Start disarmed, motors untouched."""
        self._driver = driver
        self._limits = limits
        self._counts_per_m = geometry.counts_per_m
        self._state = GateState.DISARMED
        self._reason = "not armed yet"
        self._applied = _REST
        self._command_ns = 0
        self._frame_ns = 0
        self.decisions: deque[Decision] = deque(maxlen=_HISTORY)

    @property
    def state(self) -> GateState:
        """Disarmed, armed or stopped."""
        return self._state

    @property
    def reason(self) -> str:
        """Why it is in this state."""
        return self._reason

    @property
    def moving(self) -> bool:
        """Was the last thing let through a speed other than zero?"""
        return self._applied != _REST

    def arm(self, now_ns: int) -> None:
        """Release a stop, on purpose. Speeds start from zero, frames count as fresh."""
        self._state, self._reason = GateState.ARMED, "armed"
        self._applied = _REST
        self._command_ns = self._frame_ns = now_ns

    def stop(self, reason: str, now_ns: int) -> None:
        """Motors off now, and latched. The board's error, if any, reaches the caller."""
        self._state, self._reason = GateState.STOPPED, reason
        self._note(now_ns, _REST, _REST, reason)
        self._applied = _REST
        self._driver.stop()

    def halt(self, now_ns: int) -> None:
        """Motors off now, without a latch: the end of a movement, not an alarm."""
        self._note(now_ns, _REST, _REST, "halt")
        self._applied = _REST
        self._driver.stop()

    def disarm(self, now_ns: int) -> None:
        """Motors off now; the normal end."""
        self.stop("disarmed", now_ns)
        self._state = GateState.DISARMED

    def drive(self, asked: Wheels, now_ns: int) -> Wheels:
        """Ask for wheel speeds; give what was really sent.

        Both wheels are scaled together when one is too fast, so that the path
        keeps its shape; each change is limited to the acceleration limit.
        Refused (zero is given) unless armed; slowing down is never refused.
        """
        if self._state is not GateState.ARMED:
            self._note(now_ns, asked, _REST, f"refused: {self._reason}")
            return _REST
        if not (math.isfinite(asked.left) and math.isfinite(asked.right)):
            self.stop(f"asked for {asked}", now_ns)
            return _REST
        fastest = max(abs(asked.left), abs(asked.right))
        scale = min(1.0, self._limits.speed_mps / fastest) if fastest else 1.0
        elapsed = min(max(now_ns - self._command_ns, 0) * 1e-9, self._limits.command_stale_s)
        step = self._limits.acceleration_mps2 * max(elapsed, _CONTROL_PERIOD_S)
        applied = Wheels(
            _toward(self._applied.left, asked.left * scale, step),
            _toward(self._applied.right, asked.right * scale, step),
        )
        self._command_ns = now_ns
        counts = self._driver.drive(
            round(applied.left * self._counts_per_m), round(applied.right * self._counts_per_m)
        )
        self._applied = Wheels(counts[0] / self._counts_per_m, counts[1] / self._counts_per_m)
        self._note(now_ns, asked, self._applied, "" if scale == 1.0 else "speed limit")
        return self._applied

    def saw_frame(self, stamp_ns: int) -> None:
        """Frames are alive: the newest one is this old."""
        self._frame_ns = max(self._frame_ns, stamp_ns)

    def watch(self, now_ns: int, battery_v: float) -> None:
        """Look at the clocks and the battery; stop if one of them says so.

        To be called at every board state, whether or not anything moves.
        """
        if self._state is not GateState.ARMED:
            return
        if not battery_v >= self._limits.battery_min_v:  # also when it is not a number
            self.stop(f"battery at {battery_v:.2f} V", now_ns)
        elif self.moving and now_ns - self._frame_ns > self._limits.frame_stale_s * 1e9:
            self.stop("no new frame", now_ns)
        elif self.moving and now_ns - self._command_ns > self._limits.command_stale_s * 1e9:
            self.stop("no new command", now_ns)

    def _note(self, now_ns: int, asked: Wheels, applied: Wheels, reason: str) -> None:
        self.decisions.append(Decision(now_ns, asked, applied, reason))


# The board's states come at 100 Hz; a first command may use one period's worth.
_CONTROL_PERIOD_S = 0.01


def _toward(now: float, goal: float, step: float) -> float:
    """Move `now` to `goal` by at most `step`; through zero it first rests at zero."""
    if now * goal < 0:
        goal = 0.0
    return min(max(goal, now - step), now + step)
