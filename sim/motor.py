"""A DC gear motor with its wheel, all as seen at the wheel's axle.

torque = K/R (V - K w) - friction, with the terminal voltage V = drive * battery voltage: the
driver shorts the motor between its pulses (slow decay), so that no drive brakes.
The rotor's inertia, through the gear, dwarfs the wheel's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_WHEEL_INERTIA = 2e-5
"""kg m^2 of a 65 mm wheel: what of the time constant's inertia is not the rotor's."""


@dataclass(frozen=True)
class Motor:
    """By what a data sheet says of it, unloaded; the defaults are the emulator's `WheelModel`."""

    nominal_v: float = 7.4
    no_load_speed: float = 2 * math.pi * 5500 / 1440
    """rad/s at the nominal voltage."""
    time_constant_s: float = 0.06
    stall_current_a: float = 1.5
    friction: float = 0.03
    """Share of the stall torque that Coulomb friction takes."""

    @property
    def constant(self) -> float:
        """K: torque per current in N m/A, and voltage per speed in V s/rad."""
        return self.nominal_v * (1 - self.friction) / self.no_load_speed

    @property
    def resistance(self) -> float:
        """Of the winding, ohm."""
        return self.nominal_v / self.stall_current_a

    @property
    def stall_torque_nm(self) -> float:
        """At the nominal voltage, before friction."""
        return self.constant * self.stall_current_a

    @property
    def friction_nm(self) -> float:
        """Coulomb friction torque."""
        return self.friction * self.stall_torque_nm

    @property
    def torque_per_volt(self) -> float:
        """K/R, N m/V."""
        return self.constant / self.resistance

    @property
    def braking(self) -> float:
        """K^2/R: torque that the back-EMF takes per rad/s, N m s."""
        return self.constant**2 / self.resistance

    @property
    def armature(self) -> float:
        """The rotor's inertia, kg m^2: J = T K^2/R, less the wheel's own."""
        return self.time_constant_s * self.braking - _WHEEL_INERTIA

    def current(self, volts: float, speed: float) -> float:
        """Through the winding, ampere, at a terminal voltage and a speed in rad/s."""
        return (volts - self.constant * speed) / self.resistance
