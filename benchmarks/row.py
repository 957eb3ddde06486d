from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from reflexarc.core import atomic_write


class Row(NamedTuple):
    """One measured figure: `value` in `unit`, and the limit it is held against."""

    what: str
    value: float
    unit: str
    limit: str = ""

    @property
    def text(self) -> str:
        return (
            f"{self.value:,.3g} {self.unit}"
            if self.value < 1000
            else f"{self.value:,.0f} {self.unit}"
        )


def table(name: str, about: str, rows: list[Row]) -> Table:
    """For the terminal."""
    shown = Table("what", "measured", "at most", title=f"{name}: {about}")
    for row in rows:
        shown.add_row(row.what, row.text, row.limit)
    return shown


def save(path: Path, rows: list[Row]) -> None:
    """For machines."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps([row._asdict() for row in rows], indent=1))
