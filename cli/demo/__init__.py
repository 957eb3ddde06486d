"""`reflexarc demo`: one way through the whole house, from Keras to a turning wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json, table


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(demo)


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where everything goes.")] = Path(
        "out/demo"
    ),
    data: Annotated[Path | None, typer.Option(help="Folder of MNIST idx files.")] = None,
    seed: Annotated[int, typer.Option(help="Of training and of the cards' places.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train, export, see, decide, drive an emulated robot; write a report.

    Shows an emulated rover real handwritten digits. Its reflex "digit n: drive
    n x 0.1 m" runs through gate, serial link and firmware. Ends with 0 when
    every check held, else with 1 and the checks that failed. The trained model
    is kept and reused.
    """
    load_training_libraries()
    from reflexarc.cli.demo import report, story

    told = story.tell(folder, data, seed)
    page = report.write(told, folder)
    failed = [check for check in told.checks if not check.held and check.binding]
    if json:
        print_json({**told.as_dict(), "report": str(page)})
    else:
        from reflexarc.cli.export import parity_table

        out.print()
        out.print(parity_table(told.exported.table))
        out.print(report.drive_table(told.drives))
        out.print(report.latency_table(told.stations, len(told.samples)))
        rows = []
        for check in told.checks:
            mark = (
                "[green]held[/]"
                if check.held
                else "[red]failed[/]"
                if check.binding
                else "[yellow]missed[/]"
            )
            rows.append((escape(check.name), escape(check.found), mark))
        out.print(table(("check", "found", ""), rows))
        out.print(f"report: {page}", highlight=False)
    for check in failed:
        err.print(f"[red]failed:[/] {escape(check.name)}: {escape(check.found)}")
    if failed:
        raise typer.Exit(1)
