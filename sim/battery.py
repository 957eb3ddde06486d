"""A battery that sags under load and drains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Two 18650 cells in series at rest: charge, volts (typical discharge curve of NMC cells).
_CHARGE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
_VOLTS = (6.0, 6.6, 6.86, 7.1, 7.3, 7.52, 7.86, 8.06, 8.36)


@dataclass
class Battery:
    """Charge, and what is left of the voltage at the terminals."""

    capacity_ah: float = 2.2
    resistance: float = 0.12
    """Of cells, wires and driver, ohm."""
    charge: float = 0.5
    """0..1."""
    load_a: float = 0.0
    """What is being drawn."""

    @property
    def rest_v(self) -> float:
        """Voltage without load."""
        return float(np.interp(self.charge, _CHARGE, _VOLTS))

    @property
    def volts(self) -> float:
        """At the terminals."""
        return self.rest_v - self.resistance * self.load_a

    def set_rest_v(self, volts: float) -> None:
        """Take the charge at which it has this voltage at rest; beyond full or empty: that."""
        self.charge = float(np.interp(volts, _VOLTS, _CHARGE))

    def draw(self, ampere: float, seconds: float) -> None:
        """Draw a current for a time; it is kept as the load. A negative one charges."""
        self.load_a = ampere
        spent = ampere * seconds / 3600 / self.capacity_ah
        self.charge = min(1.0, max(0.0, self.charge - spent))
