"""`reflexarc bench`: engines side by side on model files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table
from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from reflexarc.export.bench import Bench
    from reflexarc.export.verdict import Verdict


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(bench)


def bench(
    files: Annotated[list[Path], typer.Argument(help=".tflite, .onnx or .keras files.")],
    engine: Annotated[
        list[str] | None,
        typer.Option(help="May be given again; all that are installed if left out."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each engine.")] = 1,
    rounds: Annotated[int, typer.Option(min=3, help="Turns of each engine.")] = 30,
    chart: Annotated[Path | None, typer.Option(help="Write a chart as a PNG.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Fail (1) where a row is 30 % slower than in this file.")
    ] = None,
    save_reference: Annotated[
        Path | None, typer.Option(help="Write this run as a reference.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare engines in one run, in turns: time, memory, cold start.

    A reference holds each CPU time as a ratio to a fixed loop measured in the same
    rounds, so a machine that is busy does not look like an engine that is slow.
    """
    from rich.progress import BarColumn, Progress, TimeRemainingColumn

    from reflexarc.export import verdict
    from reflexarc.export.bench import bench as run

    before = verdict.load_reference(reference) if reference else None
    names = [name for given in engine or [] for name in given.split(",")]
    with Progress(
        "{task.description}",
        BarColumn(),
        TimeRemainingColumn(compact=True),
        console=err,
        transient=True,
    ) as progress:
        bar = progress.add_task("bench", total=None)
        done = run(
            files,
            names,
            threads=threads,
            rounds=rounds,
            tell=lambda step, n, of: progress.update(
                bar, description=escape(step), completed=n, total=of
            ),
        )
    judged = verdict.judge(done, before) if before else None
    if chart:
        _draw(done, chart)
    if save_reference:
        verdict.save_reference(done, save_reference)
    if json:
        print_json({**done.as_dict(), "verdict": judged.as_dict() if judged else None})
    else:
        _tell(done, judged)
        for path in (chart, save_reference):
            if path:
                out.print(str(path), highlight=False)
    if judged and not judged.ok:
        raise typer.Exit(1)


def _draw(done: Bench, path: Path) -> None:
    try:
        from reflexarc.export.bench_chart import chart
    except ModuleNotFoundError as error:
        raise ReflexarcError(
            expected="matplotlib, which draws the chart",
            found=f"no {error.name}",
            remedy="pip install 'reflexarc[train]', or leave --chart out",
        ) from error
    from reflexarc.core import atomic_write

    with atomic_write(path) as temporary:
        temporary.write_bytes(chart(done))


def _tell(done: Bench, judged: Verdict | None) -> None:
    columns = ("engine", "p50 ms", "p90 ms", "p99 ms", "CPU ms", "RSS MB", "cold start s")
    for file in dict.fromkeys(row.file for row in done.rows):
        mine = [row for row in done.rows if row.file == file]
        rows = (
            (
                f"{row.engine} {row.version}",
                f"{row.p50_ms:.3f}",
                f"{row.p90_ms:.3f}",
                f"{row.p99_ms:.3f}",
                f"{row.cpu_ms:.3f}",
                f"{row.rss_bytes / 1e6:.0f}",
                f"{row.cold_start_s:.2f}",
            )
            for row in mine
        )
        title = f"{file}, {mine[0].quantization}, {mine[0].size_bytes / 1e3:.0f} kB"
        out.print(table(columns, rows, title=escape(title)))
    threads = {row.threads for row in done.rows if row.threads}
    chosen = f"{threads.pop()} thread(s), " if threads else ""
    out.print(
        f"{chosen}{done.rounds} rounds in turns; calibration loop {done.calibration_ms:.3f} CPU ms",
        highlight=False,
    )
    for row in done.rows:
        if row.threads is None:
            out.print(f"{row.engine} chooses its threads itself", highlight=False)
    for failure in done.failures:
        err.print(
            f"{failure.engine} on {escape(failure.file)}: {escape(failure.reason)}",
            highlight=False,
        )
    for name, remedy in done.absent.items():
        out.print(f"not installed: {name} ({escape(remedy)})", highlight=False)
    if judged:
        _tell_verdict(judged)


def _tell_verdict(judged: Verdict) -> None:
    rows = (
        (
            escape(line.key),
            "–" if line.change is None else f"{100 * (line.change - 1):+.0f} %",
            f"[red]{line.status}[/]" if line.status in ("slower", "failed") else line.status,
        )
        for line in judged.lines
    )
    out.print(table(("against the reference", "change", ""), rows))
    if judged.other_machine:
        err.print(f"the reference is of another machine: {judged.other_machine}", highlight=False)
    for key in judged.not_run:
        err.print(f"in the reference, but not run: {key}", highlight=False)
    limit = f"{100 * (judged.limit - 1):.0f} %"
    out.print(
        f"[green]within {limit} of the reference[/]"
        if judged.ok
        else f"[red]beyond {limit} of the reference, or failed[/]",
        highlight=False,
    )
