"""`reflexarc card`: what is in a model file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table
from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from reflexarc.export.contents import Contents
    from reflexarc.perception.card import Card


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(card)


def card(
    file: Annotated[Path, typer.Argument(help="A .tflite, .onnx or .keras file.")],
    markdown: Annotated[
        Path | None, typer.Option(help="Write the model card as a Markdown page.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Print what is in a model file: card, tensors, operators, size. Nothing is run."""
    try:
        from reflexarc.export.contents import read_contents

        contents = read_contents(file)
        if markdown:
            from reflexarc.export.modelcard import write_markdown

            write_markdown(contents, markdown)
    except ModuleNotFoundError as error:
        raise ReflexarcError(
            expected=f"the library that reads {file.suffix} files or writes the page",
            found=f"no {error.name}",
            remedy="pip install 'reflexarc[train]'",
        ) from error
    if json:
        print_json(contents.as_dict())
        return
    _tell(contents)
    if markdown:
        out.print(str(markdown), highlight=False)


def _tell(contents: Contents) -> None:
    rows = [("file", f"{contents.path} ({contents.size_bytes:,} bytes)")]
    rows += list(_card_rows(contents.card)) if contents.card else []
    rows.append(("sha256", contents.sha256))
    kinds = ", ".join(f"{size:,} bytes {kind}" for kind, size in contents.parameter_bytes.items())
    rows.append(("parameters", f"{contents.parameters:,}" + (f" ({kinds})" if kinds else "")))
    rows.append(("operators", ", ".join(f"{n} {name}" for name, n in contents.ops.items())))
    what = table(("", "what is in it"), [(name, escape(value)) for name, value in rows])
    what.columns[1].overflow = "fold"  # a hash is of no use without its end
    out.print(what)
    tensors = [
        (
            f"{role}: {escape(tensor.name)}",
            " x ".join("?" if size < 0 else str(size) for size in tensor.shape),
            tensor.dtype,
            "–" if tensor.scale is None else f"{tensor.scale:.6g}",
            "–" if tensor.zero_point is None else str(tensor.zero_point),
        )
        for role, group in (("in", contents.inputs), ("out", contents.outputs))
        for tensor in group
    ]
    out.print(table(("tensor", "shape", "type", "scale", "zero point"), tensors))
    if not contents.card:
        err.print(f"[yellow]no card:[/] {escape(contents.no_card)}", highlight=False)


def _card_rows(card: Card) -> Iterator[tuple[str, str]]:
    from reflexarc.export.modelcard import figure
    from reflexarc.perception.card import InputSpec

    yield "model", f"{card.name}: {card.description}"
    yield "task", card.task
    if isinstance(card.input, InputSpec):
        spec = card.input
        size = f"{spec.width} x {spec.height} {spec.color} ({spec.fit})"
        yield "input", f"{size}; real = (byte - {spec.mean:g}) / {spec.std:g}"
    else:
        series = card.input
        yield "input", f"{series.steps} steps of {len(series.features)} at {series.rate_hz:g} Hz"
    yield "labels", ", ".join(card.labels)
    if card.thresholds:
        yield "thresholds", ", ".join(f"{k} {v:g}" for k, v in card.thresholds.items())
    kept = f", in float: {', '.join(card.kept_float)}" if card.kept_float else ""
    yield "numbers", card.quantization + kept
    for name, value in card.metrics.items():
        yield name, figure(value, name)
    if card.imported_from:
        yield "weights from", card.imported_from
    source = card.data
    sizes = f"{source.train_size} for training, {source.test_size} for testing"
    yield "data", f"{source.name} {source.version}, {source.licence}; {sizes}"
    yield "made", f"{card.created} with " + ", ".join(f"{k} {v}" for k, v in card.tools.items())
    yield "licence", card.licence
    if card.source_sha256:
        yield "made from", card.source_sha256
