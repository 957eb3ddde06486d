"""Words, their tags, and the tables they come from.

Tags name what a phrase contributes to a clause: `go`, `turn`, `look` ... begin an
action (HEADS); `left`, `up`, `face`, `red` ... say how; `not`, `except`, `unreal` must
never be passed over; `filler` says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

HEADS = frozenset(
    [
        "go",
        "turn",
        "look",
        "open",
        "close",
        "grip",
        "follow",
        "watch",
        "nod",
        "shake",
        "wave",
        "shine",
        "say",
        "wait",
        "stop",
        "count",
        "repeat",
        "tell",
        "check",
        "dian",
        "yao",
        "hui",
    ]
)
"""Tags of words that begin an action of their own."""

LANGUAGES = ("en", "zh")
_ATOM = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+|\S", re.ASCII)


def atoms(plain: str) -> Iterator[tuple[str, int, int]]:
    """Words, numbers, and every other visible character by itself, with their places."""
    for match in _ATOM.finditer(plain):
        yield match.group(), match.start(), match.end()


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """A YAML table of the lexicon folder."""
    path = files("reflexarc.robot.planners.parser") / "tables" / f"{name}.yaml"
    table: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return table


@dataclass(frozen=True)
class Entry:
    """What a phrase means: its tags, and for a unit its dimension and size."""

    tags: frozenset[str]
    unit: tuple[str, float] | None = None


class Lexicon:
    """All phrases of all languages, found by their longest match."""

    def __init__(self) -> None:
        """Read the tables."""
        self._entries: dict[tuple[str, ...], Entry] = {}
        self.words: set[str] = set()
        self.singles: set[str] = set()
        for language in LANGUAGES:
            for tags, phrases in read_table(language)["words"].items():
                for phrase in (one for item in phrases for one in item.split("|")):
                    self._add(phrase, frozenset(tags.split()), None)
        for dimension, sizes in read_table("units").items():
            for size, phrases in sizes.items():
                for phrase in phrases:
                    self._add(phrase, frozenset(), (dimension, float(size)))
        self._longest = max(map(len, self._entries))
        self._starts = {key[0] for key in self._entries}
        numbers = read_table("numbers")["en"]
        self.numerals = frozenset(word for part in numbers.values() for word in part)
        self.words |= {word for word in self.numerals if len(word) > 2}

    def _add(self, phrase: str, tags: frozenset[str], unit: tuple[str, float] | None) -> None:
        key = tuple(atom for atom, _, _ in atoms(phrase.casefold()))
        old = self._entries.get(key, Entry(frozenset()))
        merged = (old.tags | tags) - ({"filler"} if (old.tags | tags) - {"filler"} else set())
        self._entries[key] = Entry(merged, unit or old.unit)
        self.words.update(word for word in key if word.isascii() and word[0].isalpha())
        if len(key) == 1:
            self.singles.add(key[0])

    def longest(self, words: list[str], start: int) -> tuple[int, Entry] | None:
        """The longest phrase that begins at words[start], and how many words it has."""
        if words[start] not in self._starts:
            return None
        for length in range(min(self._longest, len(words) - start), 0, -1):
            entry = self._entries.get(tuple(words[start : start + length]))
            if entry is not None:
                return length, entry
        return None


@cache
def lexicon() -> Lexicon:
    """The one lexicon."""
    return Lexicon()
