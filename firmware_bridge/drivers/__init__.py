"""Board drivers: this firmware, its emulation, and two families of bus servos."""

from reflexarc.firmware_bridge.drivers.errors import (
    DriverConfigError,
    ServoError,
    ServoFaultError,
    ServoMissingError,
)
from reflexarc.firmware_bridge.drivers.interface import Servos, Wheels
from reflexarc.firmware_bridge.drivers.registry import drivers, open_driver

__all__ = [
    "DriverConfigError",
    "ServoError",
    "ServoFaultError",
    "ServoMissingError",
    "Servos",
    "Wheels",
    "drivers",
    "open_driver",
]
