"""Move and turn: each wheel rolls its own distance, closed-loop on the encoders."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.actions import Move, Turn
from reflexarc.robot.body import REST, Wheels
from reflexarc.robot.config import Geometry, Limits
from reflexarc.robot.skills.base import Part, Senses, SkillError, Wish

# The profile brakes at this share of the acceleration limit, so that the
# wheel-speed loop on the board (time constant about 60 ms) can follow it.
_BRAKE_SHARE = 0.5
_CREEP_MPS = 0.03  # slow enough to stop within a millimetre or two
_LAG_S = 0.06  # a wheel told to stop rolls on for its speed times this
_STEER_PER_S = 4.0  # how hard the wheel that lags is helped
_STANDING_MPS = 0.005
_STALL_S = 1.0
_STALL_M = 0.002


@dataclass(frozen=True, slots=True)
class Travel:
    """How far each wheel has rolled since the skill began, in metres, from the encoders."""

    left: float
    right: float

    @property
    def distance_m(self) -> float:
        """Of the middle between the wheels."""
        return (self.left + self.right) / 2


class Roll:
    """Roll each wheel by its own distance, both arriving together.

    Speed follows a trapezoid: the gate limits the start, and braking keeps
    v <= sqrt(2 a s), where s is the distance left less what the wheels roll on
    by themselves. It is done when both stand still after their distance.
    """

    parts: frozenset[Part] = frozenset({"wheels"})
    tasks: frozenset[str] = frozenset()

    def __init__(self, left_m: float, right_m: float, limits: Limits, geometry: Geometry) -> None:
        self._goal = (left_m, right_m)
        self._length = max(abs(left_m), abs(right_m))
        self._limits = limits
        self._counts_per_m = geometry.counts_per_m
        self._start: BoardState | None = None
        self._braking = False
        self._mark = (0.0, 0)  # furthest progress, and when it was made
        self.travel = Travel(0.0, 0.0)

    def step(self, senses: Senses) -> Wish | None:
        """Give the speeds for now, or None when it is done.

        Raises:
            SkillError: the wheels are told to turn and do not.
        """
        state = senses.state
        if self._start is None:
            self._start = state
            self._mark = (0.0, state.stamp_ns)
        self.travel = Travel(
            *(
                (now - then) / self._counts_per_m
                for now, then in zip(state.encoder, self._start.encoder, strict=True)
            )
        )
        if self._length == 0.0:
            return None
        done = [
            self._length * (rolled / goal if goal else 1.0)
            for rolled, goal in zip((self.travel.left, self.travel.right), self._goal, strict=True)
        ]
        covered = sum(done) / 2
        rolling_on = _LAG_S * self._speed(state)
        left = self._length - covered - rolling_on
        self._check_progress(covered, state.stamp_ns, senses.blocked)
        if self._braking or left <= 0:
            self._braking = True
            return None if self._standing(state) else Wish(REST)
        brake = _BRAKE_SHARE * self._limits.acceleration_mps2
        speed = max(_CREEP_MPS, min(self._limits.speed_mps, math.sqrt(2 * brake * left)))
        return Wish(
            Wheels(
                *(
                    goal / self._length * max(0.0, speed + _STEER_PER_S * (covered - own))
                    for goal, own in zip(self._goal, done, strict=True)
                )
            )
        )

    def result(self) -> dict[str, float]:
        """What the wheels rolled."""
        return {"left_m": self.travel.left, "right_m": self.travel.right}

    def _speed(self, state: BoardState) -> float:
        """Mean of the wheels' speeds without sign, m/s."""
        return sum(abs(speed) for speed in state.speed) / 2 / self._counts_per_m

    def _standing(self, state: BoardState) -> bool:
        return all(abs(speed) / self._counts_per_m < _STANDING_MPS for speed in state.speed)

    def _check_progress(self, covered: float, now_ns: int, blocked: str) -> None:
        furthest, since_ns = self._mark
        if covered >= furthest + _STALL_M:
            self._mark = (covered, now_ns)
        elif not self._braking and now_ns - since_ns > _STALL_S * 1e9:
            raise SkillError(
                expected=f"a free way of {self._length:.2f} m"
                if blocked
                else f"wheels that roll {self._length:.2f} m",
                found=f"{blocked}, after {covered:.3f} m"
                if blocked
                else f"no progress for {_STALL_S} s after {covered:.3f} m",
                remedy="clear the way, or turn"
                if blocked
                else "free the wheels, check the motor and encoder wires",
            )


def roll_for(action: Move | Turn, limits: Limits, geometry: Geometry) -> Roll:
    """The skill that does `action`.

    A turn on the spot by an angle rolls each wheel along an arc of half the
    wheel separation; left (positive) is left wheel back, right wheel forward.
    """
    if isinstance(action, Move):
        return Roll(action.distance_m, action.distance_m, limits, geometry)
    arc = math.radians(action.angle_deg) * geometry.wheel_separation_m / 2
    return Roll(-arc, arc, limits, geometry)
