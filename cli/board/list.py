"""`reflexarc board list`: every serial port, and what is or is not behind it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from reflexarc.cli.board.options import BAUDRATE, BaudOption
from reflexarc.cli.output import JsonOption, err, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Probe

_NONE = "no serial port: plug the board in (and check its cable carries data), or reflexarc emulate"


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(list_)


def list_(
    ports: Annotated[
        list[str] | None, typer.Argument(help="Other ports to ask as well, such as an emulator's.")
    ] = None,
    baudrate: BaudOption = BAUDRATE,
    json: JsonOption = False,
) -> None:
    """Ask every serial port whether a reflexarc board is behind it, and say why not.

    A board that is asked stops its motors.
    """
    from reflexarc.firmware_bridge.ports import describe_port, list_ports
    from reflexarc.firmware_bridge.probe import probe_port

    found = [*list_ports(), *(describe_port(port) for port in ports or ())]
    with err.status("ask the ports"), ThreadPoolExecutor(8) as pool:
        probes = list(pool.map(lambda port: probe_port(port, baudrate), found))
    if json:
        print_json([_as_dict(probe) for probe in probes])
        return
    if not probes:
        out.print(_NONE)
        return
    rows = []
    for probe in probes:
        color = "green" if probe.hello is not None else "red"
        words = f"[{color}]{escape(_verdict(probe))}[/]"
        if probe.remedy:
            words += f"\n{escape(probe.remedy)}"
        port = probe.port
        rows.append((escape(port.device), port.usb_id or "–", escape(port.description), words))
    grid = table(("port", "USB id", "description", "what is there"), rows)
    # A path that is cut short is no path.
    grid.columns[0].overflow = "fold"
    out.print(grid)


def _verdict(probe: Probe) -> str:
    board = _as_dict(probe)["board"]
    if board is None:
        return probe.reason
    return f"{probe.reason}: {board['kind']}, firmware {board['firmware']}, protocol " + str(
        board["protocol"]
    )


def _as_dict(probe: Probe) -> dict[str, Any]:
    from reflexarc.firmware_bridge.board import describe

    info = None if probe.hello is None else describe(probe.port, probe.hello)
    return {
        "port": asdict(probe.port),
        "board": None
        if info is None
        else {"kind": info.kind, "firmware": info.firmware, "protocol": info.protocol},
        "reason": probe.reason,
        "remedy": probe.remedy or None,
    }
