"""Cut a document into passages: what is found, and quoted, as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from reflexarc.robot.knowledge.documents import Block

Method = Literal["sentence", "fixed"]
SIZE = 800
OVERLAP = 60
"""Characters; of `fixed` only: sentences are not cut."""

# The end of a sentence, English or Chinese, with what closes behind it.
_SENTENCE_END = re.compile(
    r"""(?<=[.!?])["')\]]*\s+(?=["'(\[]?[A-Z0-9\u4e00-\u9fff`])|(?<=[。！？；…])[”’」』）]*"""
)


@dataclass(frozen=True)
class Passage:
    """A quotable piece of a document.

    Attributes:
        text: of one section only.
        line: where it begins, from 1; in a PDF the page.
        heading: the headings above it.
    """

    text: str
    line: int
    heading: str = ""


def passages(
    blocks: Iterable[Block],
    method: Method = "sentence",
    *,
    size: int = SIZE,
    overlap: int = OVERLAP,
) -> list[Passage]:
    """Passages of a document.

    Args:
        blocks: of one document, in order.
        method: "sentence" packs whole sentences, up to `size` characters where they
            are not longer; rows and code stand alone. "fixed" takes `size` characters,
            each passage beginning `overlap` before the end of the one before.
        size, overlap: characters; 0 <= overlap < size.

    Raises:
        ValueError: sizes that cannot be.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"0 <= overlap < size, not overlap={overlap} and size={size}")
    cut = _by_sentence(blocks, size) if method == "sentence" else _fixed(blocks, size, overlap)
    return [passage for passage in cut if passage.text]


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, English or Chinese."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    cuts = zip([0, *ends], [*ends, len(text)], strict=True)
    return [sentence for a, b in cuts if (sentence := text[a:b].strip())]


def _by_sentence(blocks: Iterable[Block], size: int) -> Iterator[Passage]:
    packed = Passage("", 0)
    for block in blocks:
        if not (packed.heading == block.heading and _leads(packed)):
            yield packed
            packed = Passage("", block.line, block.heading)
        for sentence in (block.text,) if block.whole else sentences(block.text):
            for piece in _pieces(sentence, 2 * size):
                if packed.text and len(packed.text) + len(piece) >= size:
                    yield packed
                    packed = Passage("", block.line, block.heading)
                joined = f"{packed.text} {piece}".strip()
                packed = Passage(joined, packed.line, packed.heading)
    yield packed


def _leads(passage: Passage) -> bool:
    """Does it belong to what follows: "Do it like this:", or a title where nothing marks titles?"""
    if passage.text.endswith((":", "：")):
        return True
    title = len(passage.text) < 60 and not passage.text.endswith(tuple(".!?。！？;；"))
    return bool(passage.text) and not passage.heading and title


def _pieces(text: str, size: int) -> Iterator[str]:
    """What is too long to be quoted, cut at a blank where there is one."""
    while len(text) > size:
        cut = text.rfind(" ", size // 2, size)
        cut = size if cut < 0 else cut
        yield text[:cut].strip()
        text = text[cut:].strip()
    yield text


def _fixed(blocks: Iterable[Block], size: int, overlap: int) -> Iterator[Passage]:
    for section in _sections(blocks):
        starts: list[tuple[int, int]] = []  # (place in the text, line)
        text = ""
        for block in section:
            starts.append((len(text), block.line))
            text += block.text + "\n"
        begin = 0
        while begin < len(text.rstrip()):
            line = next(line for place, line in reversed(starts) if place <= begin)
            yield Passage(text[begin : begin + size].strip(), line, section[0].heading)
            if begin + size >= len(text.rstrip()):
                break
            begin += size - overlap


def _sections(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    section: list[Block] = []
    for block in blocks:
        if section and block.heading != section[0].heading:
            yield section
            section = []
        section.append(block)
    if section:
        yield section
