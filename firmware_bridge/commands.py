"""What a host can ask of the chip: each command's bytes, and what its reply means. No I/O.

One table for the blocking and the asyncio face.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reflexarc.firmware_bridge.faults import fault_names
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.messages import MessageType
from reflexarc.firmware_bridge.state import SERVO_NAMES, degrees

T = TypeVar("T")

MOTION = "motion"
_INT16 = 32767
COLORS = {
    "off": 0,
    "red": messages.LIGHT_RED,
    "green": messages.LIGHT_GREEN,
    "yellow": messages.LIGHT_RED | messages.LIGHT_GREEN,
    "blue": messages.LIGHT_BLUE,
    "magenta": messages.LIGHT_RED | messages.LIGHT_BLUE,
    "cyan": messages.LIGHT_GREEN | messages.LIGHT_BLUE,
    "white": messages.LIGHT_RED | messages.LIGHT_GREEN | messages.LIGHT_BLUE,
}


@dataclass(frozen=True)
class Command(Generic[T]):
    """One request.

    Attributes:
        parse: the reply's payload into a result; an Ack's comes as b"".
        key, urgent: as of `window.Request`.
        moves: a restarted chip must be armed on purpose before it.
    """

    type: MessageType
    payload: bytes
    parse: Callable[[bytes], T]
    key: Hashable = None
    urgent: bool = False
    moves: bool = False


def _nothing(payload: bytes) -> None:
    return None


def drive(left: int, right: int) -> Command[tuple[int, int]]:
    """Wheel speeds, counts/s; gives those that hold."""
    # Outside int16 the field could not say it; the chip clamps lower anyway.
    speed = tuple(max(-_INT16, min(_INT16, value)) for value in (left, right))
    return Command(
        MessageType.DRIVE,
        messages.Drive((speed[0], speed[1])).pack(),
        lambda payload: messages.DriveReply.unpack(payload).speed,
        key=MOTION,
        moves=True,
    )


def stop() -> Command[None]:
    """Motors off at once."""
    return Command(MessageType.STOP, b"", _nothing, key=MOTION, urgent=True)


def clear(bits: int) -> Command[frozenset[str]]:
    """Clear faults; gives the names of those that are left."""
    return Command(
        MessageType.CLEAR,
        messages.Clear(bits).pack(),
        lambda payload: fault_names(messages.ClearReply.unpack(payload).faults),
    )


def servos(targets: Mapping[str, float | None]) -> Command[dict[str, float | None]]:
    """Targets in degrees, None to release; gives all that hold."""
    angles, mask = [0, 0, 0], 0
    for i, name in enumerate(SERVO_NAMES):
        if name in targets:
            target = targets[name]
            mask |= 1 << i
            angles[i] = (
                messages.SERVO_RELEASED
                if target is None
                else max(-_INT16, min(_INT16 - 1, round(target * 10)))
            )
    return Command(
        MessageType.SERVOS,
        messages.Servos((angles[0], angles[1], angles[2]), mask).pack(),
        lambda payload: {
            name: degrees(angle)
            for name, angle in zip(
                SERVO_NAMES, messages.ServosReply.unpack(payload).angle, strict=True
            )
        },
        key="servos",
        moves=True,
    )


def light(color: str) -> Command[None]:
    """The RGB light, by a name of COLORS."""
    return Command(MessageType.LIGHT, messages.Light(COLORS[color]).pack(), _nothing, key="light")


def get_state() -> Command[None]:
    """The state now; it is taken up where all states are."""
    return Command(MessageType.GET_STATE, b"", _nothing)


def get_health() -> Command[None]:
    """As `get_state`."""
    return Command(MessageType.GET_HEALTH, b"", _nothing)


def get_clock() -> Command[messages.GetClockReply]:
    """The chip's time."""
    return Command(MessageType.GET_CLOCK, b"", messages.GetClockReply.unpack)


def get_drive_settings() -> Command[messages.DriveSettings]:
    """Half of the settings."""
    return Command(MessageType.GET_DRIVE_SETTINGS, b"", messages.DriveSettings.unpack)


def get_servo_settings() -> Command[messages.ServoSettings]:
    """The other half."""
    return Command(MessageType.GET_SERVO_SETTINGS, b"", messages.ServoSettings.unpack)


def put_settings(half: messages.DriveSettings | messages.ServoSettings) -> Command[None]:
    """One half, to hold from now on."""
    return Command(half.TYPE, half.pack(), _nothing)


def save_settings() -> Command[None]:
    """To EEPROM; it takes a while after the answer."""
    return Command(MessageType.SAVE_SETTINGS, b"", _nothing)


def default_settings() -> Command[None]:
    """The built-in settings, to hold from now on."""
    return Command(MessageType.DEFAULT_SETTINGS, b"", _nothing)


AnyCommand = Command[Any]
