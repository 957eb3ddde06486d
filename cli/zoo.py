"""`reflexarc zoo`: all families, trained or imported, exported, measured, in one table."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated

import typer

from reflexarc.cli.output import JsonOption, err, load_training_libraries, out, print_json, table
from reflexarc.core import atomic_write


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(zoo)


def zoo(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that may hold clothing10/ and mask/; else packaged data."),
    ] = None,
    folder: Annotated[Path, typer.Option("--out", help="One folder a family.")] = Path("out/zoo"),
    only: Annotated[str | None, typer.Option(help="Families, with commas between.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same weights.")] = 0,
    json: JsonOption = False,
) -> None:
    """Make every model of the zoo; what an earlier run finished is kept."""
    load_training_libraries()
    from reflexarc.export import zoo as models
    from reflexarc.export.modelcard import figure
    from reflexarc.models.family import Options
    from reflexarc.models.registry import FAMILIES

    def tell(step: str) -> None:
        err.print(f"  {step}", highlight=False, markup=False)

    rows = []
    for name in models.names(only):
        where = models.data_folder(name, data)
        for ready in models.plans(name, where):
            err.rule(
                f"{name}{', packaged weights' if ready else ''}  ({where or 'packaged data'})",
                align="left",
            )
            rows.append(
                models.build(
                    FAMILIES[name],
                    where,
                    folder / (f"{name}-ready" if ready else name),
                    Options(seed, console=err),
                    tell,
                    ready=ready,
                )
            )
    clips = data / models.CLIPS_FOLDER if data else None
    watched = []
    if clips and clips.is_dir():
        err.rule(f"sit-ups in the clips of {clips}", align="left")
        watched = models.watch_clips(rows, clips, tell)
    results = {
        "models": [row.as_dict() for row in rows],
        "clips": [one.result.as_dict() for one in watched],
    }
    with atomic_write(folder / "zoo.json") as temporary:
        temporary.write_text(jsonlib.dumps(results, indent=1), encoding="utf-8")
    if watched:
        from reflexarc.export.clips import chart

        with atomic_write(folder / "situps.png") as temporary:
            temporary.write_bytes(chart(watched))
    if json:
        print_json(results)
        return
    columns = ("family", "test", "float %", "INT8 %", "drop", "kB", "p50 ms", "Edge TPU")
    out.print(
        table(
            columns,
            (
                (
                    row.title,
                    f"{row.test_size}",
                    f"{100 * row.float_score:.2f}",
                    f"{100 * row.int8_score:.2f}",
                    f"{100 * row.drop:.2f}",
                    f"{row.size_bytes / 1e3:.0f}",
                    f"{row.p50_ms:.2f}",
                    f"{row.mapped}/{row.operators}",
                )
                for row in rows
            ),
        )
    )
    for row in rows:
        extra = "".join(f", {name} {figure(v, name)}" for name, v in row.metrics.items())
        out.print(f"{row.title}: {row.measure} on {row.data}{extra}", highlight=False)
        out.print(f"  {row.file}", highlight=False, soft_wrap=True)
    if watched:
        out.print(
            table(
                ("clip", "frames", "loops", "net", "geometric"),
                (
                    (c.clip, f"{c.frames}", f"{c.loops}", f"{c.net}", f"{c.geometric}")
                    for c in (one.result for one in watched)
                ),
                title=f"Sit-ups counted ({folder / 'situps.png'})",
            )
        )
