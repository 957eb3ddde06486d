"""Chinese particles whose meaning goes by their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reflexarc.robot.planners.parser.clauses import is_head
from reflexarc.robot.planners.parser.tokens import Token

_ASKING = ("没", "没有", "不", "否", "没啊", "么")
_BEHIND = "后"
_DONE = "了"


def settled(tokens: Sequence[Token]) -> list[Token]:
    """Give particles the tags of their place.

    A negation at the end of a sentence asks ("屋里有人没"); "后" before an action is "then"
    ("前进一米后左转"), elsewhere "back".
    """
    done = list(tokens)
    for index, token in enumerate(done):
        rest = done[index + 1 :]
        ends = all(t.tags & {"period", "asks"} or t.tags == {"filler"} for t in rest)
        if index and ends and token.text in _ASKING:
            done[index] = replace(token, tags=frozenset({"question"}))
        elif index and token.text in ("那个", "这个") and ends:
            done[index] = replace(token, tags=frozenset({"that"}))
        elif token.text == _DONE and _tells(done[:index], rest):
            done[index] = replace(token, tags=frozenset({"inquiry"}))  # "前进了一米" tells
        elif index and token.text == _BEHIND and rest and _acts(rest[0]):
            done[index] = replace(token, tags=frozenset({"then"}))
    return done


def _tells(before: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "前进了一米": between an action and its amount, 了 tells what was done."""
    return bool(before) and bool(rest) and bool(rest[0].dimension) and is_head(before[-1])


def _acts(token: Token) -> bool:
    return is_head(token) or token.text.startswith(("往", "向", "朝", "把", "再", "就"))
