"""Numerals and amounts in digits and words, English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.robot.planners.parser.lexicon import atoms
from reflexarc.robot.planners.parser.numbers import number
from reflexarc.robot.planners.parser.quantities import quantities
from reflexarc.robot.planners.parser.text import normalise
from reflexarc.robot.planners.parser.tokens import tokenize

_DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")


def spelt_in_chinese(value: int) -> str:
    """1 to 9999 as a textbook writes it: 1040 is 一千零四十."""
    spelt = ""
    for place, char in enumerate(reversed(str(value))):
        digit = int(char)
        spelt = (_DIGITS[digit] + _UNITS[place] if digit else "零") + spelt
    while "零零" in spelt:
        spelt = spelt.replace("零零", "零")
    spelt = spelt.rstrip("零")
    return spelt[1:] if 10 <= value < 20 else spelt


def spelt_in_english(value: int) -> str:
    """1 to 9999."""
    ones = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    tens = [
        "zero",
        "ten",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
    ]
    if value < 20:
        return ones[value]
    if value < 100:
        return tens[value // 10] + (f" {ones[value % 10]}" if value % 10 else "")
    if value < 1000:
        rest = f" and {spelt_in_english(value % 100)}" if value % 100 else ""
        return f"{ones[value // 100]} hundred{rest}"
    rest = f" {spelt_in_english(value % 1000)}" if value % 1000 else ""
    return f"{spelt_in_english(value // 1000)} thousand{rest}"


def read(text: str) -> float:
    words = [word for word, _, _ in atoms(normalise(text).plain)]
    found = number(words, 0)
    assert found is not None, text
    value, used = found
    assert used == len(words), f"{text}: {words[used:]} left"
    return value


@given(st.integers(1, 9999))
def test_every_number_is_read_as_it_is_spelt(value: int) -> None:
    assert read(spelt_in_chinese(value)) == value
    assert read(spelt_in_english(value)) == value
    assert read(str(value)) == value


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("两米五", 2.5),
        ("一米二五", 1.25),
        ("1米5", 1.5),
        ("半米", 0.5),
        ("零点八米", 0.8),
        ("三公里", 3000),
        ("half a metre", 0.5),
        ("a meter and a half", 1.5),
        ("２ｍ", 2),
        ("two feet 6 inches", 0.762),
        ("a couple of meters", 2),
        ("1 1/2 m", 1.5),
        ("one hundred and twenty centimeters", 1.2),
        ("half a dozen inches", 0.1524),
        ("three quarters of a yard", 0.6858),
        ("1,000 m", 1000),
        ("two point five metres", 2.5),
    ],
)
def test_lengths(text: str, metres: float) -> None:
    (token,) = quantities(tokenize(normalise(text)))
    assert token.dimension == "length"
    assert token.value == pytest.approx(metres)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("一百二十度", 120),
        ("一百八度", 180),
        ("一圈半", 540),
        ("半圈", 180),
        ("四分之一圈", 90),
        ("three quarters of a turn", 270),
        ("a quarter turn", 90),
        ("two full circles", 720),
        ("90°", 90),
        ("thirty-five degrees", 35),
        ("a right angle", 90),
        ("half a turn", 180),
    ],
)
def test_angles(text: str, degrees: float) -> None:
    (token,) = quantities(tokenize(normalise(text)))
    assert token.dimension == "angle"
    assert token.value == pytest.approx(degrees)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("一分半钟", 90),
        ("两个半小时", 9000),
        ("五分三十秒", 330),
        ("半分钟", 30),
        ("一刻钟", 900),
        ("a minute and a half", 90),
        ("half a minute", 30),
        ("1 min 20 s", 80),
        ("a dozen seconds", 12),
    ],
)
def test_times(text: str, seconds: float) -> None:
    (token,) = quantities(tokenize(normalise(text)))
    assert token.dimension == "time"
    assert token.value == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["两三米", "2-3 meters", "a few meters", "几米", "2 or 3 m"])
def test_what_is_no_certain_amount_is_none(text: str) -> None:
    tokens = quantities(tokenize(normalise(text)))
    assert any("vague" in token.tags for token in tokens)
    assert not any(token.dimension == "length" for token in tokens)
