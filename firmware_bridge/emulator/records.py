"""What an emulator reports, typed. Pairs are (left, right); a second is CPU_HZ cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

CPU_HZ = 16_000_000


@dataclass(frozen=True)
class EmulatorStatus:
    """One moment. True values, from outside the chip: not what the firmware thinks."""

    cycle: int
    wall_ns: int
    """`time.monotonic_ns` that belongs to `cycle`."""
    cpu_s: float
    """CPU time the emulator has used."""
    alive: bool
    """False when the chip has stopped for good."""
    resets: int
    """Since the emulator started, whatever the cause."""
    plugged: bool
    duty: tuple[int, int]
    """Motor drive on the pins, -255..255."""
    last_edge_cycle: tuple[int, int]
    """When each PWM pin last moved."""
    encoder: tuple[int, int]
    """Edges given to the chip."""
    speed: tuple[float, float]
    """Of the wheels, counts/s."""
    rx_bytes: int
    """From the host."""
    tx_bytes: int
    last_rx_cycle: int
    overruns: int
    """Bytes the chip read too late."""
    dropped: int
    flipped: int
    duplicated: int
    unheard: int
    """Bytes from the chip that nobody took."""
    wrong_baud: int
    """Bytes turned to noise because host and chip disagree on the speed."""
    servo_us: tuple[float, float, float]
    """Length of the last pulse to pan, tilt and gripper; 0 where none comes."""
    light: tuple[int, int, int]
    """Red, green, blue: 1 is on."""
    range_questions: int
    """How often the chip has triggered the range sensor."""
    in_reset: bool
    """During a brown-out."""
    worst_latency: dict[str, int]
    """Of each interrupt that ran: the longest wait for it, in cycles."""

    @property
    def seconds(self) -> float:
        """Emulated time since the start."""
        return self.cycle / CPU_HZ

    def cycle_at(self, wall_ns: int, speed: float = 1.0) -> int:
        """The cycle that belongs to a nearby `time.monotonic_ns`."""
        return self.cycle + round((wall_ns - self.wall_ns) * speed * CPU_HZ / 1e9)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> EmulatorStatus:
        """From the emulator's own words."""
        pairs: dict[str, Any] = {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        return cls(**(values | pairs))


class MotorChange(NamedTuple):
    """A motor's drive on the pins changed to `duty` (-255..255) at `cycle`.

    A PWM value is known when its period ends and is dated to where it began.
    """

    cycle: int
    wall_ns: int
    motor: int
    duty: int


class HostFrame(NamedTuple):
    """A frame from the host: when its first byte and its closing zero were in the chip."""

    first_cycle: int
    first_wall_ns: int
    end_cycle: int
    end_wall_ns: int
    length: int


class PinEdge(NamedTuple):
    """A watched pin, such as "B1", changed its level at `cycle`."""

    cycle: int
    pin: str
    high: bool


class Trace(NamedTuple):
    """Events in order of time; `lost` counts those overwritten before anybody asked."""

    motor: list[MotorChange]
    frames: list[HostFrame]
    pins: list[PinEdge]
    lost: int


class Exchange(NamedTuple):
    """What a body outside gets: the motors' mean drive (-1..1) since the last exchange."""

    cycle: int
    drive: tuple[float, float]
    encoder: tuple[int, int]
    position: tuple[float, float]
    """The wheels' angles in counts, of which `encoder` is the edges given to the chip."""
