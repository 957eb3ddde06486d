"""From a frame to the motor pins: how long, and where the time goes.

The box runs in real time, so simulated time and the machine's monotonic clock are two scales
of one time line; the flight log gives both for every frame on the line and every pin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from reflexarc.cli.box.record import Run
from reflexarc.sim.flight_reader import Flight


@dataclass(frozen=True)
class Sample:
    """One frame that moved the robot: seconds at each station.

    Attributes:
        see: frame taken -> observation ready (the camera, waiting for the net, the net).
        tell: -> at the controller, where the graph is between.
        decide: -> the rule has fired and the skill is chosen.
        send: -> first byte of the command in the chip (gate, the graph's way to the base,
            its gate, framing, system call).
        uart: -> last byte in the chip, simulated.
        firmware: -> the motor pin moves, simulated: check, parse, set the PWM.
    """

    see: float
    tell: float
    decide: float
    send: float
    uart: float
    firmware: float

    @property
    def own(self) -> float:
        """Our own overhead: neither the frame's way to the net and the net itself, nor the
        serial line and the chip."""
        return self.tell + self.decide + self.send

    @property
    def total(self) -> float:
        """Frame to motor pin."""
        return self.see + self.tell + self.decide + self.send + self.uart + self.firmware

    @classmethod
    def of(cls, stations: dict[str, int], flight: Flight) -> Sample | None:
        """Match the host's times with the chip's; None if the pins did not move."""
        after = np.flatnonzero(flight.frames[:, 1] >= stations["decided"])
        if not len(after):
            return None
        first_t, first_ns, end_t, _ = flight.frames[after[0]]
        moved = flight.motor[(flight.motor[:, 0] >= end_t) & (flight.motor[:, 3] != 0)]
        if not len(moved):
            return None
        told = stations.get("told") or stations["observed"]
        return cls(
            see=(told - stations["frame"]) / 1e9,
            tell=(stations["observed"] - told) / 1e9,
            decide=(stations["decided"] - stations["observed"]) / 1e9,
            send=(float(first_ns) - stations["decided"]) / 1e9,
            uart=float(end_t - first_t),
            firmware=float(moved[0, 0] - end_t),
        )


def samples(run: Run) -> list[Sample]:
    """One for every movement of the wheels that a frame has set off."""
    found = []
    for event in run.of("started"):
        stations = event.value.get("stations")
        if stations and (event.value["action"] or {}).get("do") in ("move", "turn"):
            sample = Sample.of(stations, run.flight)
            if sample is not None:
                found.append(sample)
    return found


@dataclass(frozen=True)
class Station:
    """One line of the latency table."""

    name: str
    clock: str
    p50_ms: float
    p99_ms: float
    worst_ms: float

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return asdict(self)


_STATIONS = (
    ("see", "frame -> observation", "wall"),
    ("tell", "observation -> controller", "wall"),
    ("decide", "reflex and skill", "wall"),
    ("send", "gates, frame, send", "wall"),
    ("uart", "UART", "simulated"),
    ("firmware", "firmware -> PWM pin", "simulated"),
    ("own", "of these ours: controller, graph, gates", "wall"),
    ("total", "frame -> PWM pin", "both"),
)


def table(taken: Sequence[Sample]) -> list[Station]:
    """Percentiles by station. They do not add up: each is of its own distribution."""
    rows = []
    for name, title, clock in _STATIONS:
        ms = np.array([1e3 * getattr(sample, name) for sample in taken])
        p50, p99 = np.percentile(ms, (50, 99))
        rows.append(Station(title, clock, float(p50), float(p99), float(ms.max())))
    return rows
