"""From plain text to tokens: known phrases, numbers, quotations, and what is unknown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reflexarc.robot.planners.parser.lexicon import atoms, lexicon
from reflexarc.robot.planners.parser.numbers import number
from reflexarc.robot.planners.parser.spelling import corrected, known_verb, stem
from reflexarc.robot.planners.parser.text import Text

NOTHING: frozenset[str] = frozenset()
PREFIXES = ("向", "往", "朝", "从")
"""A Chinese phrase of direction that begins so belongs to the verb after it."""


@dataclass(frozen=True)
class Token:
    """A piece of a sentence.

    Attributes:
        start, end: its place in the plain text.
        tags: what it contributes; empty for what is unknown.
        value, dimension: of an amount; a bare number has no dimension. Metres, degrees,
            seconds, times.
        unit: of a measure that no number has been found for yet.
        quoted: it is a text to be taken verbatim.
        guessed: its spelling was mended.
    """

    text: str
    start: int
    end: int
    tags: frozenset[str] = NOTHING
    value: float | None = None
    dimension: str = ""
    unit: tuple[str, float] | None = None
    quoted: bool = False
    guessed: bool = False

    @property
    def unknown(self) -> bool:
        """Nothing is known about it."""
        return not self.tags and self.value is None and not self.quoted and self.unit is None


def tokenize(text: Text) -> list[Token]:
    """All tokens of a text, amounts not yet put together (see `quantities`)."""
    tokens: list[Token] = []
    position = 0
    for start, end in text.quotes:
        tokens += _words(text.plain, position, start - 1)
        tokens.append(Token(text.plain[start:end], start, end, quoted=True))
        position = end + 1
    return tokens + _words(text.plain, position, len(text.plain))


def _words(plain: str, begin: int, finish: int) -> list[Token]:
    found = [(word, begin + a, begin + b) for word, a, b in atoms(plain[begin:finish])]
    pieces: list[tuple[str, int, int, bool]] = []
    for word, start, end in found:
        mended = corrected(word)
        if mended is None:
            pieces.append((word, start, end, False))
            continue
        for part in mended:
            pieces.append((part, start, end, True))
    words = [piece[0] for piece in pieces]
    tokens: list[Token] = []
    index = 0
    while index < len(words):
        token, used = _token(words, index, pieces)
        tokens.append(token)
        index += used
    return _joined_unknown(tokens)


def _token(
    words: list[str], index: int, pieces: Sequence[tuple[str, int, int, bool]]
) -> tuple[Token, int]:
    phrase = lexicon().longest(words, index)
    amount = number(words, index)
    length = phrase[0] if phrase else 0
    used = amount[1] if amount else 0
    take = max(length, used, 1)
    place = {
        "text": _spelt(words[index : index + take]),
        "start": pieces[index][1],
        "end": pieces[index + take - 1][2],
        "guessed": any(piece[3] for piece in pieces[index : index + take]),
    }
    if amount and used >= length:
        # A phrase that is as long stays known: "one" may be "that one", "一" may be "as soon as".
        tags = phrase[1].tags if phrase and used == length else NOTHING
        return Token(**place, tags=tags, value=amount[0]), take  # type: ignore[arg-type]
    if phrase:
        return Token(**place, tags=phrase[1].tags, unit=phrase[1].unit), take  # type: ignore[arg-type]
    if not any(char.isalnum() for char in words[index]) and _silent(words[index]):
        return Token(**place, tags=frozenset({"filler"})), 1  # type: ignore[arg-type]
    form = stem(words[index], lexicon().singles) if words[index].isascii() else ""
    if form:  # known as a part of phrases only
        return _token([*words[:index], form, *words[index + 1 :]], index, pieces)
    if words[index].endswith("ed") and known_verb(words[index]):
        # What was done is told, not ordered.
        return Token(**place, tags=frozenset({"unreal"})), 1  # type: ignore[arg-type]
    return Token(**place), 1  # type: ignore[arg-type]


def _spelt(words: Sequence[str]) -> str:
    return (" " if words[0].isascii() else "").join(words)


def _silent(word: str) -> bool:
    return all(unicodedata.category(char)[0] in "SPMZC" for char in word)


def _joined_unknown(tokens: list[Token]) -> list[Token]:
    """Neighbouring unknown Chinese characters are one unknown word."""
    joined: list[Token] = []
    for token in tokens:
        last = joined[-1] if joined else None
        if (
            last is not None
            and token.unknown
            and last.unknown
            and last.end == token.start
            and not token.text.isascii()
        ):
            joined[-1] = replace(last, text=last.text + token.text, end=token.end)
        else:
            joined.append(token)
    return joined
