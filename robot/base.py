"""A board behind a gate for drivers from outside: a person's hand, and a brain elsewhere.

The nodes' other end of the wire: what comes in are speeds in SI units, angles and stops;
what goes out are the board's states and where the wheels say the robot is.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Protocol

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.engine import ConnectionStatus
from reflexarc.firmware_bridge.faults import FAULTS
from reflexarc.robot.body import REST, Body, Wheels
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.follower import Followed, Follower
from reflexarc.robot.gate import Gate, GateState
from reflexarc.robot.odometry import Odometry, Velocity

_OVERRULED_S = 1.0
"""A brain that was overruled and then silent for so long has given up what it was at."""


class NotArmedError(ReflexarcError):
    """It could not be armed, or not stay so."""


class Driver(Enum):
    """Who asks for a speed."""

    HAND = "hand"
    BRAIN = "brain"


class DrivenBoard(Body, Followed, Protocol):
    """What a base needs of a board (`reflexarc.firmware_bridge.Board` has it)."""

    @property
    def status(self) -> ConnectionStatus:
        """How things stand between us and it."""
        ...

    @property
    def state(self) -> BoardState | None:
        """The newest; None before the first."""
        ...

    def clear_faults(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """Clear what it has latched; give what is still so."""
        ...


class Base:
    """A connected board that others drive, from `start` to `end`. Disarmed at first.

    A hand goes before a brain: for `command_stale_s` after its last word the brain's are
    left out, and what the hand has interrupted does not go on by itself: the brain has to
    rest once, or be silent for a second. A hand that falls silent lets the wheels brake; a
    brain that falls silent in mid-move is a failure, and latches a stop.

    Safe to call from several threads; the stops wait for nobody.
    """

    def __init__(
        self,
        config: RobotConfig,
        board: DrivenBoard,
        *,
        on_state: Callable[[BoardState], None] = lambda state: None,
        on_wait: Callable[[], None] = lambda: None,
        on_word: Callable[[str], None] = lambda text: None,
        on_failure: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        """Put it together; the callbacks come from the thread that follows the board.

        Args:
            config: limits and measures.
            board: connected; nothing else commands it.
            on_state: told of every state, after the gate and the odometry.
            on_wait: told about 20 times a second while the board is lost.
            on_word: told in words what a person should know.
            on_failure: told that one of these has raised: it is stopped for good.
        """
        self._limits = config.limits
        self._stale_ns = config.limits.command_stale_s * 1e9
        self._separation_m = config.geometry.wheel_separation_m
        self._board = board
        self._on_state, self._on_word, self._on_failure = on_state, on_word, on_failure
        self.gate = Gate(board, config.limits, config.geometry)
        self.odometry = Odometry(config.geometry)
        self._driving = threading.Lock()
        self._driver = Driver.BRAIN
        self._hand_ns: int | None = None
        self._overruled_ns: int | None = None
        self._moving_servos = threading.Lock()
        self._wanted: dict[str, float] = {}
        self._servo_ns = 0
        self._follower = Follower(
            board,
            took=self._take,
            lost=self._lose,
            is_back=self._return,
            failed=self._fail,
            waits=on_wait,
        )

    # ---- how it is

    @property
    def connection(self) -> str:
        """connected, reconnecting, restarted (it waits for `arm`) or closed."""
        status = self._board.status
        if status is ConnectionStatus.CONNECTED and self._follower.is_lost:
            status = ConnectionStatus.RECONNECTING
        return status.value

    @property
    def by_hand(self) -> bool:
        """The brain's speeds are left out."""
        now = time.monotonic_ns()
        return self._hand_is_fresh(now) or self._is_overruled(now)

    def _hand_is_fresh(self, now_ns: int) -> bool:
        return self._hand_ns is not None and now_ns - self._hand_ns <= self._stale_ns

    def _is_overruled(self, now_ns: int) -> bool:
        last_ns = self._overruled_ns
        return last_ns is not None and now_ns - last_ns <= _OVERRULED_S * 1e9

    # ---- what others ask for

    def drive(self, speed: Velocity, driver: Driver) -> Wheels:
        """Ask for a speed of the body; give the wheels' that was really sent.

        One that is not a number is a halt. Rest is a command like any other.

        Raises:
            LinkLostError: the motors stop by themselves.
        """
        if not (math.isfinite(speed.ahead) and math.isfinite(speed.turning)):
            self.halt()
            self._on_word(f"a speed that is no number, from the {driver.value}: halted")
            return REST
        turning = speed.turning * self._separation_m / 2
        wheels = Wheels(speed.ahead - turning, speed.ahead + turning)
        with self._driving:
            now = time.monotonic_ns()
            if driver is Driver.HAND:
                self._hand_ns = now
            elif self._waits_for_hand(wheels, now):
                return REST
            self._driver = driver
            return self.gate.drive(wheels, now)

    def _waits_for_hand(self, wheels: Wheels, now_ns: int) -> bool:
        """May the brain's speed not go through?"""
        waits = self._hand_is_fresh(now_ns)
        if wheels == REST:
            self._overruled_ns = None
            return waits
        if waits or self._is_overruled(now_ns):
            self._overruled_ns = now_ns
            return True
        return False

    def servos(self, angles: Mapping[str, float]) -> None:
        """Ask for servo angles, degrees. What comes too fast is said when there is time.

        Raises:
            LinkLostError: they hold where they are.
        """
        if not all(map(math.isfinite, angles.values())):
            self._on_word("an angle that is no number: left out")
            return
        with self._moving_servos:
            self._wanted.update(angles)
        self._move_servos()

    def _move_servos(self) -> None:
        # The gate leaves out what comes too fast; whoever sends from far away cannot know.
        with self._moving_servos:
            now = time.monotonic_ns()
            pause_ns = 1e9 / self._limits.servo_commands_per_s
            if self._wanted and now - self._servo_ns >= pause_ns:
                wanted, self._wanted, self._servo_ns = self._wanted, {}, now
                self.gate.servos(wanted, now)

    def light(self, color: str) -> None:
        """Set the light: one of the board's colors."""
        self.gate.light(color, time.monotonic_ns())

    def halt(self) -> None:
        """Motors off now, without a latch."""
        self._overruled_ns = None
        self.gate.halt(time.monotonic_ns())

    def stop(self, reason: str, *, brake: bool = False) -> None:
        """Motors off now, and latched until somebody arms. Where the board cannot be told, its
        motors stop by themselves. `brake`: the wheels brake first, which is sooner."""
        with contextlib.suppress(ReflexarcError):
            (self.gate.brake if brake else self.gate.stop)(reason, time.monotonic_ns())

    def disarm(self) -> None:
        """Motors off, and nothing moves until somebody arms: the normal end."""
        with contextlib.suppress(ReflexarcError):
            self.gate.disarm(time.monotonic_ns())

    def arm(self) -> None:
        """Let it move from now on, from rest; what the board has latched is cleared.

        Raises:
            LinkLostError: the board is not there.
            NotArmedError: what has stopped it is still so.
        """
        self._follower.take_back()
        left = self._board.clear_faults()
        if left:
            fault = FAULTS[min(left)]
            raise NotArmedError(
                expected="no fault on the board", found=fault.cause, remedy=fault.remedy
            )
        self._overruled_ns = None
        self.gate.arm(time.monotonic_ns())
        state = self._board.state
        if state is not None:
            self.gate.watch(time.monotonic_ns(), state, by_eye=False)
        if self.gate.state is GateState.STOPPED:
            raise NotArmedError(
                expected="a robot that may move",
                found=self.gate.reason,
                remedy="charge the battery" if "battery" in self.gate.reason else "arm again",
            )

    # ---- following the board

    def start(self) -> None:
        """Begin to follow the board.

        Raises:
            LinkLostError, StateTimeoutError: it is silent.
        """
        self._board.wait_state()
        self._follower.start()

    def end(self) -> None:
        """Motors off first; then nothing is told any more. The board stays connected."""
        self.disarm()
        self._follower.stop()

    def _take(self, state: BoardState) -> None:
        now = time.monotonic_ns()
        by_hand = self._driver is Driver.HAND and self.gate.moving
        if by_hand and not self._hand_is_fresh(now):
            self.gate.halt(now, brake=True)
        self.gate.watch(now, state, by_eye=False)
        self._move_servos()
        self.odometry.take(state)
        self._on_state(state)

    def _lose(self, error: ReflexarcError) -> None:
        self.stop(f"the board is lost: {error.found}")
        self._on_word(str(error))

    def _return(self, restarted: bool) -> None:
        if restarted:
            self.odometry.restart()
        how = "back, after a new start of its chip" if restarted else "back"
        self._on_word(f"the board is {how}: nothing moves until somebody arms")

    def _fail(self, error: BaseException) -> None:
        self.stop(f"{type(error).__name__}: {error}")
        self._on_failure(error)
