"""What every backend is: a library or a device that runs model files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from reflexarc.core import ReflexarcError
from reflexarc.perception.card import Card


class BackendError(ReflexarcError):
    """A device that is not there, or a library that cannot take the file."""


class Backend(Protocol):
    """A module with these three, named by an entry point of ``reflexarc.backends``.

    Attributes:
        FORMATS: endings of the files it runs.
    """

    FORMATS: tuple[str, ...]

    def why_not(self, path: Path) -> str:
        """Why this file cannot run here: what is missing. Empty: it can be tried."""
        ...

    def open_network(self, path: Path, card: Card | None, threads: int) -> Any:
        """Load a file, ready to run.

        Args:
            path: a model file.
            card: the one in it; None for a TFLite file without one.
            threads: CPU threads.

        Returns:
            What has the five calls of TFLite's Interpreter (see `LikeInterpreter`).

        Raises:
            BackendError, ModelFileError: the device or the file is not usable.
        """
        ...
