"""`reflexarc board`: find the robot's board, look at it, test it, calibrate it, flash it."""

from __future__ import annotations

import importlib

import typer

# In the order in which a user needs them.
VERBS = ("list", "info", "monitor", "test", "calibrate", "flash")


def register(app: typer.Typer, name: str) -> None:
    """Add the verb and those below it."""
    board = typer.Typer(help="The robot's board: find, look, test, calibrate, flash.")
    for verb in VERBS:
        importlib.import_module(f"reflexarc.cli.board.{verb}").register(board, verb)
    app.add_typer(board, name=name, no_args_is_help=True)
