"""`reflexarc board info`: who the board is, its settings, its link and its clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from reflexarc.cli.board.options import (
    BAUDRATE,
    BaudOption,
    PortArgument,
    clock_as_dict,
    state_as_dict,
)
from reflexarc.cli.output import JsonOption, err, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Board, BoardSettings

# The first comparison of the clocks comes by itself, in less than that.
_CLOCK_S = 1.0
_SOURCES = {"saved": "EEPROM", "empty": "built-in (EEPROM is empty)"}


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(info)


def info(
    port: PortArgument = "auto", baudrate: BaudOption = BAUDRATE, json: JsonOption = False
) -> None:
    """Show what the board says of itself. A board that is asked stops its motors."""
    from reflexarc.firmware_bridge import Board

    with err.status("connect"), Board.connect(port, baudrate=baudrate) as board:
        board.wait_state(timeout_s=2)
        deadline = time.monotonic() + _CLOCK_S
        while board.clock is None and time.monotonic() < deadline:
            time.sleep(0.02)
        settings = board.read_settings() if "settings" in board.info.capabilities else None
        if json:
            print_json(_as_dict(board, settings))
            return
        facts = tuple(_facts(board))
        warnings = board.warnings
    out.print(table(("board", facts[0][1]), facts[1:]))
    if settings is not None:
        out.print(_settings_table(settings))
        out.print(
            table(
                ("servo", "lowest °", "highest °", "trim us", "us for 90°", "°/s"),
                (
                    (
                        name,
                        f"{one.lowest_deg:g}",
                        f"{one.highest_deg:g}",
                        f"{one.trim_us}",
                        f"{one.scale_us}",
                        f"{one.speed_deg_s}",
                    )
                    for name, one in settings.servos.items()
                ),
            )
        )
    for warning in warnings:
        out.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True, highlight=False)


def _as_dict(board: Board, settings: BoardSettings | None) -> dict[str, Any]:
    return {
        "board": asdict(board.info),
        "warnings": board.warnings,
        "settings": None if settings is None else settings.model_dump(),
        "state": state_as_dict(board.state),
        "link": asdict(board.statistics()),
        "clock": clock_as_dict(board.clock),
    }


def _facts(board: Board) -> Iterator[tuple[str, str]]:
    who, link, clock, state = board.info, board.statistics(), board.clock, board.state
    usb = f" ({who.port.description}, {who.port.usb_id})" if who.port.usb_id else ""
    yield "port", escape(who.port.device + usb)
    yield "kind", who.kind
    yield "firmware", f"{who.firmware}, protocol {who.protocol}"
    yield "can", ", ".join(who.capabilities).replace("_", " ")
    yield "last start", ", ".join(who.reset_causes).replace("_", " ") or "unknown"
    yield "starts", f"{who.boots} since power came on"
    yield "settings from", _SOURCES.get(who.settings_source, who.settings_source)
    if link.round_trip_p50_ms is not None and link.round_trip_p99_ms is not None:
        trips = f"{link.round_trip_p50_ms:.2f} ms, p99 {link.round_trip_p99_ms:.2f} ms"
        yield "round trip", f"p50 {trips}"
    yield (
        "link",
        f"{link.retransmissions} repeated, {link.timeouts} lost, {link.crc_errors} CRC errors",
    )
    if clock is not None:
        yield (
            "clock",
            f"drift {clock.drift_ppm:+.0f} ppm, known to ± {clock.error_ns / 1e6:.2f} ms",
        )
    if state is not None:
        yield "faults", ", ".join(sorted(state.faults)).replace("_", " ") or "none"
        if "battery" in who.capabilities:
            yield "battery", f"{state.battery_v:.2f} V"


def _settings_table(settings: BoardSettings) -> Any:
    rows = []
    for name, value in settings:
        if name != "servos":
            words = ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"
            rows.append((name.replace("_", " "), words))
    return table(("setting", "value"), rows)
