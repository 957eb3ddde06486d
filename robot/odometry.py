"""Where the wheels say the robot is: encoder counts to a pose, with how sure that is.

Frames as in REP-103/105: metres and radians, x ahead, y left, yaw counter-clockwise; the
pose is that of the middle between the wheels, in the frame where odometry began.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.config import Geometry

WHEEL_NOISE_M = 1e-5
"""The variance of a wheel's way grows by this many square metres per metre that it rolls: one
is known to 3 mm after a metre, a full turn on the spot to 1.2 degrees. An assumption, of rubber
wheels on a hard floor; Siegwart and Nourbakhsh leave it to experiment."""
_WRAP = 1 << 32
"""Counts are 32 bits on the wire."""
_UNSEEN_S = 0.3
"""So long a chip that has started anew may have rolled before it counted again: what is left of
the last speed, and the start."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pose:
    """Metres and radians; yaw is not wrapped: it counts whole turns too."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0


@dataclass(frozen=True, slots=True)
class Velocity:
    """Of the body: ahead in m/s, and turning left in rad/s."""

    ahead: float = 0.0
    turning: float = 0.0


class Odometry:
    """Adds up what the wheels rolled.

    Each step is an arc of a circle, exactly: its chord is 2 R sin(dyaw / 2), in the direction
    half way between both headings. The covariance follows Siegwart and Nourbakhsh,
    "Introduction to Autonomous Mobile Robots", 5.2.4: each wheel errs on its own, with a
    variance in proportion to the way it rolled.
    """

    def __init__(self, geometry: Geometry, noise_m: float = WHEEL_NOISE_M) -> None:
        self._m_per_count = 1.0 / geometry.counts_per_m
        self._separation_m = geometry.wheel_separation_m
        self._noise_m = noise_m
        self.pose = Pose()
        self.velocity = Velocity()
        self.covariance: Matrix = np.zeros((3, 3))
        """Of x, y, yaw."""
        self._counts: tuple[int, int] | None = None
        self._chip_us = 0

    def restart(self) -> None:
        """The counts begin anew with the next state; the pose stays."""
        if self._counts is not None:
            self._counts = None
            self._roll_unseen()

    def take(self, state: BoardState) -> Pose:
        """Add what was rolled since the last state; give the pose.

        A state of a chip that has started anew is noticed by its clock, which goes back.
        """
        if self._counts is not None and state.chip_us < self._chip_us:
            self.restart()
        before, self._counts, self._chip_us = self._counts, state.encoder, state.chip_us
        self.velocity = self._velocity(state.speed)
        if before is not None and before != state.encoder:
            left, right = (
                ((now - then + _WRAP // 2) % _WRAP - _WRAP // 2) * self._m_per_count
                for now, then in zip(state.encoder, before, strict=True)
            )
            self._roll(left, right)
        return self.pose

    def velocity_variance(self, seconds: float) -> tuple[float, float]:
        """Of ahead, (m/s)^2, and turning, (rad/s)^2, measured over a time.

        The wheels' noise, and that they are counted in whole counts.
        """
        v, w = self.velocity.ahead, self.velocity.turning
        turning_m = w * self._separation_m / 2
        count = (self._m_per_count / seconds) ** 2 / 12
        left, right = (
            self._noise_m * abs(speed) / seconds + count for speed in (v - turning_m, v + turning_m)
        )
        return (left + right) / 4, (left + right) / self._separation_m**2

    def _velocity(self, speed: tuple[int, int]) -> Velocity:
        left, right = speed[0] * self._m_per_count, speed[1] * self._m_per_count
        return Velocity((left + right) / 2, (right - left) / self._separation_m)

    def _roll(self, left: float, right: float) -> None:
        b = self._separation_m
        way, turn = (left + right) / 2, (right - left) / b
        middle = self.pose.yaw + turn / 2
        cos, sin = math.cos(middle), math.sin(middle)
        chord = way * _sinc(turn / 2)
        self.pose = Pose(self.pose.x + chord * cos, self.pose.y + chord * sin, self.pose.yaw + turn)
        # How the new pose depends on the old one, and on either wheel's way.
        of_pose = np.array([[1.0, 0.0, -chord * sin], [0.0, 1.0, chord * cos], [0.0, 0.0, 1.0]])
        lean = way / (2 * b)
        of_wheels = np.array(
            [
                [cos / 2 + lean * sin, cos / 2 - lean * sin],
                [sin / 2 - lean * cos, sin / 2 + lean * cos],
                [-1.0 / b, 1.0 / b],
            ]
        )
        noise = of_wheels * (self._noise_m * abs(left), self._noise_m * abs(right))
        self.covariance = of_pose @ self.covariance @ of_pose.T + noise @ of_wheels.T

    def _roll_unseen(self) -> None:
        """What it may have rolled while nobody counted makes the pose less sure."""
        way = abs(self.velocity.ahead) * _UNSEEN_S
        turn = abs(self.velocity.turning) * _UNSEEN_S
        self.covariance = self.covariance + np.diag([way**2, way**2, turn**2])


def _sinc(angle: float) -> float:
    """sin(x) / x."""
    return math.sin(angle) / angle if abs(angle) > 1e-8 else 1.0
