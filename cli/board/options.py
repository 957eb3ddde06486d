"""What the board's verbs have in common: which port, and a board's data for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import BoardState, ClockEstimate

PortArgument = Annotated[
    str, typer.Argument(help="Serial port, or auto: the only board that answers.")
]
BaudOption = Annotated[int, typer.Option(min=1, help="As compiled into the firmware.")]
# reflexarc.firmware_bridge is imported only when a verb runs; a test compares the two.
BAUDRATE = 500_000


def state_as_dict(state: BoardState | None) -> dict[str, Any] | None:
    """A state that JSON can hold."""
    return None if state is None else asdict(state) | {"faults": sorted(state.faults)}


def clock_as_dict(clock: ClockEstimate | None) -> dict[str, Any] | None:
    """The same for the clock."""
    return None if clock is None else asdict(clock)
