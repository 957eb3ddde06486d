"""`reflexarc board flash`: the firmware onto the chip, compared, started and greeted."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from reflexarc.cli.board.options import PortArgument
from reflexarc.cli.output import JsonOption, err, out, print_json


class Bootloader(str, Enum):
    """Keys of `flashing.BOOTLOADERS`."""

    NEW = "new"
    OLD = "old"


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(flash)


def flash(
    port: PortArgument = "auto",
    image: Annotated[
        Path | None, typer.Option("--hex", help="Intel HEX file; built now if left out.")
    ] = None,
    bootloader: Annotated[
        Bootloader,
        typer.Option(help="new: Uno, newer Nano (115,200 baud); old: older Nano (57,600)."),
    ] = Bootloader.NEW,
    json: JsonOption = False,
) -> None:
    """Write the firmware through avrdude, verify it, and check that it answers.

    The settings in EEPROM stay.
    """
    from reflexarc.firmware_bridge.build import build_firmware
    from reflexarc.firmware_bridge.flashing import check_flashed
    from reflexarc.firmware_bridge.flashing import flash as write
    from reflexarc.firmware_bridge.probe import find_board

    with err.status("build the firmware"):
        image = image or build_firmware().hex
    device = find_board() if port == "auto" else port
    with err.status(f"write {image.name} to {device} and compare"):
        write(device, image, bootloader=bootloader.value)
    with err.status("greet it"):
        board = check_flashed(device)
    if json:
        print_json({"hex": str(image), "board": asdict(board)})
        return
    out.print(
        f"{device}: {board.kind}, firmware {board.firmware}, protocol {board.protocol}: "
        "written, verified, answers",
        highlight=False,
        soft_wrap=True,
    )
