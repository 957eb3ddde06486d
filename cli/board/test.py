"""`reflexarc board test`: the board tests itself, one moving thing at a time."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.board.options import BAUDRATE, BaudOption, PortArgument
from reflexarc.cli.output import JsonOption, err, out, print_json
from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from reflexarc.firmware_bridge.selftest import Result

_COLORS = {"pass": "green", "warn": "yellow", "fail": "red", "skip": "dim"}


class _Person:
    """Whoever sits at the terminal."""

    def ask(self, question: str) -> bool:
        return typer.confirm(question, default=True, err=True)

    def tell(self, request: str) -> None:
        err.print(f"[bold]{escape(request)}[/]")

    def wait(self, request: str) -> None:
        typer.prompt(f"{request}; then Enter", default="", show_default=False, err=True)


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(test)


def test(
    port: PortArgument = "auto",
    skip: Annotated[
        str,
        typer.Option(
            help="Out of link, settings, faults, battery, bump, emergency-stop, range, light, "
            "servos, wheels, timeout; with commas. Without `wheels` nothing turns."
        ),
    ] = "",
    interactive: Annotated[
        bool, typer.Option(help="Ask a person beside the robot what can be seen only.")
    ] = False,
    baudrate: BaudOption = BAUDRATE,
    json: JsonOption = False,
) -> None:
    """Test link, battery, switches, sensor, light, servos and wheels; stop at the end.

    LIFT THE ROBOT: its wheels turn, unless told `--skip wheels`. Ends with 1 when a step
    failed.
    """
    from reflexarc.firmware_bridge import Board
    from reflexarc.firmware_bridge.selftest import STEPS, Verdict, run_selftest

    left_out = [name.strip() for name in skip.split(",") if name.strip()]
    if unknown := [name for name in left_out if name not in STEPS]:
        raise ReflexarcError(
            expected=f"steps among {', '.join(STEPS)}",
            found=", ".join(unknown),
            remedy="use these names",
        )
    if not interactive and "wheels" not in left_out:
        err.print("[bold yellow]lift the robot[/]: its wheels turn in a few seconds")
    results = []
    with (
        Board.connect(port, baudrate=baudrate) as board,
        contextlib.closing(
            run_selftest(
                board,
                skip=left_out,
                person=_Person() if interactive else None,
                warn=lambda words: err.print(f"[bold yellow]{escape(words)}[/]"),
            )
        ) as steps,
    ):
        who = board.info
        for result in steps:
            results.append(result)
            if not json:
                _show(result)
    failed = [result for result in results if result.verdict is Verdict.FAIL]
    if json:
        print_json(
            {
                "port": who.port.device,
                "kind": who.kind,
                "firmware": who.firmware,
                "passed": not failed,
                "steps": [result.as_dict() for result in results],
            }
        )
    else:
        done = [result for result in results if result.verdict is not Verdict.SKIP]
        color = "red" if failed else "green"
        out.print(f"[{color}]{len(done) - len(failed)} of {len(done)} steps held[/]")
    if failed:
        raise typer.Exit(1)


def _show(result: Result) -> None:
    verdict = result.verdict.value
    out.print(
        f"[{_COLORS[verdict]}]{verdict}[/]  {escape(result.step)}: {escape(result.found)}",
        highlight=False,
        soft_wrap=True,
    )
    if verdict in ("warn", "fail"):
        words = f"expected {result.expected}" + (f"; {result.remedy}" if result.remedy else "")
        out.print(f"      {escape(words)}", highlight=False, soft_wrap=True)
