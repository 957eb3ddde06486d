"""`reflexarc stop`: the emergency stop, from any terminal."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from reflexarc.cli.output import err, out

_ANSWER_S = 2.0
"""One that hangs does not keep the others from being stopped."""


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(stop)


def stop(
    release: Annotated[
        bool, typer.Option("--release", help="Instead: arm again after a stop.")
    ] = False,
) -> None:
    """Stop every robot that this user runs, at once; it stays stopped until --release.

    1 if none runs, 2 if one does not answer.
    """
    from reflexarc.core import ReflexarcError
    from reflexarc.robot.control import ControlClient, running

    sockets = running()
    failed = False
    for path in sockets:
        try:
            with contextlib.closing(ControlClient(path, _ANSWER_S)) as client:
                list(client.ask(arm=True) if release else client.ask(stop="emergency stop"))
        except ReflexarcError as error:
            failed = True
            err.print(f"{path.stem}: {error}", highlight=False, soft_wrap=True)
        else:
            out.print(f"{path.stem}: {'armed' if release else 'stopped'}", highlight=False)
    if not sockets:
        err.print("no robot runs")
    if failed or not sockets:
        raise typer.Exit(2 if failed else 1)
