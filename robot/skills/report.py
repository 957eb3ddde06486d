"""Say what is seen or measured."""

from __future__ import annotations

from reflexarc.perception.observation import Observation
from reflexarc.robot.actions import Report
from reflexarc.robot.skills.base import NOTHING, Part, Senses, Wish
from reflexarc.robot.words import Language, phrase

TASKS = {"mask": "mask", "people": "people", "digit": "digits", "pose": "pose"}
_PATIENCE_S = 3.0
_LOOKS = 3
"""So many new observations are looked at: one alone may have missed something."""


class Reporting:
    """Looks at a few frames, then says what was in the best of them."""

    parts: frozenset[Part] = frozenset()

    def __init__(self, action: Report, language: Language) -> None:
        self._topic = action.topic
        self._language = language
        self._task = TASKS.get(action.topic)
        self.tasks = frozenset({self._task} if self._task else ())
        self._since_ns: int | None = None
        self._looked: dict[int, Observation] = {}
        self._is_done = False

    def step(self, senses: Senses) -> Wish | None:
        """Nothing while it looks, then the words."""
        if self._is_done:
            return None
        if self._since_ns is None:
            self._since_ns = senses.now_ns
        if self._task is None:
            volts = senses.state.battery_v
            return self._say(phrase("battery", self._language, volts=f"{volts:.1f}"))
        seen = senses.seen.get(self._task)
        if seen is not None and seen.stamp_ns >= self._since_ns:
            self._looked[seen.seq] = seen
        over = senses.now_ns - self._since_ns > _PATIENCE_S * 1e9
        if len(self._looked) < _LOOKS and not over:
            return NOTHING
        if not self._looked:
            return self._say(phrase("blind", self._language))
        best = max(self._looked.values(), key=lambda looked: len(looked.detections))
        return self._say(describe(self._topic, best, self._language))

    def result(self) -> dict[str, float]:
        """How many frames were looked at."""
        return {"frames": float(len(self._looked))}

    def _say(self, words: str) -> Wish:
        self._is_done = True
        return Wish(say=words)


def describe(topic: str, seen: Observation, language: Language) -> str:
    """An observation in words."""
    found = seen.detections
    if topic == "mask":
        missing = sum(d.label == "no_mask" for d in found)
        wearing = sum(d.label == "mask" for d in found)
        if not missing + wearing:
            return phrase("no_face", language)
        return phrase("masks", language, wearing=wearing, missing=missing)
    if topic == "digit":
        if not found:
            return phrase("no_digit", language)
        digits = ", ".join(d.label for d in sorted(found, key=lambda d: d.box.x))
        return phrase("digits", language, digits=digits)
    number = len(found)
    return phrase("people" if topic == "people" else "poses", language, count=number)
