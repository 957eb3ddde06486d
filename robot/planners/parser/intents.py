"""Which action a clause means: the first row of a table that its tags fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reflexarc.robot.planners.parser.lexicon import read_table


@dataclass(frozen=True)
class Row:
    """An intent and the tags it takes.

    Attributes:
        every: all of these.
        some: for each group, at least one of it.
        none: none of these.
    """

    intent: str
    every: frozenset[str]
    some: tuple[frozenset[str], ...]
    none: frozenset[str]

    def fits(self, tags: frozenset[str]) -> bool:
        """Whether a clause with these tags has this intent."""
        return (
            self.every <= tags and all(group & tags for group in self.some) and not self.none & tags
        )


@cache
def _rows() -> tuple[Row, ...]:
    return tuple(
        Row(
            intent=str(row["intent"]),
            every=frozenset(str(row.get("every", "")).split()),
            some=tuple(frozenset(group.split()) for group in row.get("some", [])),
            none=frozenset(str(row.get("none", "")).split()),
        )
        for row in read_table("intents")["rows"]
    )


def intent_of(tags: frozenset[str]) -> str:
    """The intent of a clause, "" where no row fits."""
    return next((row.intent for row in _rows() if row.fits(tags)), "")
