"""`reflexarc export`: model files for the device, with their parity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.export.parity import Parity


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(export)


def export(
    model: Annotated[Path, typer.Argument(help="The model.keras of `reflexarc train`.")],
    to: Annotated[
        str, typer.Option(help="int8, float32, float16, dynamic, int16x8, onnx, onnx-int8.")
    ] = "float32,int8",
    folder: Annotated[Path | None, typer.Option("--out", help="Default: beside the model.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    as_family: Annotated[
        str | None,
        typer.Option("--as", help="For a Keras model of your own: the family it is like."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Export a Keras model to files with cards, and measure them on the test set."""
    load_training_libraries()
    from reflexarc.export import package
    from reflexarc.models.cards import card_of
    from reflexarc.models.registry import family_of

    formats = package.parse_formats(to)
    if as_family is None:
        _, card = package.load_keras(model)
        splits = family_of(card.name).load(data)
        adopted = None
    else:
        family = family_of(as_family)
        splits = family.load(data)
        adopted = card_of(family, splits)
    with err.status("export") as status:
        done = package.export(
            model,
            splits,
            formats,
            folder or model.parent,
            adopted=adopted,
            tell=status.update,
        )
    if json:
        files = {name: str(path) for name, path in done.files.items()}
        print_json({"files": files, "parity": [row.as_dict() for row in done.table]})
        return
    out.print(parity_table(done.table))
    for path in done.files.values():
        out.print(str(path), highlight=False)


def parity_table(rows: tuple[Parity, ...]) -> Table:
    """The parity table for people."""
    return table(
        ("model", "accuracy", "same answers", "size kB", "p50 ms", "p99 ms"),
        (
            (
                row.name,
                f"{100 * row.accuracy:.2f} %",
                f"{100 * row.agreement:.2f} %",
                f"{row.size_bytes / 1e3:.0f}",
                f"{row.p50_ms:.3f}",
                f"{row.p99_ms:.3f}",
            )
            for row in rows
        ),
    )
