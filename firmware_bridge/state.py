"""What the chip measured, in units, put together from its State and Health messages."""

from __future__ import annotations

from dataclasses import dataclass

from reflexarc.firmware_bridge.clock_sync import ClockEstimate, unwrap_us
from reflexarc.firmware_bridge.faults import fault_names
from reflexarc.firmware_bridge.protocol import messages

SERVO_NAMES = ("pan", "tilt", "gripper")


@dataclass(frozen=True)
class BoardState:
    """One control period; pairs are (left, right). Health fields are up to 50 ms older."""

    stamp_ns: int
    """Host's `time.monotonic_ns` when it arrived."""
    measured_ns: int
    """Host's `time.monotonic_ns` when it was measured, by the clock estimate."""
    chip_us: int
    """Chip's time since its start, unwrapped."""
    encoder: tuple[int, int]
    """Counts since the chip's start; forward is positive."""
    speed: tuple[int, int]
    """Measured counts/s."""
    motors_on: bool
    host_timed_out: bool
    """The chip stopped the motors because the host was silent."""
    watchdog_reset: bool
    """The chip's last start was its watchdog's doing."""
    saturated: bool
    """A motor gets all there is."""
    bump: bool
    """The switch is pressed now."""
    emergency_stop: bool
    """The emergency stop is open now."""
    servos_moving: bool
    saving: bool
    """Settings are being written to EEPROM."""
    faults: frozenset[str]
    """What has switched the motors off until `clear_faults`."""
    duty: tuple[int, int]
    """Motor drive, -255..255."""
    battery_v: float
    range_m: float | None
    """To what is ahead; None for nothing near, or no sensor."""
    servos: dict[str, float | None]
    """Degrees that each servo's pulse has got to; None is limp."""
    rx_errors: int
    """Frames and bytes the chip has thrown away since its start."""
    longest_period_us: int
    """The longest time between two control steps since the chip's start."""
    stack_free: int
    """The fewest free bytes of stack since the chip's start."""


def degrees(wire: int) -> float | None:
    """From 0.1 degree; None for a released servo."""
    return None if wire == messages.SERVO_RELEASED else wire / 10


class StateMerger:
    """Keeps the newest Health and the chip's unwrapped time."""

    def __init__(self, reset_cause: int) -> None:
        self._watchdog_reset = bool(reset_cause & messages.RESET_WATCHDOG)
        self._health: messages.Health | None = None
        self._chip_us: int | None = None

    def take_health(self, message: messages.Health) -> None:
        """Keep it for the states that follow."""
        self._health = message

    def unwrap(self, t_us: int) -> int:
        """The chip's whole time; follows it over the wraps of its 32 bits."""
        newest = t_us if self._chip_us is None else self._chip_us
        chip_us = unwrap_us(t_us, newest)
        self._chip_us = max(newest, chip_us)
        return chip_us

    def take_state(
        self, message: messages.State, stamp_ns: int, clock: ClockEstimate | None
    ) -> BoardState | None:
        """The whole state; None until the first Health has come."""
        health, flags = self._health, message.flags
        if health is None:
            return None
        chip_us = self.unwrap(message.t_us)
        measured_ns = stamp_ns if clock is None else min(clock.to_host_ns(chip_us), stamp_ns)
        return BoardState(
            stamp_ns=stamp_ns,
            measured_ns=measured_ns,
            chip_us=chip_us,
            encoder=message.encoder,
            speed=message.speed,
            motors_on=bool(flags & messages.FLAG_MOTORS_ON),
            host_timed_out=bool(flags & messages.FLAG_HOST_TIMEOUT),
            watchdog_reset=self._watchdog_reset,
            saturated=bool(flags & messages.FLAG_SATURATED),
            bump=bool(flags & messages.FLAG_BUMP),
            emergency_stop=bool(flags & messages.FLAG_EMERGENCY_STOP),
            servos_moving=bool(flags & messages.FLAG_SERVOS_MOVING),
            saving=bool(flags & messages.FLAG_SAVING),
            faults=fault_names(message.faults),
            duty=health.duty,
            battery_v=health.battery_mv / 1000,
            range_m=None if health.range_mm == messages.RANGE_NONE else health.range_mm / 1000,
            servos={
                name: degrees(angle) for name, angle in zip(SERVO_NAMES, health.servo, strict=True)
            },
            rx_errors=health.rx_errors,
            longest_period_us=health.longest_period_us,
            stack_free=health.stack_free,
        )
