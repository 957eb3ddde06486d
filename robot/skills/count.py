"""Count somebody's sit-ups, up to a target or until no more come."""

from __future__ import annotations

from reflexarc.robot.actions import Count
from reflexarc.robot.skills.base import NOTHING, Part, Senses, SkillError, Wish
from reflexarc.robot.words import Language, phrase

TASK = "situps"
_PATIENCE_S = 60.0
"""Without a first or a next repetition it ends after this time."""
_BLIND_S = 5.0


class Counting:
    """Watches the sit-ups task; each repetition is progress."""

    parts: frozenset[Part] = frozenset()
    tasks: frozenset[str] = frozenset({TASK})

    def __init__(self, action: Count, language: Language) -> None:
        self._target = action.target
        self._language = language
        self._before: int | None = None
        self._count = 0
        self._news_ns: int | None = None
        self._start_ns = 0
        self._is_over = False

    def step(self, senses: Senses) -> Wish | None:
        """A word at each repetition; None when the target is reached or nobody goes on.

        Raises:
            SkillError: the camera sees nothing, or nothing more.
        """
        if self._is_over:
            return None
        if self._news_ns is None:
            self._news_ns = self._start_ns = senses.now_ns
        seen = senses.seen.get(TASK)
        looked_ns = self._start_ns if seen is None else max(self._start_ns, seen.stamp_ns)
        if senses.now_ns - looked_ns > _BLIND_S * 1e9:
            raise SkillError(
                expected="a camera that sees somebody do sit-ups",
                found=f"no picture for {_BLIND_S:g} s, after {self._count}",
                remedy="check the camera (`reflexarc doctor`)",
            )
        if seen is None:
            return NOTHING
        total = int(seen.counts.get("sit_ups", 0))
        if self._before is None:
            self._before = total
        count = total - self._before
        if count > self._count:
            self._count, self._news_ns = count, senses.now_ns
            self._is_over = self._target is not None and count >= self._target
            return Wish(progress=f"{count}", say=self._total() if self._is_over else "")
        if senses.now_ns - self._news_ns > _PATIENCE_S * 1e9:
            self._is_over = True
            return Wish(say=self._total())
        return NOTHING

    def result(self) -> dict[str, float]:
        """How many."""
        return {"sit_ups": float(self._count)}

    def _total(self) -> str:
        return phrase("counted", self._language, count=self._count)
