"""How a base is, in the four levels of ROS diagnostics: link, board and gate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.faults import FAULTS
from reflexarc.firmware_bridge.statistics import LinkStatistics
from reflexarc.robot.config import Limits
from reflexarc.robot.gate import GateState
from reflexarc.robot.reflexes.events import LOW_V

_STALE_S = 1.0
# One in a hundred sent again is a bad cable, not a busy host.
_BAD_SHARE = 0.01
_STACK_LOW = 64


class Level(IntEnum):
    """As diagnostic_msgs/DiagnosticStatus numbers them."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Health:
    """One thing's: how bad, why, and the figures behind it."""

    name: str
    level: Level
    message: str
    values: dict[str, str]


def link_health(
    connection: str, age_s: float, now: LinkStatistics, before: LinkStatistics | None
) -> Health:
    """The line to the board.

    Args:
        connection: connected, reconnecting, restarted or closed.
        age_s: of the newest state.
        now: counts since it was connected.
        before: the same a while ago.
    """
    level, message = Level.OK, "connected"
    if connection == "restarted":
        level, message = Level.ERROR, "the chip has started again: arm it"
    elif connection != "connected":
        level, message = Level.ERROR, f"{connection}: check the cable and the board's power"
    elif age_s > _STALE_S:
        level, message = Level.STALE, f"the newest state is {age_s:.1f} s old"
    elif before is not None:
        sent = now.frames_sent - before.frames_sent
        again = now.retransmissions - before.retransmissions
        broken = now.crc_errors + now.framing_errors - before.crc_errors - before.framing_errors
        heard = now.frames_received - before.frames_received
        if again > _BAD_SHARE * max(sent, 100) or broken > _BAD_SHARE * max(heard, 100):
            level = Level.WARN
            message = f"a bad line: {again} sent again, {broken} broken: check the cable"
    figures = {name: _shown(value) for name, value in dataclasses.asdict(now).items()}
    return Health("link", level, message, {"connection": connection, **figures})


def board_health(state: BoardState, limits: Limits, warnings: Iterable[str]) -> Health:
    """The board itself, by its newest state and what it said at its start."""
    level, words = Level.OK, []
    for fault in sorted(state.faults):
        level = Level.ERROR
        words.append(f"{FAULTS[fault].cause}: {FAULTS[fault].remedy}")
    if not state.battery_v >= limits.battery_min_v and "battery_low" not in state.faults:
        level = Level.ERROR
        words.append(f"battery at {state.battery_v:.2f} V: charge it")
    elif not state.battery_v >= limits.battery_min_v + LOW_V:
        level = max(level, Level.WARN)
        words.append(f"battery at {state.battery_v:.2f} V: low")
    if state.stack_free < _STACK_LOW:
        level = max(level, Level.WARN)
        words.append(f"{state.stack_free} bytes of stack left: report it")
    for warning in warnings:
        level = max(level, Level.WARN)
        words.append(warning)
    values = {
        "battery_v": _shown(state.battery_v),
        "motors_on": _shown(state.motors_on),
        "host_timed_out": _shown(state.host_timed_out),
        "faults": ", ".join(sorted(state.faults)),
        "rx_errors": _shown(state.rx_errors),
        "longest_period_us": _shown(state.longest_period_us),
        "stack_free": _shown(state.stack_free),
        "up_s": f"{state.chip_us * 1e-6:.0f}",
    }
    return Health("board", level, "; ".join(words) or "well", values)


def gate_health(state: GateState, reason: str, by_hand: bool) -> Health:
    """Who may move. A latched stop is an error until somebody arms."""
    level = Level.ERROR if state is GateState.STOPPED else Level.OK
    message = state.value if reason in ("", state.value) else f"{state.value}: {reason}"
    return Health(
        "gate", level, message, {"state": state.value, "reason": reason, "by_hand": _shown(by_hand)}
    )


def _shown(value: float | None) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3f}" if isinstance(value, float) else str(value)
