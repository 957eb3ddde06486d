"""The monitor's picture of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from reflexarc.firmware_bridge import Board, BoardState, ClockEstimate, LinkStatistics

_COLORS = {"connected": "green", "reconnecting": "yellow", "restarted": "red", "closed": "red"}
_HALF_BAR = 8
_LEFT_WIDTH = 46
_BAR_COLUMNS = (8, -8, -10, 17)
_FULL_DUTY = 255
_SERVO_BAR_DEG = 90


def dashboard(board: Board) -> RenderableType:
    """All there is to see, in 80 columns and 24 lines."""
    status, state, info = board.status.value, board.state, board.info
    title = (
        f"[bold]{escape(info.port.device)}[/]  {info.kind} firmware {info.firmware}  "
        f"[bold {_COLORS[status]}]{status.upper()}[/]"
    )
    right = Group(_link(board.statistics(), state), Text(), _clock(board.clock))
    if state is None:
        left: RenderableType = Text("no state yet")
    else:
        left = Group(_wheels(state), Text(), _servos(state), Text(), _inputs(state))
    columns = Table.grid(padding=(0, 3))
    columns.add_column(width=_LEFT_WIDTH)
    columns.add_column()
    columns.add_row(left, right)
    rows: list[RenderableType] = [columns]
    if status == "restarted":
        causes = ", ".join(info.reset_causes).replace("_", " ")
        rows.append(Text(f"the chip has started anew ({causes}): counts began at 0", "red"))
    elif status == "reconnecting":
        rows.append(Text("no connection: it is made again by itself; values are old", "yellow"))
    rows += [Text(f"warning: {words}", "yellow") for words in board.warnings]
    return Panel(Group(*rows), title=title, title_align="left")


def _grid(*widths: int) -> Table:
    """Columns of fixed width, numbers to the right, so that nothing jumps."""
    grid = Table.grid(padding=(0, 1))
    for width in widths:
        grid.add_column(
            justify="right" if width < 0 else "left", width=abs(width) or None, no_wrap=True
        )
    return grid


def _bar(share: float) -> Text:
    """-1 to 1, from the middle."""
    length = min(_HALF_BAR, round(abs(share) * _HALF_BAR))
    bar, gap = "█" * length, " " * (_HALF_BAR - length)
    color = "red" if length == _HALF_BAR else "cyan"
    half = " " * _HALF_BAR
    if share < 0:
        return Text.assemble(gap, (bar, color), "│", half)
    return Text.assemble(half, "│", (bar, color), gap)


def _wheels(state: BoardState) -> Table:
    grid = _grid(*_BAR_COLUMNS)
    grid.add_row("[bold]wheel[/]", "[dim]counts/s[/]", "[dim]counts[/]", "[dim]      duty[/]")
    for i, side in enumerate(("left", "right")):
        grid.add_row(
            side, f"{state.speed[i]}", f"{state.encoder[i]}", _bar(state.duty[i] / _FULL_DUTY)
        )
    return grid


def _servos(state: BoardState) -> Table:
    grid = _grid(*_BAR_COLUMNS)
    grid.add_row("[bold]servo[/]", "[dim]degrees[/]")
    for name, angle in state.servos.items():
        if angle is None:
            grid.add_row(name, "[dim]limp[/]")
        else:
            grid.add_row(name, f"{angle:.1f}", "", _bar(angle / _SERVO_BAR_DEG))
    return grid


def _inputs(state: BoardState) -> Table:
    grid = _grid(15, 0)
    motors = "[green]on[/]" if state.motors_on else "off"
    why = " (host was silent)" if state.host_timed_out else ""
    grid.add_row("motors", f"{motors}{why}{' [red]saturated[/]' if state.saturated else ''}")
    grid.add_row("battery", f"{state.battery_v:.2f} V")
    grid.add_row("range", "–" if state.range_m is None else f"{state.range_m:.3f} m")
    grid.add_row("bump", "[red]pressed[/]" if state.bump else "free")
    grid.add_row("emergency stop", "[red]open[/]" if state.emergency_stop else "closed")
    faults = ", ".join(sorted(state.faults)).replace("_", " ")
    grid.add_row("faults", f"[bold red]{faults}[/]" if faults else "none")
    return grid


def _link(link: LinkStatistics, state: BoardState | None) -> Table:
    grid = _grid(15, -11)
    grid.add_row("[bold]link[/]", "")
    for name, trip in (("p50", link.round_trip_p50_ms), ("p99", link.round_trip_p99_ms)):
        grid.add_row(f"round trip {name}", "–" if trip is None else f"{trip:.2f} ms")
    for name, count in (
        ("repeated", link.retransmissions),
        ("lost", link.timeouts),
        ("CRC errors", link.crc_errors),
        ("broken frames", link.framing_errors),
        ("states missed", link.states_missed),
        ("reconnects", link.reconnects),
    ):
        grid.add_row(name, f"[yellow]{count}[/]" if count else "0")
    if state is not None:
        grid.add_row("chip: rx errors", f"{state.rx_errors}")
        grid.add_row("longest period", f"{state.longest_period_us / 1000:.2f} ms")
        grid.add_row("stack free", f"{state.stack_free} B")
        grid.add_row("running for", f"{state.chip_us / 1e6:.1f} s")
    return grid


def _clock(clock: ClockEstimate | None) -> Table:
    grid = _grid(15, -11)
    grid.add_row("[bold]clock[/]", "")
    if clock is None:
        grid.add_row("no estimate yet", "")
        return grid
    grid.add_row("offset", f"{clock.offset_ns / 1e9:.3f} s")
    grid.add_row("drift", f"{clock.drift_ppm:+.1f} ppm")
    grid.add_row("known to ±", f"{clock.error_ns / 1e6:.2f} ms")
    return grid
