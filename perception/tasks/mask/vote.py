"""What one face has shown over time: a decaying mean, so that no single frame decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

MEMORY = 0.85
"""Weight that a vote keeps with each one after it: half after four, a tenth after 14."""
_FLIP = 0.5
"""The mean has to go so far beyond indifference, in logits, to change an answer."""
_MOST = 5.0
"""No vote counts more, in logits: what is certain once may be wrong in the next frame."""


@dataclass
class Vote:
    """The votes on one face.

    Attributes:
        votes: how many there were.
        is_mask: the answer; means nothing without votes.
    """

    votes: int = 0
    is_mask: bool = False
    _sum: float = 0.0
    _weight: float = 0.0

    def add(self, mask: float) -> None:
        """Count a frame.

        Args:
            mask: probability of a mask, 0..1.
        """
        odds = math.log(max(mask, 1e-6) / max(1 - mask, 1e-6))
        self._sum = MEMORY * self._sum + max(-_MOST, min(_MOST, odds))
        self._weight = MEMORY * self._weight + 1
        self.votes += 1
        if self.votes == 1 or (self._mean < -_FLIP if self.is_mask else self._mean > _FLIP):
            self.is_mask = self._mean > 0

    @property
    def _mean(self) -> float:
        return self._sum / self._weight

    @property
    def confidence(self) -> float:
        """Probability of the answer by the mean of the votes, 0..1."""
        return 1 / (1 + math.exp(-self._mean if self.is_mask else self._mean))
