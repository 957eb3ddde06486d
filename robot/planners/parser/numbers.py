"""Numbers in digits and words, English and Chinese."""

from __future__ import annotations

import math
import re
from functools import cache

from reflexarc.robot.planners.parser.lexicon import read_table

Found = tuple[float, int]
"""A value, and how many words it took."""

_LONGEST = 18
"""Chinese numerals of more characters are beyond everything."""

_DIGITS = re.compile(r"\d*\.?\d+(?:e[+-]?\d+)?")


@cache
def _tables() -> tuple[dict[str, float], dict[str, float], dict[str, float], dict[str, float]]:
    en = read_table("numbers")["en"]
    return en["ones"], en["tens"], en["powers"], en["fractions"]


def number(words: list[str], start: int) -> Found | None:
    """The number that begins at words[start], if one does. "1e309" is infinite."""
    return _english(words, start) or _chinese(words, start)


def _at(words: list[str], index: int) -> str:
    return words[index] if index < len(words) else ""


def _digits(words: list[str], start: int) -> Found | None:
    if not _DIGITS.fullmatch(words[start]):
        return None
    value, used = float(words[start]), 1
    # 1,000 (but not "1, 200"): the caller's words carry no spaces, so three digits must follow.
    while _at(words, start + used) == "," and re.fullmatch(r"\d{3}", _at(words, start + used + 1)):
        value, used = value * 1000 + float(words[start + used + 1]), used + 2
    if _at(words, start + used) == "/" and _DIGITS.fullmatch(_at(words, start + used + 1)):
        below = float(words[start + used + 1])
        return (value / below, used + 2) if below else None
    third = _at(words, start + used + 2)
    if _at(words, start + used + 1) == "/" and _DIGITS.fullmatch(third) and float(third):
        above = _at(words, start + used)
        if _DIGITS.fullmatch(above):  # 1 1/2
            return value + float(above) / float(third), used + 3
    return value, used


def _english(words: list[str], start: int) -> Found | None:
    ones, tens, powers, fractions = _tables()
    index = start
    if words[index] in ("a", "an", "the") and _at(words, index + 1) in fractions:
        index += 1
    if words[index] in fractions and words[index] not in ("second", "fourth", "fifth", "tenth"):
        value = fractions[words[index]]
        index += 1
        return _fraction_tail(words, index, value, start)
    total = part = 0.0
    seen = ""
    while index < len(words):
        word = words[index]
        if word == "-" and seen == "tens" and _at(words, index + 1) in ones:
            index += 1
            continue
        digits = _digits(words, index) if not seen else None
        if digits:
            part, seen, index = digits[0], "digits", index + digits[1]
        elif word in tens and seen in ("", "power"):
            part, seen, index = part + tens[word], "tens", index + 1
        elif word in ones and seen in ("", "tens", "power") and _is_one(words, index, seen):
            part, index = part + ones[word], index + 1
            seen = "ones" if word not in ("a", "an") else "a"
        elif word == "dozen" and seen:
            part, seen, index = part * 12, "ones", index + 1
        elif word in powers and seen:
            scale = powers[word]
            if scale == 100:
                part *= scale
            else:
                total, part = (total + part) * scale, 0.0
            seen, index = "power", index + 1
        elif (
            word == "and"
            and seen == "power"
            and (_at(words, index + 1) in ones or _at(words, index + 1) in tens)
            and _at(words, index + 1) not in ("a", "an", "to", "too", "for")
        ):
            index += 1
        else:
            break
    if not seen:
        return None
    value = total + part
    if _at(words, index) in ("point", "dot") and index > start:
        decimals, used = _decimals(words, index + 1)
        if used and math.isfinite(value):
            value, index = float(f"{int(value)}.{decimals}"), index + 1 + used
    return _fraction_tail(words, index, value, start)


def _is_one(words: list[str], index: int, seen: str) -> bool:
    word = words[index]
    if word in ("a", "an"):
        # "a hundred", "a couple", "a dozen", "a half"; "a meter" is settled by `quantities`.
        return not seen and _at(words, index + 1) in (
            "hundred",
            "thousand",
            "million",
            "billion",
            "couple",
            "dozen",
            "pair",
            "single",
        )
    if word in ("to", "too", "for"):
        return False
    return not (word == "couple" and seen == "tens")


def _decimals(words: list[str], start: int) -> tuple[str, int]:
    ones = _tables()[0]
    text, used = "", 0
    while True:
        word = _at(words, start + used)
        if word.isdigit() and word.isascii():
            text += word
        elif word in ones and ones[word] < 10 and word not in ("a", "an", "to", "too", "for"):
            text += str(int(ones[word]))
        elif word in _tables()[1] and not text:
            text += str(int(_tables()[1][word]))
        else:
            return text, used
        used += 1


def _fraction_tail(words: list[str], index: int, value: float, start: int) -> Found:
    """ "three quarters", "one and a half", "half a dozen", "two and three quarters"."""
    ones, _, powers, fractions = _tables()
    word = _at(words, index)
    if word == "couple":
        value, index = 2.0, index + 1
    if words[index - 1] == "couple" and _at(words, index) == "of":
        index += 1
    if words[index - 1] in fractions:
        if _at(words, index) in ("a", "an") and _at(words, index + 1) in (*powers, "dozen"):
            scale = powers.get(words[index + 1], ones.get(words[index + 1], 1))
            return value * scale, index + 2 - start
    elif word in fractions and word not in ("second",) and (word != "half" or value == 1):
        return value * fractions[word], index + 1 - start
    elif word == "and":
        if _at(words, index + 1) in ("a", "an", "one") and _at(words, index + 2) in fractions:
            return value + fractions[words[index + 2]], index + 3 - start
        above = ones.get(_at(words, index + 1))
        if above and _at(words, index + 2) in fractions and above > 1:
            return value + above * fractions[words[index + 2]], index + 3 - start
    return value, index - start


@cache
def _zh() -> tuple[dict[str, int], dict[str, int], str, str]:
    zh = read_table("numbers")["zh"]
    return zh["digits"], zh["powers"], zh["half"], zh["dozen"]


def _chinese(words: list[str], start: int) -> Found | None:
    digits, powers, half, dozen = _zh()
    if words[start] == half:
        if _at(words, start + 1) == dozen:
            return 6.0, 2
        return 0.5, 1
    end = start
    while end < len(words) and (words[end] in digits or words[end] in powers):
        end += 1
    if end == start or words[start] in ("百", "千", "万", "亿"):
        return None
    if end - start > _LONGEST:
        return math.inf, end - start
    value = _chinese_integer(words[start:end])
    if value is None:
        return None
    if _at(words, end) in ("点", ".") and _at(words, end + 1) in digits:
        after = end + 1
        text = ""
        while after < len(words) and words[after] in digits:
            text, after = text + str(digits[words[after]]), after + 1
        return float(f"{value}.{text}"), after - start
    if words[end - 1] in powers and _at(words, end) == half and powers[words[end - 1]] > 10:
        return value + powers[words[end - 1]] / 2, end + 1 - start  # 一百半 is rare, 一万半 too
    if _at(words, end) == dozen and value:
        return value * 12.0, end + 1 - start
    if "".join(words[end : end + 2]) == "分之":
        above = _chinese(words, end + 2) if end + 2 < len(words) else None
        if value and above:
            return above[0] / value, end + 2 + above[1] - start
    return float(value), end - start


def _chinese_integer(chars: list[str]) -> int | None:
    """By position ("一百二十"), digit by digit ("一八零"), or shortened ("一百八" is 180)."""
    digits, powers, _, _ = _zh()
    if all(char in digits for char in chars):
        values = [digits[char] for char in chars]
        if len(values) == 1:
            return values[0]
        # "两三米" is two or three; "一二零" is 120.
        if len(values) == 2 and values[1] - values[0] == 1:
            return None
        return int("".join(map(str, values)))
    total = section = 0
    digit: int | None = None
    last = 1
    for char in chars:
        if char in digits:
            if digit not in (None, 0):
                return None
            digit = digits[char]
        else:
            power = powers[char]
            if power >= 10000:
                total = (total + section + (digit or 0)) * power
                section = 0
            else:
                section += (1 if digit is None else digit) * power
            digit, last = None, power
    rest = digit or 0
    if digit and last > 10 and chars[-2] in powers:
        rest = digit * last // 10
    return total + section + rest
