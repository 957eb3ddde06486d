from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One measured figure: `value` in `unit`, and the limit it is held against."""

    what: str
    value: float
    unit: str
    limit: str = ""

    @property
    def text(self) -> str:
        return f"{self.value:,.3g} {self.unit}"
