"""`reflexarc board monitor`: the board, live in the terminal. It never drives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.board.options import (
    BAUDRATE,
    BaudOption,
    PortArgument,
    clock_as_dict,
    state_as_dict,
)
from reflexarc.cli.output import err, out, print_line

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Board

_PICTURES_PER_S = 10
# States come every 10 ms.
_LOOK_EVERY_S = 0.004


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(monitor)


def monitor(
    port: PortArgument = "auto",
    duration: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds; until Ctrl-C if left out.")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON line a state.")] = False,
    baudrate: BaudOption = BAUDRATE,
) -> None:
    """Watch speeds, battery, sensors, servos, faults, link and clock until Ctrl-C.

    Nothing is commanded; but a board that is greeted stops its motors. When the
    connection breaks it is made again.
    """
    from reflexarc.firmware_bridge import Board

    with err.status("connect"):
        board = Board.connect(port, baudrate=baudrate)
    end = None if duration is None else time.monotonic() + duration
    try:
        with board:
            if jsonl:
                _print_lines(board, end)
            else:
                _draw(board, end)
    except KeyboardInterrupt:
        pass  # The normal end of this verb.


def _until(end: float | None, every_s: float) -> Iterator[None]:
    while end is None or time.monotonic() < end:
        yield
        time.sleep(every_s)


def _print_lines(board: Board, end: float | None) -> None:
    state, status = None, board.status
    for _ in _until(end, _LOOK_EVERY_S):
        newest, now = board.state, board.status
        if newest is state and now is status:
            continue
        # A change of the connection is a line too: there is no state while it is lost.
        state, status = newest, now
        print_line(
            {
                "status": status.value,
                "state": state_as_dict(state),
                "link": asdict(board.statistics()),
                "clock": clock_as_dict(board.clock),
            }
        )


def _draw(board: Board, end: float | None) -> None:
    from rich.live import Live

    from reflexarc.cli.board.dashboard import dashboard

    # A screen of its own where there is one: afterwards the terminal is as it was.
    screen = out.is_terminal
    live = Live(dashboard(board), console=out, screen=screen, auto_refresh=False)
    try:
        # Not by "with": Ctrl-C while it draws its first picture has to end it too.
        live.start()
        for _ in _until(end, 1 / _PICTURES_PER_S):
            live.update(dashboard(board), refresh=screen)
    finally:
        live.stop()
