"""`reflexarc train`: a Keras model of a family."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json
from reflexarc.models.registry import FAMILIES, family_of


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(train)


def train(
    family: Annotated[str, typer.Argument(help=f"What to train: {', '.join(FAMILIES)}.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Default: out/FAMILY.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: the family's.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Train (or import) a Keras model; writes model.keras with its card, and pictures."""
    chosen = family_of(family)
    load_training_libraries()
    from reflexarc.models import training
    from reflexarc.models.cards import card_of
    from reflexarc.models.family import Options

    splits = chosen.load(data)
    for name, why in splits.skipped.items():
        err.print(f"skipped {name}: {why}", highlight=False)
    folder = folder or Path("out") / chosen.name
    ready = data is None and chosen.ready is not None
    if ready:
        trained = training.import_ready(chosen)
    else:
        trained = training.train(chosen, splits, Options(seed, epochs, err))
    path = training.save(trained, card_of(chosen, splits, ready=ready), folder)
    if json:
        print_json(
            {
                "model": str(path),
                "data": splits.source.model_dump(),
                "labels": splits.labels,
                "history": trained.history,
                "notes": dict(trained.notes),
                "skipped": dict(splits.skipped),
            }
        )
        return
    done = "weights imported"
    if trained.history:
        kept = trained.notes.get("val_accuracy", trained.history["val_accuracy"][-1])
        done = f"validation accuracy {100 * kept:.2f} % on {splits.source.name}"
    out.print(f"{path}: {done}. Next: reflexarc export {path}")
