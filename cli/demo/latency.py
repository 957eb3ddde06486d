"""From a frame to the motor pins: how long, and where the time goes.

The emulated chip runs in real time, so its cycles and the host's monotonic
clock are two scales of one time line; the emulator gives both for every event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from reflexarc.firmware_bridge.emulator.records import CPU_HZ, EmulatorStatus, Trace
from reflexarc.robot.events import Stations


@dataclass(frozen=True)
class Sample:
    """One frame that moved the robot: seconds at each station.

    Attributes:
        see: frame taken -> observation ready (find, normalise, INT8 net).
        decide: -> the rule has fired and the skill is chosen.
        gate_and_send: -> first byte of the command in the chip (gate, skill step,
            framing, system call, the emulator's pick-up).
        uart: -> last byte in the chip, emulated.
        firmware: -> the motor pin moves, emulated: check, parse, set the PWM.
    """

    see: float
    decide: float
    gate_and_send: float
    uart: float
    firmware: float

    @property
    def total(self) -> float:
        """Frame to motor pin."""
        return self.see + self.decide + self.gate_and_send + self.uart + self.firmware

    @classmethod
    def of(cls, stations: Stations, trace: Trace, status: EmulatorStatus) -> Sample | None:
        """Match the host's times with the chip's; None if the pins never moved."""
        command = next((f for f in trace.frames if f.first_wall_ns >= stations.decided), None)
        if command is None:
            return None
        moved = next((m for m in trace.motor if m.cycle >= command.end_cycle and m.duty), None)
        if moved is None:
            return None
        return cls(
            see=(stations.observed - stations.frame) / 1e9,
            decide=(stations.decided - stations.observed) / 1e9,
            gate_and_send=(command.first_wall_ns - stations.decided) / 1e9,
            uart=(command.end_cycle - command.first_cycle) / CPU_HZ,
            firmware=(moved.cycle - command.end_cycle) / CPU_HZ,
        )


@dataclass(frozen=True)
class Station:
    """One line of the latency table: milliseconds, and the same in emulated cycles."""

    name: str
    clock: str
    p50_ms: float
    p99_ms: float
    p50_cycles: int
    p99_cycles: int

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


_STATIONS = (
    ("see", "frame -> observation", "wall"),
    ("decide", "reflex and skill", "wall"),
    ("gate_and_send", "gate, frame, send", "wall"),
    ("uart", "UART", "emulated"),
    ("firmware", "firmware -> PWM pin", "emulated"),
    ("total", "frame -> PWM pin", "both"),
)


def table(samples: Sequence[Sample]) -> list[Station]:
    """Percentiles by station. They do not add up: each is of its own distribution."""
    rows = []
    for name, title, clock in _STATIONS:
        seconds = [getattr(sample, name) for sample in samples]
        p50, p99 = (float(np.percentile(seconds, q)) for q in (50, 99))
        rows.append(
            Station(title, clock, p50 * 1e3, p99 * 1e3, round(p50 * CPU_HZ), round(p99 * CPU_HZ))
        )
    return rows
