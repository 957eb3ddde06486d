"""The safety gate: the only way to motors, servos and light.

It clamps speed, acceleration and servo angles, slows down before what the range sensor
sees, refuses while disarmed or stopped, and stops by itself when frames or commands go
stale, the battery is low, a bumper or an emergency stop is pressed, or a movement goes on
for too long. Every stop latches: somebody has to `arm` again on purpose.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from reflexarc.firmware_bridge.errors import BoardFaultError, CommandSupersededError
from reflexarc.robot.body import REST, Body, Readings, Wheels
from reflexarc.robot.config import MAX_ACCELERATION_MPS2, Geometry, Limits
from reflexarc.robot.leg import Leg


class GateState(Enum):
    """Who may move."""

    DISARMED = "disarmed"
    ARMED = "armed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate was asked, what it really let through, and why it differs.

    Attributes:
        what: "drive", "servos", "light", or a change of the gate itself: "arm", "stop",
            "halt", "disarm".
        asked, applied: in the words of `what`.
        reason: empty where both are the same.
    """

    stamp_ns: int
    what: str
    asked: object
    applied: object
    reason: str


_HISTORY = 1000
_AHEAD = "something ahead"
# The board's states come at 100 Hz; a first command may use one period's worth.
_CONTROL_PERIOD_S = 0.01
# The sensor is asked every 50 ms and its answer told every 50 ms; wheels lag by 60 ms, and the
# host now and then.
_RANGE_LATE_S = 0.2
# A speed of 0 brakes within 0.13 s from 0.4 m/s, motors that are off coast for 0.22 s: who has
# nobody to wait for brakes first, and then takes the motors off.
_BRAKE_S = 0.2
# An echo is missed now and then: what was near a moment ago still is.
_ECHO_HELD_S = 0.25


class Gate:
    """Clamp, refuse, watch. Times are monotonic nanoseconds given by the caller.

    Callers of `drive` and `servos` take turns; the stops may come from any thread, and
    wait for nobody: a command that was under way then does not move anything any more.
    """

    def __init__(
        self,
        body: Body,
        limits: Limits,
        geometry: Geometry,
        audit: Callable[[Decision], None] = lambda decision: None,
    ) -> None:
        """Start disarmed, motors untouched. `audit` is told of every decision."""
        self._body = body
        self._limits = limits
        self._geometry = geometry
        self._counts_per_m = geometry.counts_per_m
        self._audit = audit
        self._lock = threading.RLock()  # never held while the board is asked
        self._rests = 0  # stops and halts so far
        self._state = GateState.DISARMED
        self._reason = "not armed yet"
        self._applied = REST
        self._command_ns = 0
        self._servo_ns: int | None = None
        self._servos: dict[str, float] = {}
        self._frame_ns = self._armed_ns = self._range_ns = 0
        self._range_m: float | None = None
        self._watched_ns: int | None = None
        self._leg = Leg()
        self._blocked = ""
        self._off_ns: int | None = None
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
        return self._applied != REST

    @property
    def blocked(self) -> str:
        """What is in the way of the last movement asked for; empty: nothing."""
        return self._blocked

    @property
    def held_servos(self) -> Mapping[str, float]:
        """The angles that were let through last, degrees."""
        return dict(self._servos)

    # ---- the gate itself

    def arm(self, now_ns: int) -> None:
        """Release a stop, on purpose. Speeds start from zero, frames count as fresh."""
        with self._lock:
            if self._state is not GateState.ARMED:  # else it may be moving: nothing starts anew
                self._state, self._reason = GateState.ARMED, "armed"
                self._applied, self._leg, self._off_ns = REST, Leg(), None
                self._command_ns = self._frame_ns = self._armed_ns = now_ns
        self._note(now_ns, "arm", None, None, "")

    def stop(self, reason: str, now_ns: int) -> None:
        """Motors off now, and latched. The board's error, if any, reaches the caller."""
        self._rest(now_ns, "stop", reason, GateState.STOPPED)

    def halt(self, now_ns: int, *, brake: bool = False) -> None:
        """Motors off now, without a latch: the end of a movement, not an alarm.

        `brake`: the wheels brake first, as in a stop for what has gone silent. Wheels that
        brake already go on so: motors that are off would let them roll on.
        """
        with self._lock:
            brakes = self._off_ns is not None
        if brakes:
            self._note(now_ns, "halt", None, None, "it brakes already")
            return
        self._rest(now_ns, "halt", "", None, brake=brake)

    def disarm(self, now_ns: int) -> None:
        """Motors off now; the normal end."""
        self._rest(now_ns, "disarm", "disarmed", GateState.DISARMED)

    def brake(self, reason: str, now_ns: int) -> None:
        """As `stop`, but the wheels brake first, which is sooner: then the motors go off."""
        self._rest(now_ns, "stop", reason, GateState.STOPPED, brake=True)

    def _rest(
        self, now_ns: int, what: str, reason: str, state: GateState | None, *, brake: bool = False
    ) -> None:
        with self._lock:
            self._rests += 1
            if state is not None:
                self._state, self._reason = state, reason
            self._applied, self._leg, self._blocked = REST, Leg(), ""
            self._off_ns = now_ns + round(_BRAKE_S * 1e9) if brake else None
        try:
            if brake:
                with contextlib.suppress(CommandSupersededError, BoardFaultError):
                    self._body.drive(0, 0)
            else:
                self._stop_body()
        finally:
            self._note(now_ns, what, None, None, reason)

    def _stop_body(self) -> None:
        # A newer command is another stop; or a speed, whose sender finds that it came too
        # late, and stops.
        with contextlib.suppress(CommandSupersededError):
            self._body.stop()

    # ---- ways through

    def drive(self, asked: Wheels, now_ns: int) -> Wheels:
        """Ask for wheel speeds; give what was really sent.

        Both wheels are scaled together when one is too fast, or when something is
        ahead, so that the path keeps its shape; each change is limited to the
        acceleration limit, but for braking before what has come near. Refused (zero is
        given) unless armed.
        """
        with self._lock:
            rests = self._rests
            refused = self._state is not GateState.ARMED
            why, wanted = f"refused: {self._reason}", REST
            alarm = "" if refused else self._alarm(asked, now_ns)
            if not refused and not alarm:
                wanted, why = self._limited(asked, now_ns)
                self._applied, self._command_ns, self._off_ns = wanted, now_ns, None
        if refused:
            self._note(now_ns, "drive", asked, REST, why)
            return REST
        if alarm:
            self.stop(alarm, now_ns)
            return REST
        counts = self._counts(wanted)
        try:
            held = self._body.drive(*counts)
        except BoardFaultError as error:
            self.stop(f"the board says: {error.found}", now_ns)
            return REST
        except CommandSupersededError:
            if self._rests == rests:
                raise
            held = counts
        with self._lock:
            overtaken = self._rests != rests
            if not overtaken and held != counts:
                wanted = self._applied = Wheels(*(count / self._counts_per_m for count in held))
                why = why or "the board's own limit"
            self._blocked = why if not overtaken and wanted == REST else ""
        if overtaken:
            # A stop came meanwhile; which of the two the board has heard last is not known.
            self._stop_body()
            wanted, why = REST, "a stop came first"
        self._note(now_ns, "drive", asked, wanted, why)
        return wanted

    def _alarm(self, asked: Wheels, now_ns: int) -> str:
        """Why a speed asked for is a reason to stop; empty: it is none."""
        if not (math.isfinite(asked.left) and math.isfinite(asked.right)):
            return f"asked for {asked}"
        return self._too_long_a_leg(now_ns)

    def _limited(self, asked: Wheels, now_ns: int) -> tuple[Wheels, str]:
        """The speeds to send now, and why they are not those asked for."""
        scale, why = self._scale(asked)
        goal = Wheels(asked.left * scale, asked.right * scale)
        elapsed_s = self._since_command(now_ns) if self.moving else _CONTROL_PERIOD_S
        if self._counts(self._applied) == (0, 0):  # a long rest is no run-up
            elapsed_s = min(elapsed_s, _CONTROL_PERIOD_S)
        faster = self._limits.acceleration_mps2 * elapsed_s
        slower = MAX_ACCELERATION_MPS2 * elapsed_s if why.startswith(_AHEAD) else faster
        now = self._applied
        return Wheels(
            _toward(now.left, goal.left, faster, slower),
            _toward(now.right, goal.right, faster, slower),
        ), why

    def _counts(self, speeds: Wheels) -> tuple[int, int]:
        left, right = (round(speed * self._counts_per_m) for speed in (speeds.left, speeds.right))
        return left, right

    def _since_command(self, now_ns: int) -> float:
        return min(max(now_ns - self._command_ns, 0) * 1e-9, self._limits.command_stale_s)

    def servos(self, asked: Mapping[str, float], now_ns: int) -> dict[str, float]:
        """Ask for servo angles (pan, tilt, gripper; degrees); give what was really sent.

        Angles are clamped. Refused (nothing is given) unless armed; too many commands are
        left out, so say it again until it is given.
        """
        if self._state is not GateState.ARMED:
            self._note(now_ns, "servos", dict(asked), {}, f"refused: {self._reason}")
            return {}
        unknown = sorted(set(asked) - set(self._limits.servos_deg))
        if unknown:
            self._note(now_ns, "servos", dict(asked), {}, f"refused: no servo {', '.join(unknown)}")
            return {}
        clamped = {}
        for name, angle in asked.items():
            low, high = self._limits.servo_range(name)
            if not math.isfinite(angle):
                self.stop(f"asked for {name} at {angle}", now_ns)
                return {}
            clamped[name] = min(max(angle, low), high)
        pause_ns = 1e9 / self._limits.servo_commands_per_s
        if self._servo_ns is not None and now_ns - self._servo_ns < pause_ns:
            held = {name: self._servos[name] for name in clamped if name in self._servos}
            self._note(now_ns, "servos", dict(asked), held, "too many commands")
            return held
        self._servo_ns = now_ns
        applied = self._body.set_servos(clamped)
        self._servos.update(applied)
        reason = "" if clamped == dict(asked) else "angle limit"
        self._note(now_ns, "servos", dict(asked), dict(applied), reason)
        return applied

    def light(self, color: str, now_ns: int) -> None:
        """Set the light; it moves nothing, so it works while stopped too."""
        self._body.set_light(color)
        self._note(now_ns, "light", color, color, "")

    # ---- watching

    def saw_frame(self, stamp_ns: int) -> None:
        """Frames are alive: the newest one is this old."""
        self._frame_ns = max(self._frame_ns, stamp_ns)

    def watch(self, now_ns: int, readings: Readings, *, by_eye: bool = True) -> None:
        """Look at the clocks and the sensors; stop if one of them says so.

        To be called at every board state, whether or not anything moves.

        Args:
            now_ns: the time.
            readings: the board's newest state.
            by_eye: what moves now goes by what the camera sees, so frames have to be fresh.
        """
        if readings.range_m is not None or now_ns - self._range_ns > _ECHO_HELD_S * 1e9:
            self._range_m, self._range_ns = readings.range_m, now_ns
        late_ns = self._limits.command_stale_s * 1e9
        held_up = self._watched_ns is not None and now_ns - self._watched_ns > late_ns
        self._watched_ns = now_ns
        if self._off_ns is not None and now_ns >= self._off_ns:
            self._off_ns = None
            self._stop_body()
        if self._state is not GateState.ARMED:
            return
        # What was on its way while somebody armed is the reason of the last stop.
        faults = readings.faults if readings.stamp_ns >= self._armed_ns else frozenset()
        if not readings.battery_v >= self._limits.battery_min_v:  # also when it is not a number
            self.stop(f"battery at {readings.battery_v:.2f} V", now_ns)
        elif faults:
            self.stop(f"the board says: {', '.join(sorted(faults))}", now_ns)
        elif self.moving and by_eye and now_ns - self._frame_ns > self._limits.frame_stale_s * 1e9:
            self.brake("no new frame", now_ns)
        elif self.moving and now_ns - self._command_ns > late_ns:
            if held_up:
                # Nobody has forgotten to command: this whole program had no time. The board
                # brakes by itself meanwhile; the movement begins anew, from rest.
                self._rest(now_ns, "halt", "this program was held up", None)
            else:
                self.brake("no new command", now_ns)

    def _scale(self, asked: Wheels) -> tuple[float, str]:
        """By how much the speeds are to be scaled down, and why."""
        fastest = max(abs(asked.left), abs(asked.right))
        if not fastest:
            return 1.0, ""
        scale, reason = self._limits.speed_mps / fastest, "speed limit"
        ahead = asked.left / 2 + asked.right / 2
        if ahead > 0 and self._range_m is not None:
            room = max(0.0, self._range_m - self._limits.obstacle_m)
            # The way to rest fits: what it rolls until it brakes, then v^2 / 2 (a/2) at half
            # the acceleration limit, which the wheels can follow.
            rate = self._limits.acceleration_mps2
            late = _RANGE_LATE_S * rate / 2
            most = math.sqrt(late * late + rate * room) - late
            if most / ahead < min(scale, 1.0):
                scale, reason = most / ahead, f"{_AHEAD} at {self._range_m:.2f} m"
        return (scale, reason) if scale < 1.0 else (1.0, "")

    def _too_long_a_leg(self, now_ns: int) -> str:
        """Account for what was driven since the last command; say where it is too much."""
        if not self.moving:
            self._leg = Leg(now_ns)
            return ""
        separation_m = self._geometry.wheel_separation_m
        self._leg.add(self._applied, self._since_command(now_ns), separation_m)
        return self._leg.excess(now_ns, self._limits)

    def _note(self, now_ns: int, what: str, asked: object, applied: object, reason: str) -> None:
        decision = Decision(now_ns, what, asked, applied, reason)
        self.decisions.append(decision)
        self._audit(decision)


def _toward(now: float, goal: float, faster: float, slower: float) -> float:
    """Move `now` to `goal` by a step at most; through zero it first rests at zero."""
    if now * goal < 0:
        goal = 0.0
    step = slower if abs(goal) < abs(now) else faster
    return min(max(goal, now - step), now + step)
