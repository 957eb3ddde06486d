"""A board where there is none: Gazebo's joints and scan as the states of one, no rclpy here.

It stands in for the serial line, the firmware and the motors' driver. What those guarantee on
the robot has to be done here: Gazebo's DiffDrive goes on with the last speed it was told for
as long as nobody tells it another one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.engine import ConnectionStatus
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardRestartedError,
    LinkLostError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.statistics import LinkStatistics
from reflexarc.robot.config import Geometry
from reflexarc.robot.odometry import Velocity

PERIOD_S = 0.01
"""Of the board's states; of simulated time."""
SILENT_S = 0.5
"""Without joints for so long, Gazebo is lost: it has ended, or is paused."""
HOST_TIMEOUT_S = 0.3
"""As the firmware's: motors off when nobody has sent anything for so long."""
BATTERY_V = 8.4
"""Two full cells; Gazebo drains none."""
_AGAIN_S = 0.25
# Joints come every few milliseconds; a state may be that much early.
_EARLY_NS = 1_000_000
# The scan comes at 20 Hz.
_SCAN_OLD_NS = 500_000_000
_SERVO_MOVES = math.radians(3)
_REST = (0, 0)


@dataclass(frozen=True)
class Joints:
    """A model's joints at a time: radians and rad/s by their names.

    Attributes:
        stamp_ns: simulated time.
    """

    stamp_ns: int
    positions: Mapping[str, float]
    velocities: Mapping[str, float]


class GazeboBoard:
    """A `Board` as far as a `Base` needs one. Safe to call from several threads.

    Args:
        geometry: the robot's measures.
        wheels: names of the wheels' joints, left and right.
        servos: names of the servos' joints by the servos' names.
        drive: tells Gazebo the body's speed.
        turn: tells Gazebo a joint's angle: its name, radians.
    """

    def __init__(
        self,
        geometry: Geometry,
        wheels: tuple[str, str],
        servos: Mapping[str, str],
        *,
        drive: Callable[[Velocity], None],
        turn: Callable[[str, float], None],
    ) -> None:
        self._counts_per_m = geometry.counts_per_m
        self._counts_per_rad = geometry.counts_per_revolution / (2 * math.pi)
        self._separation_m = geometry.wheel_separation_m
        self._wheels, self._servos = wheels, dict(servos)
        self._tell_speed, self._tell_angle = drive, turn
        self._news = threading.Condition()
        self._sending = threading.Lock()
        self._state: BoardState | None = None
        self._sim_ns = self._state_ns = -1
        self._restarted = self._closed = False
        self._wanted, self._motors_on = _REST, False
        self._drive_ns = self._sent_ns = 0
        self._timed_out = False
        self._range_m: float | None = None
        self._scan_ns: int | None = None
        self._heard = self._sent = self._restarts = 0

    # ---- what comes from Gazebo

    def take(self, joints: Joints) -> None:
        """The model's joints, as often as they come; every 10 ms they make a state.

        Raises:
            BoardError: a wheel is missing among them.
        """
        self._watch_the_host()
        missing = [name for name in self._wheels if name not in joints.positions]
        if missing:
            raise BoardError(
                expected=f"the wheels {' and '.join(self._wheels)} among Gazebo's joints",
                found=f"{', '.join(joints.positions) or 'none'}",
                remedy="spawn the model of `reflexarc describe --sdf`",
            )
        with self._news:
            self._heard += 1
            if joints.stamp_ns < self._sim_ns:
                # The world was reset: as if a chip had started anew.
                self._restarted = True
                self._restarts += 1
                self._state_ns, self._scan_ns = -1, None
            self._sim_ns = joints.stamp_ns
            is_due = joints.stamp_ns - self._state_ns >= PERIOD_S * 1e9 - _EARLY_NS
            if self._state_ns < 0 or is_due:
                self._state_ns = joints.stamp_ns
                self._state = self._made(joints)
            self._news.notify_all()

    def scan(self, stamp_ns: int, ranges: Sequence[float], nearest_m: float) -> None:
        """What the range sensor sees ahead.

        Args:
            stamp_ns: simulated time.
            ranges: metres; inf: nothing there; -inf: nearer than it can measure (REP-117).
            nearest_m: that it can measure.
        """
        seen = [nearest_m if r == -math.inf else r for r in ranges if not math.isnan(r)]
        nearest = min(seen, default=math.inf)
        with self._news:
            self._scan_ns = stamp_ns
            self._range_m = nearest if math.isfinite(nearest) else None

    def _made(self, joints: Joints) -> BoardState:
        now = time.monotonic_ns()
        left, right = (joints.positions[name] for name in self._wheels)
        speeds = [joints.velocities.get(name, 0.0) for name in self._wheels]
        servos = {
            name: round(math.degrees(at), 1) if (at := joints.positions.get(joint)) is not None
            else None
            for name, joint in self._servos.items()
        }  # fmt: skip
        moving = [abs(joints.velocities.get(joint, 0.0)) for joint in self._servos.values()]
        return BoardState(
            stamp_ns=now,
            measured_ns=now,
            chip_us=joints.stamp_ns // 1000,
            encoder=(round(left * self._counts_per_rad), round(right * self._counts_per_rad)),
            speed=(
                round(speeds[0] * self._counts_per_rad),
                round(speeds[1] * self._counts_per_rad),
            ),
            motors_on=self._motors_on,
            host_timed_out=self._timed_out,
            watchdog_reset=False,
            saturated=False,
            bump=False,
            emergency_stop=False,
            servos_moving=max(moving, default=0.0) > _SERVO_MOVES,
            saving=False,
            faults=frozenset(),
            duty=_REST,
            battery_v=BATTERY_V,
            range_m=self._range_m if self._sees() else None,
            servos=servos,
            rx_errors=0,
            longest_period_us=round(PERIOD_S * 1e6),
            stack_free=1024,
        )

    def _sees(self) -> bool:
        return self._scan_ns is not None and self._sim_ns - self._scan_ns < _SCAN_OLD_NS

    # ---- what `Base` asks

    @property
    def status(self) -> ConnectionStatus:
        """Connected as long as joints come."""
        if self._closed:
            return ConnectionStatus.CLOSED
        if self._restarted:
            return ConnectionStatus.RESTARTED
        return ConnectionStatus.CONNECTED if self._is_heard() else ConnectionStatus.RECONNECTING

    @property
    def state(self) -> BoardState | None:
        """The newest; None before the first."""
        return self._state

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it."""
        if self._state is None or self._sees():
            return ()
        return ("no scan from Gazebo: it drives blindly",)

    def statistics(self) -> LinkStatistics:
        """Messages from and to Gazebo, since it was connected."""
        return LinkStatistics(
            frames_received=self._heard,
            frames_sent=self._sent,
            retransmissions=0,
            timeouts=0,
            crc_errors=0,
            framing_errors=0,
            states_missed=0,
            reconnects=self._restarts,
            round_trip_p50_ms=None,
            round_trip_p99_ms=None,
        )

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a state newer than `after`; without it, any that is fresh will do.

        Raises:
            LinkLostError: Gazebo has fallen silent.
            BoardRestartedError: the world was reset.
            StateTimeoutError: there was none yet.
        """

        def is_over() -> bool:
            is_new = self._state is not after and self._is_heard()
            return self._closed or self._restarted or is_new

        with self._news:
            is_new = self._news.wait_for(is_over, timeout_s)
            state = self._state
        if self._restarted:
            raise BoardRestartedError(
                expected="the simulation to go on",
                found="its time has gone back: the world was reset",
                remedy="arm the robot when it may move",
            )
        if state is None:
            raise StateTimeoutError(
                expected="the model's joints from Gazebo",
                found="none",
                remedy="start gz sim, ros_gz_bridge and the model: `reflexarc launch gazebo`",
            )
        if not is_new or self._closed:
            raise self._lost()
        return state

    def rearm(self) -> None:
        """Take a world that was reset as it is."""
        with self._news:
            self._restarted = False

    def clear_faults(self, names: object = None) -> frozenset[str]:
        """Nothing is latched here."""
        return frozenset()

    def _is_heard(self) -> bool:
        state = self._state
        return state is not None and time.monotonic_ns() - state.stamp_ns < SILENT_S * 1e9

    @staticmethod
    def _lost() -> LinkLostError:
        return LinkLostError(
            expected="the model's joints from Gazebo",
            found="silence",
            remedy="see whether gz sim runs and is not paused, and ros_gz_bridge; then arm again",
        )

    # ---- motion

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set wheel speeds in counts/s; gives the same.

        Raises:
            LinkLostError: Gazebo is silent, or the world was reset.
        """
        if self.status is not ConnectionStatus.CONNECTED:
            raise self._lost()
        self._send((left, right), motors_on=True)
        return left, right

    def stop(self) -> None:
        """Stand still, as fast as DiffDrive does. Never raises."""
        self._send(_REST, motors_on=False)

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Move the named servos, degrees; gives the same."""
        for name, angle in angles.items():
            self._tell_angle(self._servos[name], math.radians(angle))
        return dict(angles)

    def set_light(self, color: str) -> None:
        """Do nothing: the model's lamp does not shine."""

    def close(self) -> None:
        """Stand still, and nothing moves any more."""
        self.stop()
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _watch_the_host(self) -> None:
        """What the firmware does: stop when nobody commands; and a rest is said again."""
        with self._sending:
            now = time.monotonic_ns()
            if self._wanted != _REST and now - self._drive_ns > HOST_TIMEOUT_S * 1e9:
                self._wanted, self._motors_on, self._timed_out = _REST, False, True
                self._publish(_REST)
            elif self._wanted == _REST and now - self._sent_ns > _AGAIN_S * 1e9:
                # The bridge, or Gazebo, may have missed it.
                self._publish(_REST)

    def _send(self, speeds: tuple[int, int], *, motors_on: bool) -> None:
        with self._sending:
            self._wanted, self._motors_on, self._timed_out = speeds, motors_on, False
            self._drive_ns = time.monotonic_ns()
            self._publish(speeds)

    def _publish(self, speeds: tuple[int, int]) -> None:
        if self._closed:
            return
        left, right = (count / self._counts_per_m for count in speeds)
        self._sent_ns = time.monotonic_ns()
        self._sent += 1
        self._tell_speed(Velocity((left + right) / 2, (right - left) / self._separation_m))
