"""`reflexarc edgetpu`: what a Coral would run of a model, with or without its compiler."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.export.edgetpu import Report

verb = typer.Typer(help="Coral Edge TPU: which operations of a .tflite file it runs, and why.")

Model = Annotated[Path, typer.Argument(help="A .tflite file, not compiled yet.")]
_BAR = 24


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.add_typer(verb, name=name, no_args_is_help=True)


@verb.command()
def check(
    file: Model,
    every: Annotated[bool, typer.Option("--all", help="One line for each operation.")] = False,
    json: JsonOption = False,
) -> None:
    """Predict, without the compiler, what compiler 16 maps, and say what to change.

    Ends with 1 when the compiler would refuse the whole model.
    """
    from reflexarc.export.edgetpu import check as predict

    report = predict(file)
    if json:
        print_json(report.as_dict())
    else:
        _show(report, every)
    if report.refused:
        raise typer.Exit(1)


@verb.command("compile")
def compile_(
    file: Model,
    folder: Annotated[Path | None, typer.Option("--out", help="Default: beside the model.")] = None,
    json: JsonOption = False,
) -> None:
    """Run edgetpu_compiler, and compare its result with the prediction, op for op.

    Ends with 1 when they differ.
    """
    from reflexarc.export.edgetpu.compiler import compile_model

    with err.status("compile"):
        done = compile_model(file, folder or file.parent)
    if json:
        print_json(done.as_dict())
    else:
        rows = [(op, str(n), status) for (op, status), n in sorted(done.log.counts.items())]
        out.print(table(("operation", "count", "the compiler says"), rows))
        if done.disagreements:
            differ = ((str(d.index), d.op, d.predicted, d.compiled) for d in done.disagreements)
            out.print(table(("index", "operation", "predicted", "compiled"), differ))
        out.print(
            f"{done.log.mapped} of {len(done.report.ops)} operations mapped; the prediction "
            + (f"differs in {len(done.disagreements)}" if done.disagreements else "was right")
        )
        out.print(str(done.output), highlight=False, soft_wrap=True)
    if done.disagreements:
        raise typer.Exit(1)


def _show(report: Report, every: bool) -> None:
    color = {"edgetpu": "green", "cpu": "yellow"}
    if every:
        rows = [
            (
                str(op.index),
                op.op,
                str(op.version),
                f"[{color[op.target]}]{op.target}[/]",
                op.reason,
            )
            for op in report.ops
        ]
        out.print(table(("index", "operation", "version", "runs on", "reason"), rows))
    else:
        kinds = Counter((op.op, op.version, op.target, op.reason) for op in report.ops)
        rows = [
            (str(count), op, str(version), f"[{color[target]}]{target}[/]", reason)
            for (op, version, target, reason), count in kinds.items()
        ]
        out.print(table(("count", "operation", "version", "runs on", "reason"), rows))
    if report.refused:
        out.print(f"[red]the compiler refuses the model:[/] {escape(report.refused)}")
    else:
        out.print(f"[bold]{report.mapped} of {len(report.ops)}[/] operations on the Edge TPU")
    if report.cut:
        cut = report.cut
        out.print(f"cut: {cut.op} (op {cut.index}) stays on the CPU (limit: {escape(cut.why)})")
    if report.mapped:
        _show_memory(report)
    for text in report.advice:
        out.print(f"- {escape(text)}")


def _show_memory(report: Report) -> None:
    from reflexarc.export.edgetpu.memory import CACHE_BYTES

    memory = report.memory
    share = memory.chip_bytes / CACHE_BYTES
    filled = min(_BAR, round(share * _BAR))
    bar = f"[{'green' if memory.fits_cache else 'red'}]{'█' * filled}[/]{'░' * (_BAR - filled)}"
    mib = float(1 << 20)
    out.print(
        f"parameters {memory.parameter_bytes / mib:.2f} MiB, about {memory.chip_bytes / mib:.2f} "
        f"on the chip {bar} {100 * share:.0f} % of {CACHE_BYTES / mib:.0f}",
        highlight=False,
    )
    out.print(
        f"each inference: {memory.transfer_bytes / 1e3:.0f} kB of tensors, "
        f"{memory.streamed_bytes / mib:.2f} MiB of parameters streamed",
        highlight=False,
    )
