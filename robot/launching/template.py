"""`text $(name argument 'quoted $(nested)') text`: the grammar of substitutions.

The grammar is that of ROS 2's launch/frontend/grammar.lark: one space between arguments,
quotes around arguments with spaces, a backslash before what should stand for itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reflexarc.robot.launching.errors import LaunchError, Where

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DEEPEST = 20


@dataclass(frozen=True)
class Substitution:
    """`$(name argument ...)`."""

    name: str
    arguments: tuple[Template, ...]


Template = tuple[str | Substitution, ...]
"""Pieces that are joined once the substitutions among them are known."""


def parse_template(text: str, where: Where) -> Template:
    """Split a text into plain pieces and substitutions.

    Raises:
        LaunchError: a substitution that is not closed or not well written.
    """
    return _Parser(text, where).template()


def unescape(text: str) -> str:
    r"""`\$` stands for `$`, and so on."""
    return _ESCAPED.sub(r"\1", text)


class _Parser:
    def __init__(self, text: str, where: Where) -> None:
        self.text = text
        self.where = where
        self.at = 0
        self.depth = 0

    def template(self, closing: str = "") -> Template:
        """Up to the end of the text, or to an unescaped `closing` quote."""
        pieces: list[str | Substitution] = []
        start = self.at
        while self.at < len(self.text):
            here = self.text[self.at]
            if here == "\\" and self.at + 1 < len(self.text):
                self.at += 2
                continue
            if here == closing:
                break
            if self.text.startswith("$(", self.at):
                if start < self.at:
                    pieces.append(unescape(self.text[start : self.at]))
                pieces.append(self.substitution())
                start = self.at
                continue
            self.at += 1
        if start < self.at:
            pieces.append(unescape(self.text[start : self.at]))
        return tuple(pieces)

    def substitution(self) -> Substitution:
        begin = self.at
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("substitutions less deep in each other", begin)
        self.at += len("$(")
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise self.error("a name after $(", begin)
        self.at = match.end()
        arguments = []
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1
            arguments.append(self.argument(begin))
        if self.at >= len(self.text):
            raise self.error("a closing ) after $(", begin)
        if self.text[self.at] != ")":
            raise self.error("a space or ) there", begin)
        self.at += 1
        self.depth -= 1
        return Substitution(match.group(), tuple(arguments))

    def argument(self, begin: int) -> Template:
        quote = self.text[self.at : self.at + 1]
        if quote and quote in "'\"":
            self.at += 1
            inside = self.template(quote)
            if self.at >= len(self.text):
                raise self.error(f"a closing {quote}", begin)
            self.at += 1
            return inside
        pieces: list[str | Substitution] = []
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in " ()'\"":
            if self.text[self.at] == "\\" and self.at + 1 < len(self.text):
                self.at += 2
                continue
            if self.text.startswith("$(", self.at):
                if start < self.at:
                    pieces.append(unescape(self.text[start : self.at]))
                pieces.append(self.substitution())
                start = self.at
                continue
            self.at += 1
        if start < self.at:
            pieces.append(unescape(self.text[start : self.at]))
        if not pieces:
            raise self.error("an argument after one space", begin)
        return tuple(pieces)

    def error(self, expected: str, begin: int) -> LaunchError:
        return LaunchError(
            expected=expected,
            found=repr(self.text[begin : begin + 60]),
            remedy="write $(name), or $(name argument 'an argument with spaces')",
            where=self.where,
        )
