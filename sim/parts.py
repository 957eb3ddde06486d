"""The robot's moving parts in a MuJoCo model: motors with wheels, servos, and its lamp."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reflexarc.sim.battery import Battery
from reflexarc.sim.description import Description
from reflexarc.sim.mjcf import LAMP

_JAM_NM = 5.0
"""Far more than a motor has."""
_STRAIGHT_US = 1500.0
_US_PER_DEGREE = 10.0
"""As the firmware has it unless it is set otherwise (its servo scale is 900 us for 90 degrees)."""


class Wheels:
    """Two motors with their wheels. Left first; forward is positive."""

    def __init__(self, model: Any, data: Any, robot: Description) -> None:
        self._model, self._data, self._motor = model, data, robot.motor
        joints = [model.joint(name) for name in robot.wheels]
        self._angle = [int(joint.qposadr[0]) for joint in joints]
        self._dof = [int(joint.dofadr[0]) for joint in joints]
        self._actuator = [model.actuator(f"{side}_motor").id for side in ("left", "right")]
        self._counts_per_rad = robot.measures.counts_per_rad
        self._friction = [float(model.dof_frictionloss[dof]) for dof in self._dof]
        self.current_a = 0.0
        """What both draw from the battery."""

    def drive(self, drive: Sequence[float], battery: Battery) -> None:
        """Apply mean drives, -1..1, from now on.

        A driver takes the motor's current from the battery only during its pulses. What a
        braking motor would give back is not counted.
        """
        self.current_a = 0.0
        volts = battery.volts
        for share, actuator, speed in zip(drive, self._actuator, self.speeds, strict=True):
            self._data.ctrl[actuator] = share * volts
            self.current_a += max(0.0, share * self._motor.current(share * volts, speed))

    @property
    def speeds(self) -> tuple[float, float]:
        """rad/s."""
        left, right = (float(self._data.qvel[dof]) for dof in self._dof)
        return left, right

    @property
    def counts(self) -> tuple[float, float]:
        """Angles since the start, in encoder counts."""
        left, right = (float(self._data.qpos[at]) * self._counts_per_rad for at in self._angle)
        return left, right

    def jam(self, wheel: int, jammed: bool) -> None:
        """Hold a wheel by friction, or let it go. 0 is left."""
        free = self._friction[wheel]
        self._model.dof_frictionloss[self._dof[wheel]] = _JAM_NM if jammed else free


class Servos:
    """Pan, tilt and gripper."""

    def __init__(self, model: Any, data: Any, robot: Description) -> None:
        self._model, self._data = model, data
        self._joints = [int(model.joint(name).qposadr[0]) for name in robot.servos]
        self._actuators = [model.actuator(name.removesuffix("_joint")).id for name in robot.servos]
        self._gains = [
            (model.actuator_gainprm[i].copy(), model.actuator_biasprm[i].copy())
            for i in self._actuators
        ]

    def follow(self, pulses_us: Sequence[float]) -> None:
        """Take pulse widths: 1500 us is straight, 10 us more are a degree; 0: limp."""
        for pulse, actuator, (gain, bias) in zip(
            pulses_us, self._actuators, self._gains, strict=True
        ):
            has_torque = pulse > 0
            self._model.actuator_gainprm[actuator] = gain if has_torque else 0
            self._model.actuator_biasprm[actuator] = bias if has_torque else 0
            if has_torque:
                self._data.ctrl[actuator] = math.radians((pulse - _STRAIGHT_US) / _US_PER_DEGREE)

    @property
    def angles(self) -> tuple[float, float, float]:
        """Of the joints, rad."""
        pan, tilt, gripper = (float(self._data.qpos[at]) for at in self._joints)
        return pan, tilt, gripper


class Lamp:
    """The RGB light."""

    def __init__(self, model: Any, robot: Description) -> None:
        self._model = model
        self._material = model.material(LAMP).id
        self._dark = model.mat_rgba[self._material].copy()

    def shine(self, light: Sequence[int]) -> None:
        """Red, green, blue: 1 is on."""
        is_on = any(light)
        self._model.mat_rgba[self._material] = (*map(float, light), 1.0) if is_on else self._dark
        self._model.mat_emission[self._material] = 1.0 if is_on else 0.0
