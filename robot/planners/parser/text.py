"""A sentence in the plain form that is understood, and the way back to the original.

Every plain character remembers where it came from, so that what is to be said aloud
can be taken from the user's own words.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

from reflexarc.robot.planners.parser.lexicon import read_table

_QUOTES = {'"': '"', "“": "”", "”": "”", "「": "」", "『": "』", "‘": "’", "«": "»", "《": "》"}
_APOSTROPHES = dict.fromkeys("’‘`´ʼ", "'")
_MINUS = dict.fromkeys("−–—‒﹣", "-")


@dataclass(frozen=True)
class Text:
    """Plain text and its origin.

    Attributes:
        original: as the user gave it.
        plain: casefolded, full-width made narrow, traditional made simplified, without
            invisible characters.
        origin: for each plain character the index of its original.
        quotes: (start, end) of what stands between quotation marks, in `plain`,
            the marks not included.
    """

    original: str
    plain: str
    origin: tuple[int, ...]
    quotes: tuple[tuple[int, int], ...]

    def verbatim(self, start: int, end: int) -> str:
        """The user's own characters for plain[start:end], without invisible ones."""
        if start >= end:
            return ""
        part = self.original[self.origin[start] : self.origin[end - 1] + 1]
        kept = "".join(
            " " if char.isspace() else char
            for char in part
            if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        )
        return " ".join(kept.split())


@cache
def _simplified() -> dict[str, str]:
    pairs = str(read_table("traditional")["pairs"]).split()
    return {pair[0]: pair[1] for pair in pairs if pair[0] != pair[1]}


def normalise(original: str) -> Text:
    """Bring a sentence into its plain form. Any text, any length; never raises."""
    simplified = _simplified()
    plain: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(original):
        category = unicodedata.category(char)
        if category in ("Cf", "Cs", "Co", "Cn", "Mn", "Me"):
            continue
        if category == "Cc" or char.isspace():
            folded = "\n" if char in "\n\r" else " "
        elif char in _QUOTES or char in _QUOTES.values():
            folded = _APOSTROPHES.get(char, char)
        else:
            narrow = _APOSTROPHES.get(char) or _MINUS.get(char) or char
            # NFKC of one character may be several ("½" becomes 1⁄2, "㎝" cm).
            folded = unicodedata.normalize("NFKC", narrow).casefold().replace("⁄", "/")
            if narrow in "½¼¾⅓⅔⅛":
                folded = f" {folded}"
        for one in folded:
            if category[0] == "L" and unicodedata.combining(one):
                continue
            plain.append(simplified.get(one, one))
            origin.append(index)
    text = "".join(plain)
    return Text(original, text, tuple(origin), tuple(_quotes(text, original, origin)))


def _quotes(plain: str, original: str, origin: list[int]) -> list[tuple[int, int]]:
    found = []
    index = 0
    while index < len(plain):
        char = original[origin[index]]
        if char == "'" and (index == 0 or plain[index - 1] in " :,"):
            # A single straight mark opens a quotation only where it is closed before a space.
            end = next(
                (
                    i
                    for i in range(index + 2, len(plain))
                    if plain[i] == "'" and (i + 1 == len(plain) or not plain[i + 1].isalnum())
                ),
                -1,
            )
        else:
            closing = _QUOTES.get(char)
            end = -1
            # 5" is a length: a mark right after a digit opens nothing.
            if closing and not (char == '"' and index and plain[index - 1].isdigit()):
                end = next(
                    (i for i in range(index + 1, len(plain)) if original[origin[i]] == closing), -1
                )
        if end > index + 1:
            found.append((index + 1, end))
            index = end
        index += 1
    return found
