"""Mend misspelt and run-together English words, when it is clear what was meant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import OSA

from reflexarc.robot.planners.parser.lexicon import lexicon

_SHORTEST = 4
"""Shorter words have too many neighbours."""

_LONG = 8
"""From this length on two mistakes are mended, not one."""

_LONGEST = 40


@cache
def _real_words() -> frozenset[str]:
    """English words that are a letter away from one of ours, and mean something else."""
    path = files("reflexarc.robot.planners.parser") / "tables" / "real_words.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _by_first_letter() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for word in sorted(lexicon().words):
        if len(word) >= _SHORTEST:
            groups.setdefault(word[0], []).append(word)
    return groups


@lru_cache(maxsize=4096)
def corrected(word: str) -> tuple[str, ...] | None:
    """The known words that an unknown ASCII word stands for; None if it is known or hopeless."""
    known = lexicon().words
    if not word.isascii() or not word.replace("'", "").isalpha() or word in known:
        return None
    if len(word) > _LONGEST or (word.endswith("ed") and known_verb(word)):
        return None
    form = stem(word, known)
    return (form,) if form else _neighbour(word) or _apart(word)


def stem(word: str, known: Collection[str]) -> str:
    """The known word that a form of it stands for: "rotating", "nods", "robot's"; or ""."""
    options: list[str] = []
    if word.endswith("'s"):
        options.append(word[:-2])
    if word.endswith("ing") and len(word) > 5:
        options += [word[:-3], word[:-3] + "e"]
        if word[-4] == word[-5]:
            options.append(word[:-4])
    if word.endswith("es"):
        options.append(word[:-2])
    if word.endswith("s"):
        options.append(word[:-1])
    return next((option for option in options if option in known and len(option) > 1), "")


def known_verb(past: str) -> bool:
    """Whether a word in -ed is the past of a word of ours."""
    known = lexicon().words
    return past[:-2] in known or past[:-1] in known or past[:-3] in known


def _neighbour(word: str) -> tuple[str, ...] | None:
    if len(word) < _SHORTEST or word in _real_words():
        return None
    # Letters drawn out ("stooooop") are none of the mistakes that are counted below.
    squeezed = word
    for letter in set(word):
        while letter * 3 in squeezed:
            squeezed = squeezed.replace(letter * 3, letter * 2)
    allowed = 2 if len(squeezed) >= _LONG else 1
    found = process.extract(
        squeezed,
        _by_first_letter().get(squeezed[0], []),
        scorer=OSA.distance,
        score_cutoff=allowed,
        limit=2,
    )
    if not found:
        return None
    if len(found) > 1 and found[0][1] == found[1][1] and not _same(found):
        # Orders are full of numbers: "thre" is rather three than there.
        numerals = [one[0] for one in found if one[0] in lexicon().numerals]
        return (numerals[0],) if len(numerals) == 1 else None
    return (str(found[0][0]),)


def _same(found: Sequence[tuple[str, float, int]]) -> bool:
    """Singular and plural of one word are no question."""
    one, other = sorted((found[0][0], found[1][0]), key=len)
    return other in (one + "s", one + "es")


_JOINABLE = 2


def _apart(word: str) -> tuple[str, ...] | None:
    """ "turnleft" -> turn, left: the fewest known words that make it up."""
    known = lexicon().words
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 16), end):
            before, part = best[start], word[start:end]
            if before is None or (len(part) < _JOINABLE and part != "a") or part not in known:
                continue
            if best[end] is None or len(before) + 1 < len(best[end] or ()):
                best[end] = (*before, part)
    parts = best[-1]
    # Two-letter words make up too much by chance.
    if parts is None or len(parts) < 2 or sum(len(p) >= 4 for p in parts) < len(parts) / 2:
        return None
    return parts
