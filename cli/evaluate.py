"""`reflexarc evaluate`: how right a model file is on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import (
    JsonOption,
    err,
    load_training_libraries,
    out,
    print_json,
    table,
)
from reflexarc.core import ReflexarcError, atomic_write, quiet

if TYPE_CHECKING:
    from reflexarc.export.evaluate import Evaluation

_WORST = 5  # confusions told to people


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(evaluate)


def evaluate(
    file: Annotated[Path, typer.Argument(help="A .tflite, .onnx or .keras file with its card.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with one folder a class (or with test/ in it)."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="litert, onnxruntime, openvino, ...; see bench.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    reference: Annotated[
        Path | None, typer.Option(help="Pose files: the .keras file it was made from.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the confusion matrix as a PNG.")] = None,
    json: JsonOption = False,
) -> None:
    """Evaluate a model file on labelled data, with the preprocessing its card states."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    if file.suffix == ".keras" or reference:
        load_training_libraries()
    from reflexarc.export import evaluate as evaluation
    from reflexarc.export.samples import EvaluationError, samples_for

    try:
        with quiet():  # engines greet
            loaded = evaluation.load(file, engine=engine, threads=threads, reference=reference)
        samples = samples_for(loaded.model.card, data, err)
    except ModuleNotFoundError as error:
        raise ReflexarcError(
            expected="the libraries that read data sets",
            found=f"no {error.name}",
            remedy="pip install 'reflexarc[train]'",
        ) from error
    if plot and loaded.twin:
        raise EvaluationError(
            expected="a classifier to draw a confusion matrix of",
            found=f"the task {loaded.model.card.task}",
            remedy="leave --plot out",
        )
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=err,
        transient=True,
    ) as progress:
        bar = progress.add_task(f"evaluate {escape(file.name)}", total=None)
        done = evaluation.evaluate(
            loaded, samples, lambda n, of: progress.update(bar, completed=n, total=of)
        )
    if plot:
        from reflexarc.models.plots import confusion_matrix

        with atomic_write(plot) as temporary:
            temporary.write_bytes(confusion_matrix(done.confusion, done.labels))
    if json:
        print_json(done.as_dict())
    else:
        _tell(done, plot)


def _tell(done: Evaluation, plot: Path | None) -> None:
    measure = "accuracy" if len(done.confusion) else "keypoints within half a torso (PCK)"
    out.print(
        f"{measure} [bold]{100 * done.accuracy:.2f} %[/] "
        f"on {done.n} samples ({escape(done.part)}), {done.engine}",
        highlight=False,
    )
    for name, value in done.metrics.items():
        out.print(f"{name} {value:g}", highlight=False)
    if len(done.confusion):
        rows = (
            (escape(label), _percent(of["precision"]), _percent(of["recall"]), str(of["n"]))
            for label, of in done.per_class.items()
        )
        out.print(table(("class", "precision", "recall", "n"), rows))
    for truth, answer, times in done.worst(_WORST):
        out.print(f"{times} x {escape(truth)} taken for {escape(answer)}", highlight=False)
    for name, why in done.skipped.items():
        err.print(f"skipped {escape(name)}: {escape(why)}", highlight=False)
    if plot:
        out.print(str(plot), highlight=False)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
