"""Numbers and units become amounts: "2 feet 6 inches", "a minute and a half", "两米五"."""

from __future__ import annotations

from dataclasses import replace

from reflexarc.robot.planners.parser.lexicon import read_table
from reflexarc.robot.planners.parser.tokens import NOTHING, Token

_BETWEEN = frozenset(
    {"a", "an", "of", "of a", "个", "full", "whole", "more", "-", "complete", "of an"}
)
_RANGE = frozenset({"to", "or", "-", "~", "到", "至", "或", "或者", "and"})
_TIMES = read_table("numbers")["en"]["times"]
_SINGULAR = frozenset({"turn", "spin", "rotation", "circle", "revolution"})
""" "A turn" says nothing of its size; "half a turn" and "one turn" do, "3 turn" does not."""
_SIGNS = frozenset({"-", "+"})
_LATER = frozenset({"后", "之后", "以后", "过后", "later"})
_IN = frozenset({"in", "after", "过", "再过", "隔", "过了", "等过"})
_DELAY = frozenset({"delay"})
"""Something is to be done that much later."""
_ZH_HALF = "半"
_SMALLER = 0.1
""" "两米五": what follows a Chinese unit bare are tenths of it."""


def quantities(tokens: list[Token]) -> list[Token]:
    """Put amounts together; everything else stays as it is."""
    done: list[Token] = []
    index = 0
    while index < len(tokens):
        token, used = _amount(tokens, index)
        if used > 1 and token.dimension and done and _continues(done, token):
            before = done.pop()
            while not before.dimension:  # the "and" between two amounts
                before = done.pop()
            token = replace(
                before,
                value=(before.value or 0) + (token.value or 0),
                end=token.end,
                text=f"{before.text} {token.text}",
            )
        done.append(token)
        index += used
    return [_settled(token) for token in done]


def _settled(token: Token) -> Token:
    """A unit without a number is a word like others."""
    if token.unit is None:
        return token
    return replace(token, unit=None, tags=token.tags or frozenset({"unit"}))


def _amount(tokens: list[Token], index: int) -> tuple[Token, int]:
    token = tokens[index]
    if token.text in _TIMES and not token.quoted:
        if token.text == "once" and not _ends(tokens, index + 1):
            return token, 1
        return replace(token, tags=NOTHING, value=float(_TIMES[token.text]), dimension="times"), 1
    if token.unit and token.unit[0] == "times" and token.text in ("x", "×", "*"):
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        if after is not None and after.value is not None:
            return replace(after, tags=NOTHING, dimension="times", start=token.start), 2
    if token.text in _SIGNS and index + 1 < len(tokens) and tokens[index + 1].text in _SIGNS:
        return replace(token, tags=frozenset({"minus"})), 1  # "- - 2": which is it?
    sign, at = 1.0, index
    if "minus" in token.tags or (token.text == "-" and _begins_negative(tokens, index)):
        sign, at = -1.0, index + 1
        if at >= len(tokens) or tokens[at].value is None:
            return (
                token if "minus" in token.tags else replace(token, tags=frozenset({"comma"}))
            ), 1
    value: float | None
    if tokens[at].value is not None:
        value, end = sign * (tokens[at].value or 0.0), at + 1
    elif tokens[at].text in ("a", "an", "another", "the", "每", "个", "整") and at + 1 < len(
        tokens
    ):
        unit = tokens[at + 1].unit
        if unit is None or tokens[at + 1].text in _SINGULAR or tokens[at].text in ("the", "每"):
            return token, 1
        value, end = 1.0, at + 1
    else:
        return token, 1
    ranged = _range(tokens, end)
    if ranged:
        return replace(token, tags=frozenset({"vague"}), value=None, end=tokens[ranged - 1].end), (
            ranged - index
        )
    return _with_unit(tokens, index, end, value)


def _begins_negative(tokens: list[Token], index: int) -> bool:
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    before = tokens[index - 1] if index else None
    return (
        after is not None
        and after.value is not None
        and after.start == tokens[index].end
        and (before is None or before.end < tokens[index].start)
    )


def _range(tokens: list[Token], end: int) -> int:
    """ "2 to 3 meters", "2-3 米": where such a range ends, or 0."""
    if end + 1 < len(tokens) and tokens[end].text in _RANGE and tokens[end + 1].value is not None:
        unit = tokens[end + 2].unit if end + 2 < len(tokens) else None
        if tokens[end].text == "and" and not unit:
            return 0
        return end + 3 if unit else 0
    return 0


def _with_unit(tokens: list[Token], index: int, end: int, value: float) -> tuple[Token, int]:
    first = tokens[index]
    half_before = False
    at = end
    if at < len(tokens) and tokens[at].text == "个" and _text(tokens, at + 1) == _ZH_HALF:
        value, at, half_before = value + 0.5, at + 2, True  # 两个半小时
    while at < len(tokens) and tokens[at].text in _BETWEEN and tokens[at].unit is None:
        at += 1
    unit = tokens[at].unit if at < len(tokens) else None
    if unit is not None and tokens[at].text in _SINGULAR and abs(value) > 1:
        unit = None
    if unit is None or (tokens[at].text == "x" and at != end):
        whole = replace(
            first,
            value=value,
            dimension="",
            end=tokens[end - 1].end,
            unit=None,
            text="".join(t.text for t in tokens[index:end]),
        )
        return whole, end - index
    dimension, size = unit
    amount = value * size
    at += 1
    # What follows the unit and still belongs to it.
    if not half_before and _text(tokens, at) == _ZH_HALF and tokens[at].value == 0.5:
        if _unit_of(tokens, at + 1) is None or _text(tokens, at + 1) == "钟":
            amount, at = amount + 0.5 * size, at + 1  # 一圈半, 一分半钟
            at += _text(tokens, at) == "钟"
    elif _text(tokens, at) == "and" and _text(tokens, at + 1) in ("a half", "half"):
        amount, at = amount + 0.5 * size, at + 2  # a minute and a half
    elif _text(tokens, at) == "and" and _text(tokens, at + 1) in ("a quarter",):
        amount, at = amount + 0.25 * size, at + 2
    elif dimension == "length" and at < len(tokens) and _bare_tenths(tokens, at):
        digits = tokens[at].value or 0.0
        amount += digits * size * (_SMALLER if digits < 10 else _SMALLER**2)
        at += 1
    elif dimension == "time" and size == 60 and not tokens[at - 1].text.isascii():
        seconds = tokens[at].value if at < len(tokens) else None
        if seconds and _unit_of(tokens, at + 1) is None and not tokens[at].dimension:
            amount, at = amount + seconds, at + 1  # 两分三十
    if dimension == "other":
        return replace(first, tags=frozenset({"vague"}), value=None, end=tokens[at - 1].end), (
            at - index
        )
    text = " ".join(t.text for t in tokens[index:at])
    tags = NOTHING
    if dimension == "time" and _text(tokens, at) in _LATER:
        at, tags = at + 1, _DELAY  # "三秒后"
    elif dimension == "time" and index and tokens[index - 1].text in _IN:
        tags = _DELAY  # "in three seconds"
    made = Token(
        text, first.start, tokens[at - 1].end, tags=tags, value=amount, dimension=dimension
    )
    return made, at - index


def _bare_tenths(tokens: list[Token], at: int) -> bool:
    """ "两米五", "1米5", "one meter fifty": digits right after a unit, without one of their own."""
    token = tokens[at]
    if token.value is None or not 1 <= token.value < 100 or token.value != int(token.value):
        return False
    if _unit_of(tokens, at + 1) is not None or "times" in token.tags:
        return False
    chinese = not tokens[at - 1].text.isascii()
    if chinese:
        return token.start == tokens[at - 1].end
    return token.value >= 10 and tokens[at - 1].text in ("m", "meter", "metre", "meters", "metres")


def _unit_of(tokens: list[Token], index: int) -> tuple[str, float] | None:
    while index < len(tokens) and tokens[index].text in ("个", "a", "of"):
        index += 1
    return tokens[index].unit if index < len(tokens) else None


def _text(tokens: list[Token], index: int) -> str:
    return tokens[index].text if index < len(tokens) else ""


def _ends(tokens: list[Token], index: int) -> bool:
    if index >= len(tokens):
        return True
    return bool(
        tokens[index].tags & {"and", "then", "comma", "period", "asks", "filler"}
    ) and tokens[index].text not in ("you", "i", "you're", "the", "a")


def _continues(done: list[Token], token: Token) -> bool:
    """Whether an amount goes on with a smaller unit: "2 feet 6 inches", "1 min and 20 s"."""
    before = done[-1]
    if before.text == "and" and len(done) > 1:
        before = done[-2]
    return (
        before.dimension == token.dimension
        and token.dimension in ("length", "time")
        and token.value is not None
        and before.value is not None
        and 0 < token.value < before.value
        and _finer(before.text, token.text)
    )


def _finer(before: str, after: str) -> bool:
    sizes: dict[str, float] = {
        str(phrase): float(size)
        for table in (read_table("units")["length"], read_table("units")["time"])
        for size, phrases in table.items()
        for phrase in phrases
    }

    def size_of(text: str) -> float:
        return next((sizes[p] for p in reversed(text.split()) if p in sizes), 0.0)

    return 0 < size_of(after) < size_of(before)
