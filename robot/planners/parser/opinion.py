"""What learnt models are asked, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Opinion:
    """What something that learnt from examples takes a clause for.

    Attributes:
        tags: of its intent, to be used as if they stood in the clause.
        confidence: 0..1.
    """

    tags: frozenset[str]
    confidence: float


class Guess(Protocol):
    """Something that learnt intents from examples."""

    def clause(self, words: str) -> Opinion:
        """What a clause means; tags of lexicon.py."""
        ...

    def load(self) -> None:
        """Get ready now rather than at the first question."""
        ...

    def event(self, words: str) -> Opinion:
        """Which event a condition means; one tag, the event's name."""
        ...
