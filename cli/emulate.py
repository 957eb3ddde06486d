"""`reflexarc emulate`: the real firmware on an emulated chip, behind a serial port."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from reflexarc.cli.output import JsonOption, err, print_line


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(emulate)


def emulate(
    link: Annotated[Path | None, typer.Option(help="Also make the port appear here.")] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="1 is real time.")] = 1.0,
    eeprom: Annotated[
        Path | None, typer.Option(help="Keep the chip's EEPROM in this file.")
    ] = None,
    vcd: Annotated[
        Path | None, typer.Option(help="Record all pins into this file, for GTKWave.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the firmware on an emulated ATmega328P with two wheels; print its port.

    Goes on until Ctrl-C. Point any serial program at the port, or
    `reflexarc run robot.yaml --port PORT`.
    """
    from reflexarc.firmware_bridge.emulator import EmulatedBoard

    ended = threading.Event()
    # Ctrl-C is the normal end of this verb.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with err.status("build firmware and emulator"):
        emulator = EmulatedBoard(speed=speed, link_path=link, eeprom=eeprom, vcd=vcd)
    with emulator:
        if json:
            print_line({"port": str(emulator.port)})
        else:
            typer.echo(emulator.port)
            err.print("two wheels turn in there; Ctrl-C ends it")
        while not ended.wait(0.2):
            emulator.status()
