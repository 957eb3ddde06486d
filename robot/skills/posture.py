"""Look, grip and gestures: servos from one posture to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.actions import Gesture, Grip, Look
from reflexarc.robot.config import Limits
from reflexarc.robot.skills.base import NOTHING, Part, Senses, SkillError, Wish

Angles = Mapping[str, float]

_THERE_DEG = 2.0
_AGAIN_S = 0.1
"""A command that the gate left out is said again, and a servo with a watchdog of its own
hears that somebody is there."""
_AT_MOST_S = 5.0
"""For one posture: at 60 degrees/s, the slowest default, from one end to the other takes 3 s."""
_NOD_DEG, _SHAKE_DEG, _WAVE_DEG = 20.0, 25.0, 15.0


class Posture:
    """Bring servos to one posture after the other, each when the one before is reached."""

    tasks: frozenset[str] = frozenset()

    def __init__(
        self, parts: frozenset[Part], postures: Callable[[Senses], Sequence[Angles]]
    ) -> None:
        """Take what makes the postures at the start: gestures end where they began."""
        self.parts = parts
        self._make = postures
        self._left: list[Angles] | None = None
        self._target: Angles = {}
        self._since_ns = self._said_ns = 0

    def step(self, senses: Senses) -> Wish | None:
        """Command the next posture when this one is reached.

        Raises:
            SkillError: a servo does not get there.
        """
        first = self._left is None
        if self._left is None:
            self._left = list(self._make(senses))
        if not first and not self._reached(senses.state):
            if senses.now_ns - self._since_ns > _AT_MOST_S * 1e9:
                raise SkillError(
                    expected=f"servos at {_said(self._target)} within {_AT_MOST_S:g} s",
                    found=_said({n: senses.state.servos.get(n) or 0.0 for n in self._target}),
                    remedy="arm the robot; check that the board has these servos and their limits",
                )
            if senses.now_ns - self._said_ns < _AGAIN_S * 1e9:
                return NOTHING
            self._said_ns = senses.now_ns
            return Wish(servos=self._target)
        if not self._left:
            return None
        self._target = self._left.pop(0)
        self._since_ns = self._said_ns = senses.now_ns
        return Wish(servos=self._target)

    def result(self) -> dict[str, float]:
        """The last posture."""
        return {f"{name}_deg": angle for name, angle in self._target.items()}

    def _reached(self, state: BoardState) -> bool:
        return all(
            (at := state.servos.get(name)) is not None and abs(at - angle) <= _THERE_DEG
            for name, angle in self._target.items()
        )


def look(action: Look, limits: Limits) -> Posture:
    """The head to where the action says."""
    goal = _clamped({"pan": action.pan_deg, "tilt": action.tilt_deg}, limits)
    return Posture(frozenset({"head"}), lambda senses: [goal])


def grip(action: Grip, limits: Limits) -> Posture:
    """The gripper to its end."""
    low, high = limits.servo_range("gripper")
    goal = {"gripper": high if action.state == "open" else low}
    return Posture(frozenset({"gripper"}), lambda senses: [goal])


def gesture(action: Gesture, limits: Limits) -> Posture:
    """A nod, a shake of the head, or a wave with it; it ends where it began.

    A limp head is brought to where it rests first: of a servo that was never told anything
    the board takes the first pulse as reached, and all that was seen were a twitch.
    """

    def postures(senses: Senses) -> list[Angles]:
        pan, tilt = (_now(name, senses) for name in ("pan", "tilt"))
        # Down, unless the head hangs already.
        nod = _NOD_DEG if tilt - _NOD_DEG < limits.servo_range("tilt")[0] else -_NOD_DEG
        moves: dict[str, list[Angles]] = {
            "nod": [{"tilt": tilt + nod}, {"tilt": tilt}],
            "shake": [{"pan": pan + _SHAKE_DEG}, {"pan": pan - _SHAKE_DEG}, {"pan": pan}],
            "wave": [
                {"pan": pan + _WAVE_DEG, "tilt": tilt + _WAVE_DEG},
                {"pan": pan - _WAVE_DEG, "tilt": tilt + _WAVE_DEG},
                {"pan": pan + _WAVE_DEG, "tilt": tilt + _WAVE_DEG},
                {"pan": pan, "tilt": tilt},
            ],
        }
        made = moves[action.name]
        if any(senses.state.servos.get(name) is None for name in made[-1]):
            made.insert(0, made[-1])
        return [_clamped(angles, limits) for angles in made]

    return Posture(frozenset({"head"}), postures)


def _now(name: str, senses: Senses) -> float:
    """Where it rests. Measured in mid-movement, gestures in a row would wander off."""
    at = senses.home.get(name, senses.state.servos.get(name))
    return 0.0 if at is None else at


def _clamped(angles: Angles, limits: Limits) -> dict[str, float]:
    """What the gate would let through: otherwise the target would never be reached."""
    return {
        name: min(max(angle, limits.servo_range(name)[0]), limits.servo_range(name)[1])
        for name, angle in angles.items()
    }


def _said(angles: Angles) -> str:
    return ", ".join(f"{name} {angle:+.0f}°" for name, angle in angles.items())
