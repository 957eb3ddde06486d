"""How the command line speaks: tables for people, JSON for machines, one-line errors."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from reflexarc.core import ReflexarcError, quiet

if TYPE_CHECKING:
    from reflexarc.perception.tasks import Task

# What a verb reports goes to stdout; progress and complaints go to stderr.
out = Console()
err = Console(stderr=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def print_json(data: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def print_line(data: Any) -> None:
    """One JSON line on stdout, at once, for a reader at the other end of a pipe."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], title: str | None = None) -> Table:
    """A plain table; columns after the first are right-aligned when they start with a digit."""
    grid = Table(title=title, title_justify="left", header_style="bold")
    body = [tuple(row) for row in rows]
    for index, name in enumerate(columns):
        numeric = bool(body) and all(_is_number(row[index]) for row in body)
        grid.add_column(name, justify="right" if numeric else "left")
    for row in body:
        grid.add_row(*row)
    return grid


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text[:1] in {"-", "–", "<", ">", ""}


def open_eyes(task: str, model: str | Path | None, **options: Any) -> Task:
    """`open_task`, without the runtime's greeting."""
    from reflexarc.perception.tasks import open_task

    with quiet():
        return open_task(task, model, **options)


def load_training_libraries() -> None:
    """Import TensorFlow and what else the extra `train` brings, without the greetings.

    Raises:
        ReflexarcError: the extra is not installed.
    """
    try:
        with err.status("load TensorFlow"), quiet():
            for name in ("tensorflow", "keras", "flatbuffers", "matplotlib", "jinja2", "PIL"):
                importlib.import_module(name)
            # Retracing is no fault of the user's: batches and models differ in shape.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
            open_eyes("digits", None)  # LiteRT greets at a process's first model
    except ModuleNotFoundError as error:
        raise ReflexarcError(
            expected="the training libraries",
            found=f"no {error.name}",
            remedy="pip install 'reflexarc[train]'",
        ) from error
