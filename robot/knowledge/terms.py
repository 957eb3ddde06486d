"""The words of a text that carry meaning, for matching beside whole sentences.

English words lose their case and what grammar alone needs; Chinese, which has no blanks,
becomes runs of two to four characters, of which the embedding tells later which are words.
"""

from __future__ import annotations

import re
from importlib.resources import files

import yaml

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+\d*|\d+")


def _stop_words() -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    text = files("reflexarc.robot.knowledge").joinpath("stopwords.yaml").read_text("utf-8")
    table = yaml.safe_load(text)
    phrases = sorted(table["zh"].split(), key=len, reverse=True)
    return frozenset(table["en"].split()), frozenset(table["zh_single"]), tuple(phrases)


_EN, _ZH_SINGLE, _ZH = _stop_words()


def words(text: str) -> list[str]:
    """Words of alphabetic scripts and numbers, in lower case; "MAX_SPEED" is two."""
    found = _WORD.findall(_CAMEL.sub(" ", text))
    lower = (word.lower() for word in found)
    return [word for word in lower if len(word) > 1 and word not in _EN]


def grams(text: str, longest: int) -> list[tuple[str, int]]:
    """Runs of 2 to `longest` Chinese characters, and where each begins in the text."""
    return [
        (run[i : i + n], match.start() + i)
        for match in _HAN.finditer(_without_phrases(text))
        for run in (match.group(),)
        for n in range(longest, 1, -1)
        for i in range(len(run) - n + 1)
        if run[i] not in _ZH_SINGLE and run[i + n - 1] not in _ZH_SINGLE
    ]


def content(text: str) -> str:
    """A text of the same length with only the Chinese characters that are not grammar."""
    return "".join(
        char if _HAN.match(char) and char not in _ZH_SINGLE else " "
        for char in _without_phrases(text)
    )


def _without_phrases(text: str) -> str:
    for phrase in _ZH:
        text = text.replace(phrase, " " * len(phrase))
    return text


def index_terms(text: str) -> list[str]:
    """What a passage is indexed by, each as often as it is there."""
    return words(text) + [gram for gram, _ in grams(text, 2)]
