"""`reflexarc check`: every format held against the Keras model, and why INT8 fell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.export.check.run import Diagnosis
    from reflexarc.export.parity import Parity


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(check)


def check(
    model: Annotated[Path, typer.Argument(help="The model.keras of `reflexarc train`.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    to: Annotated[
        str, typer.Option(help="Formats, with commas between.")
    ] = "int8,float32,float16,dynamic,int16x8,onnx,onnx-int8",
    folder: Annotated[
        Path | None, typer.Option("--out", help="Default: check, beside the model.")
    ] = None,
    as_family: Annotated[
        str | None,
        typer.Option("--as", help="For a Keras model of your own: the family it is like."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many samples of each split.")
    ] = None,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Even where INT8 kept its accuracy.")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write the recommended remedy's file.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Hold every format against the Keras model; where INT8 fell, say why and what helps.

    Writes report.html, report.json and the worst samples as pictures. Ends with 1
    when a format loses more than half a point of accuracy and is not fixed.
    """
    load_training_libraries()
    from reflexarc.export import package
    from reflexarc.export.check import report, run
    from reflexarc.models.cards import card_of
    from reflexarc.models.registry import family_of

    formats = package.parse_formats(to)
    if as_family is None:
        _, card = package.load_keras(model)
    folder = folder or model.parent / "check"
    with err.status("load data") as status:
        family = family_of(as_family or card.name)
        splits = family.load(data)
        adopted = card_of(family, splits) if as_family else None

        def tell(step: str) -> None:
            status.update(escape(step))
            if not err.is_terminal:  # a log has no live line
                err.print(step, highlight=False, markup=False)

        found = run.check(
            model,
            splits,
            formats,
            folder,
            adopted=adopted,
            limit=limit,
            always_diagnose=diagnose,
            tell=tell,
        )
        page = report.write(found, folder)
        fixed = run.write_recommended(found, model, folder) if fix else None
    if json:
        fixed_name = None if fixed is None else str(fixed)
        print_json({**found.as_dict(), "report": str(page), "fixed": fixed_name})
    else:
        out.print(_parity(found.rows, found.edgetpu))
        if found.diagnosis:
            _show(found.diagnosis)
        out.print(f"report: {page}", highlight=False, soft_wrap=True)
        if fixed:
            out.print(f"fixed: {fixed}", highlight=False, soft_wrap=True)
    if any(name != "int8" or not fixed for name in found.fallen):
        raise typer.Exit(1)


def _parity(rows: tuple[Parity, ...], edgetpu: dict[str, str]) -> object:
    return table(
        ("format", "accuracy", "drop", "same answers", "size kB", "p50 ms", "Edge TPU"),
        (
            (
                row.name,
                f"{100 * row.accuracy:.2f} %",
                f"{100 * (rows[0].accuracy - row.accuracy):.2f}",
                f"{100 * row.agreement:.2f} %",
                f"{row.size_bytes / 1e3:.0f}",
                f"{row.p50_ms:.3f}",
                edgetpu.get(row.name, "–").split(":")[0],
            )
            for row in rows
        ),
    )


def _show(diagnosis: Diagnosis) -> None:
    noisiest = sorted(diagnosis.noise, key=lambda n: -n.contribution)[:8]
    noisiest = [n for n in noisiest if n.contribution >= 0.01]
    out.print(
        table(
            ("layer", "op", "SQNR dB", "own noise dB", "share of the answer's noise"),
            (
                (
                    n.layer,
                    n.op,
                    f"{n.total_db:.1f}",
                    f"{n.own_db:.1f}",
                    f"{100 * n.contribution:.0f} %",
                )
                for n in noisiest
            ),
            title="Where the INT8 noise comes in",
        )
    )
    out.print(f"layers to blame: [bold]{escape(', '.join(diagnosis.blamed)) or 'none'}[/]")
    out.print(
        table(
            ("remedy", "with", "validation", "test", "size kB", "p50 ms", "Edge TPU"),
            (
                (
                    t.remedy,
                    escape(t.detail),
                    f"{100 * t.validation.accuracy:.2f} %",
                    f"{100 * t.test.accuracy:.2f} %",
                    f"{t.test.size_bytes / 1e3:.0f}",
                    f"{t.test.p50_ms:.3f}",
                    t.edgetpu.split(":")[0],
                )
                for t in diagnosis.tried
            ),
            title=f"Remedies (keras {100 * diagnosis.keras.accuracy:.2f} %, "
            f"plain int8 {100 * diagnosis.plain.accuracy:.2f} % on validation)",
        )
    )
    best = diagnosis.recommended
    out.print(
        f"recommended: [bold]{best.remedy}[/] ({escape(best.detail)})"
        if best
        else "none is better than the plain INT8 file"
    )
