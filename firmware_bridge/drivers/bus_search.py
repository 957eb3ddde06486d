"""Why a servo does not answer: which ids do, and at which baud rate."""

from __future__ import annotations

from collections.abc import Sequence

from reflexarc.firmware_bridge.drivers.bus_config import BusConfig
from reflexarc.firmware_bridge.drivers.bus_port import BusPort
from reflexarc.firmware_bridge.drivers.errors import ServoMissingError
from reflexarc.firmware_bridge.drivers.family import Family
from reflexarc.firmware_bridge.errors import BoardError

# All 253 would take 9 s; a robot's servos have low numbers.
_SEARCHED_IDS = range(32)


def explain_missing(
    config: BusConfig, family: Family, port: BusPort, baudrate: int, missing: Sequence[int]
) -> ServoMissingError:
    """Look for what answers instead. Closes `port`."""
    names = {servo: name for name, servo in config.ids.items()}
    packets = family.packets(port)
    ids = sorted({*_SEARCHED_IDS, *config.ids.values()})
    answered = [servo for servo in ids if packets.ping(servo)]
    port.close()
    expected = (
        f"{family.name} servos "
        + ", ".join(f"{names[servo]} (id {servo})" for servo in missing)
        + f" at {config.port}"
    )
    if answered:
        return ServoMissingError(
            expected=expected,
            found=f"answers from ids {', '.join(map(str, answered))} only, of {_asked(ids)}",
            remedy="set ids to those, or check the missing servos' plugs; a new servo has id 1",
        )
    for other in family.baudrates:
        if other != baudrate and (answered := _answering_at(config, family, other)):
            return ServoMissingError(
                expected=f"{expected}, {baudrate} baud",
                found=f"answers from ids {', '.join(map(str, answered))} at {other} baud",
                remedy=f"set baudrate: {other}",
            )
    return ServoMissingError(
        expected=expected,
        found=f"no answer from {_asked(ids)} at {baudrate} baud, nor from those wanted at "
        "other rates",
        remedy="check the servos' power supply and the adapter's plug, and that they are "
        f"{family.name}",
    )


def _answering_at(config: BusConfig, family: Family, baudrate: int) -> list[int]:
    try:
        port = BusPort(config.port, baudrate, config.reply_timeout_s)
    except BoardError:
        return []  # A rate that this adapter cannot do.
    try:
        packets = family.packets(port)
        return [servo for servo in config.ids.values() if packets.ping(servo)]
    finally:
        port.close()


def _asked(ids: Sequence[int]) -> str:
    extra = [servo for servo in ids if servo not in _SEARCHED_IDS]
    return f"ids 0 to {_SEARCHED_IDS[-1]}" + "".join(f", {servo}" for servo in extra)
