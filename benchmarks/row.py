from __future__ import annotations

from typing import NamedTuple

from rich.table import Table


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
