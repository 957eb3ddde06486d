"""Which model files were opened, for whoever must know afterwards: a recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_opened: ContextVar[dict[Path, str] | None] = ContextVar("opened", default=None)


@contextmanager
def watch_opened() -> Iterator[dict[Path, str]]:
    """Collect the model files that are opened inside, each with the backend that runs it."""
    files: dict[Path, str] = {}
    token = _opened.set(files)
    try:
        yield files
    finally:
        _opened.reset(token)


def note_opened(path: Path, backend: str) -> None:
    """Say that `backend` has opened a model file. The last word on a file counts.

    `load_model` and `open_interpreter` do; a task that loads a file with a library of its
    own calls it, so that recordings know that file too.
    """
    files = _opened.get()
    if files is not None:
        files[path] = backend
