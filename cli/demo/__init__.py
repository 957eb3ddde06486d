"""`reflexarc demo`: one way through the whole house, from Keras to a turning wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(demo)


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where everything goes.")] = Path(
        "out/demo"
    ),
    data: Annotated[Path | None, typer.Option(help="Folder of MNIST idx files.")] = None,
    seed: Annotated[int, typer.Option(help="Of training.")] = 0,
    ros: Annotated[bool, typer.Option("--ros", help="Run the robot as a ROS 2 graph.")] = False,
    film: Annotated[bool, typer.Option(help="Render the film of the run.")] = True,
    json: JsonOption = False,
) -> None:
    """Train a net, let it drive a whole robot in a box, and show a film and a report.

    The rover obeys five orders, drives a course by handwritten digits and greets by
    the mask rule: nets, rules, gate, serial link, the firmware's real binary on an
    emulated chip, and a simulated body in one closed loop. Ends with 0 when every
    check held, else with 1 and the checks that failed. The trained model is kept
    and reused.
    """
    load_training_libraries()
    from reflexarc.cli.demo import report, story

    told = story.tell(folder, data, seed, "ros" if ros else "process", film)
    page = report.write(told, folder)
    failed = [check for check in told.checks if not check.held and check.binding]
    if json:
        print_json({**told.as_dict(), "report": str(page)})
    else:
        from reflexarc.cli.export import parity_table

        out.print()
        out.print(parity_table(told.exported.table))
        out.print(report.told_table(told.run))
        out.print(report.latency_table(told.stations, told.starts))
        out.print(report.check_table(told.checks))
        for note in told.notes:
            err.print(f"[yellow]note:[/] {escape(note)}")
        if told.film is not None:
            out.print(f"film: {told.film}", highlight=False)
        out.print(f"report: {page}", highlight=False)
    for check in failed:
        err.print(f"[red]failed:[/] {escape(check.name)}: {escape(check.found)}")
    if failed:
        raise typer.Exit(1)
