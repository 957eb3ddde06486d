"""`reflexarc train`: a Keras model of a family."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reflexarc.cli.output import JsonOption, load_training_libraries, out, print_json


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(train)


def train(
    family: Annotated[str, typer.Argument(help="What to train: mnist-cnn.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Default: out/FAMILY.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: the family's.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train a Keras model; writes model.keras, history.json and curve.png."""
    from reflexarc.models.registry import family_of

    chosen = family_of(family)
    load_training_libraries()
    from reflexarc.models import training

    splits = chosen.load(data)
    folder = folder or Path("out") / chosen.name
    model, history = training.train(chosen, splits, seed=seed, epochs=epochs)
    path = training.save(model, history, folder)
    if json:
        print_json({"model": str(path), "data": splits.source.model_dump(), "history": history})
    else:
        out.print(
            f"{path}: validation accuracy {100 * history['val_accuracy'][-1]:.2f} % "
            f"on {splits.source.name}. Next: reflexarc export {path}"
        )
