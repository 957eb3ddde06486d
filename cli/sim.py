"""`reflexarc sim`: the whole robot in a box, from its eyes to its wheels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.cli.box.live import Live
    from reflexarc.cli.box.record import Check, Run


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(sim)


def sim(
    scenario: Annotated[
        str | None, typer.Argument(help="One of --list, or a file of your own.")
    ] = None,
    ros: Annotated[bool, typer.Option("--ros", help="As a ROS 2 graph.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Where everything goes; a new folder if left out.")
    ] = None,
    film: Annotated[
        bool, typer.Option("--film", help="Render a film of it: film.mp4 in its folder.")
    ] = False,
    pace: Annotated[str, typer.Option(help="real, fast, or a factor.")] = "real",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Simulated, instead of the scenario's.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with situps/ and mask/ for pictures.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Which scenarios there are.")] = False,
    json: JsonOption = False,
) -> None:
    """Run a scenario in the simulated world and say what held in it.

    The firmware's real binary on an emulated chip, its pins driving a simulated body, the
    body's camera seen by the nets, and the same robot as `reflexarc run`: one closed loop.
    Ends with 0 when every check held, else with 1.
    """
    if listed or scenario is None:
        _list(as_json=json)
        return
    from reflexarc.cli.box.judges import Judge
    from reflexarc.cli.box.run import run

    place = folder or Path(tempfile.mkdtemp(prefix=f"reflexarc-{Path(scenario).stem}-"))
    judge = Judge()
    with err.status("start the box and the robot") as status:

        def step(live: Live) -> bool:
            status.update(_line(live))
            return judge.is_over(live)

        done = run(
            scenario,
            "ros" if ros else "process",
            place,
            data=data,
            pace=pace,
            seconds=seconds,
            films=film,
            step=step,
        )
    if film:
        from reflexarc.cli.box.film import make

        with err.status("film") as status:
            path = place / "film.mp4"
            make(done, path, lambda number, total: status.update(f"film {number} of {total}"))
        err.print(f"film: {path}", highlight=False, soft_wrap=True)
    checks = judge.checks(done)
    _show(done, checks, as_json=json)
    failed = [check for check in checks if check.binding and not check.held]
    for check in failed:
        err.print(f"[red]failed:[/] {escape(check.name)}: {escape(check.found)}")
    if failed:
        raise typer.Exit(1)


def _list(*, as_json: bool) -> None:
    from reflexarc.sim.scenario import load_scenario, packaged_scenarios

    found = [load_scenario(name) for name in packaged_scenarios()]
    if as_json:
        print_json([{"name": s.name, "about": s.about, "seconds": s.seconds} for s in found])
        return
    rows = ((s.name, f"{s.seconds:g}", escape(" ".join(s.about.split()))) for s in found)
    out.print(table(("scenario", "s", "what happens"), rows))


def _line(live: Live) -> str:
    """The live status: time, pose, what the robot does."""
    x, y, _ = live.tail.state.get("pose", (0.0, 0.0, 0.0))
    newest = live.events[-1][1] if live.events else None
    doing = f"{newest['event']} {newest['text']}" if newest else "nothing yet"
    return escape(
        f"{live.now:5.1f} of {live.scenario.seconds:g} s  at {x:+.2f}, {y:+.2f} m  {doing}"
    )


def _show(run: Run, checks: list[Check], *, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        told: dict[str, Any] = {**run.as_dict(), "checks": [asdict(check) for check in checks]}
        print_json(told)
        return
    rows = [
        (
            escape(check.name),
            escape(check.found),
            "[green]held[/]"
            if check.held
            else "[red]failed[/]"
            if check.binding
            else "[yellow]missed[/]",
        )
        for check in checks
    ]
    out.print(table(("check", "found", ""), rows, title=run.scenario.name))
    out.print(
        f"{run.end_s - run.begin_s:.1f} simulated s, {run.real_time_factor:.2f} x real time, "
        f"ready after {run.start_s:.1f} s; all of it in {run.folder}",
        highlight=False,
        soft_wrap=True,
    )
