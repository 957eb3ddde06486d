"""What is wrong with a launch file, and in which line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reflexarc.core import ReflexarcError


@dataclass(frozen=True)
class Where:
    """A line of a launch file, counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        """FILE:LINE, as compilers and editors write it."""
        return f"{self.file}:{self.line}"


class LaunchError(ReflexarcError):
    """A launch file, an argument or an executable that cannot be used.

    Args:
        where: the line of the file, where there is one.
    """

    def __init__(
        self, *, expected: str, found: str, remedy: str, where: Where | None = None
    ) -> None:
        self.where = where
        super().__init__(expected=expected, found=found, remedy=remedy)
        if where is not None:
            self.args = (f"{where}: {self}",)

    def as_dict(self) -> dict[str, str]:
        """With file and line as `where`."""
        place = {"where": str(self.where)} if self.where is not None else {}
        return {**super().as_dict(), **place}


def nearest(word: str, names: Iterable[str], otherwise: str) -> str:
    """A remedy for a misspelt word: "did you mean NAME?", or else `otherwise`."""
    near = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise


def listed(names: Iterable[str]) -> str:
    """Names for a message, in alphabetical order."""
    return ", ".join(sorted(names)) or "none"
