"""The rover's board without a board: its real firmware on an emulated ATmega328P."""

from reflexarc.firmware_bridge.emulator.emulator import (
    EmulatedBoard,
    EmulatorError,
    WheelModel,
)
from reflexarc.firmware_bridge.emulator.records import (
    CPU_HZ,
    EmulatorStatus,
    Exchange,
    HostFrame,
    MotorChange,
    PinEdge,
    Trace,
)

__all__ = [
    "CPU_HZ",
    "EmulatedBoard",
    "EmulatorError",
    "EmulatorStatus",
    "Exchange",
    "HostFrame",
    "MotorChange",
    "PinEdge",
    "Trace",
    "WheelModel",
]
