"""The rover's board without a board: its real firmware on an emulated ATmega328P."""

from reflexarc.firmware_bridge.emulator.emulator import (
    Emulator,
    EmulatorError,
    WheelModel,
)
from reflexarc.firmware_bridge.emulator.records import (
    CPU_HZ,
    EmulatorStatus,
    Exchange,
    HostFrame,
    MotorChange,
    Trace,
)

__all__ = [
    "CPU_HZ",
    "Emulator",
    "EmulatorError",
    "EmulatorStatus",
    "Exchange",
    "HostFrame",
    "MotorChange",
    "Trace",
    "WheelModel",
]
