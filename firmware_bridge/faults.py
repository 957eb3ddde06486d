"""The chip's fault bits by name, with what a person can do about each."""

from __future__ import annotations

from typing import NamedTuple

from reflexarc.firmware_bridge.protocol import messages


class Fault(NamedTuple):
    """One latched fault: its bit, its cause in words, and the remedy."""

    bit: int
    cause: str
    remedy: str


_ENCODER = (
    "check the encoder's plug and its two signal wires, then clear the fault; a wheel that "
    "jammed at speed looks the same"
)
_STALL = "free the wheel, check the motor's wires and the encoder's plug, then clear the fault"
_RUNAWAY = (
    "swap the motor's wires or the encoder's A and B (or set the reversed option), "
    "then clear the fault"
)

FAULTS: dict[str, Fault] = {
    "emergency_stop": Fault(
        messages.FAULT_EMERGENCY_STOP,
        "emergency stop pressed, or its wire broken",
        "release the button (none fitted: join A5 to ground), then clear the fault",
    ),
    "bump": Fault(
        messages.FAULT_BUMP, "bump switch pressed", "clear the fault, then drive backward"
    ),
    "battery_low": Fault(
        messages.FAULT_BATTERY_LOW, "battery low", "charge the battery, then clear the fault"
    ),
    "encoder_left": Fault(messages.FAULT_ENCODER_LEFT, "left encoder lost", _ENCODER),
    "encoder_right": Fault(messages.FAULT_ENCODER_RIGHT, "right encoder lost", _ENCODER),
    "stall_left": Fault(
        messages.FAULT_STALL_LEFT, "left wheel driven hard and not turning", _STALL
    ),
    "stall_right": Fault(
        messages.FAULT_STALL_RIGHT, "right wheel driven hard and not turning", _STALL
    ),
    "runaway_left": Fault(
        messages.FAULT_RUNAWAY_LEFT, "left wheel turns against its drive", _RUNAWAY
    ),
    "runaway_right": Fault(
        messages.FAULT_RUNAWAY_RIGHT, "right wheel turns against its drive", _RUNAWAY
    ),
}
ALL_FAULTS = 0xFFFF


def fault_names(bits: int) -> frozenset[str]:
    """Names of the bits that are set."""
    return frozenset(name for name, fault in FAULTS.items() if fault.bit & bits)


def fault_bits(names: frozenset[str] | set[str] | tuple[str, ...]) -> int:
    """The reverse; KeyError for a name that there is not."""
    return sum(FAULTS[name].bit for name in set(names))


_CAPABILITIES = {
    "drive": messages.CAPABILITY_DRIVE,
    "battery": messages.CAPABILITY_BATTERY,
    "servos": messages.CAPABILITY_SERVOS,
    "light": messages.CAPABILITY_LIGHT,
    "range": messages.CAPABILITY_RANGE,
    "bump": messages.CAPABILITY_BUMP,
    "emergency_stop": messages.CAPABILITY_EMERGENCY_STOP,
    "settings": messages.CAPABILITY_SETTINGS,
    "test_hooks": messages.CAPABILITY_TEST_HOOKS,
}
_RESETS = {
    "power_on": messages.RESET_POWER_ON,
    "external": messages.RESET_EXTERNAL,
    "brown_out": messages.RESET_BROWN_OUT,
    "watchdog": messages.RESET_WATCHDOG,
    "stack_overflow": messages.RESET_STACK_OVERFLOW,
}


def capability_names(bits: int) -> tuple[str, ...]:
    """What a board can do."""
    return tuple(name for name, bit in _CAPABILITIES.items() if bit & bits)


def reset_names(bits: int) -> tuple[str, ...]:
    """Why a chip started; the newer cause is not known where there are several."""
    return tuple(name for name, bit in _RESETS.items() if bit & bits)
