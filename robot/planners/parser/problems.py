"""Why an order is not carried out, in the user's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reflexarc.robot.planners.parser.lexicon import read_table
from reflexarc.robot.words import Language


@dataclass(frozen=True)
class Problem(Exception):  # noqa: N818  not an error of the program: an answer to the user
    """An order, or a part of one, that gives no action.

    Attributes:
        key: of the message in messages.yaml; its table says whether it refuses or asks.
        values: what stands in the message's gaps.
        confidence: that this is the right answer.
    """

    key: str
    values: tuple[tuple[str, Any], ...] = ()
    confidence: float = 0.9

    @property
    def status(self) -> Literal["clarify", "refuse"]:
        """Which of the two it is."""
        return "refuse" if self.key in read_table("messages")["refuse"] else "clarify"

    def message(self, language: Language) -> str:
        """In words."""
        table = read_table("messages")[self.status]
        text: str = table[self.key][language].format(**dict(self.values))
        return text


def problem(key: str, confidence: float = 0.9, **values: Any) -> Problem:
    """Make one."""
    return Problem(key, tuple(values.items()), confidence)


def worst(problems: Sequence[Problem]) -> Problem:
    """Of several the one to answer: a refusal before a question, the surest first."""
    return max(problems, key=lambda found: (found.status == "refuse", found.confidence))
