"""Which event a condition means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reflexarc.robot.planners.parser.problems import problem
from reflexarc.robot.planners.parser.tokens import Token


@dataclass(frozen=True)
class Event:
    """An event of `reflexarc.robot.actions.When`, and how sure that it is meant (0..1)."""

    name: str
    value: int | None = None
    confidence: float = 0.97


_SURE, _STEP = 0.97, 0.2
"""Confidence in a known event, and what each word that was passed over takes of it."""

# The first row whose tags are all there, and none of the last, is the event.
_ROWS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = tuple(
    (name, frozenset(wanted.split()), frozenset(unwanted.split()))
    for name, wanted, unwanted in (
        ("battery_low", "battery low", "not"),
        ("mask_missing", "no_mask", "nobody"),
        ("mask_missing", "mask not", "nobody no_mask"),
        ("mask_missing", "mask gone", ""),
        ("mask_missing", "mask off", ""),
        ("mask_missing", "wear not", "digit"),
        ("mask_present", "mask", "not nobody gone"),
        ("sit_up", "situp", "not gone nobody"),
        ("obstacle", "obstacle", "not gone nobody disable"),
        ("person_gone", "nobody", "mask no_mask"),
        ("person_gone", "person gone", ""),
        ("person_gone", "person not", ""),
        ("person_gone", "face gone", ""),
        ("person_gone", "face not", ""),
        ("person_gone", "me gone", ""),
        ("person_gone", "self gone", ""),
        ("person_gone", "me not see", ""),
        ("person_gone", "person leave", ""),
        ("person_gone", "me leave", ""),
        ("person_seen", "who see", "not gone cannot digit"),
        ("person_seen", "who appear", "not gone cannot digit"),
        ("person_seen", "person", "not gone cannot digit"),
        ("person_seen", "face see", "not gone cannot digit"),
        ("person_seen", "face appear", "not gone cannot digit"),
        ("person_seen", "self appear", "not gone cannot digit"),
        ("person_seen", "me see", "not gone cannot digit that"),
        ("person_seen", "me appear", "not gone cannot digit that"),
    )
)
DOUBTFUL = frozenset(
    {
        "except",
        "unreal",
        "harm",
        "shell",
        "inject",
        "safety",
        "together",
        "until",
        "cannot",
        "exercise",
    }
)


_TRUSTED = frozenset({"obstacle", "no_mask", "mask", "see", "appear", "gone", "low"})
"""Senses of words that are more likely in a condition than the doubtful ones."""


def event_of(tokens: Sequence[Token]) -> Event | None:
    """The event that a condition names, None if it names none.

    Raises:
        Problem: a digit that no net reads.
    """
    tags = frozenset().union(*(token.tags for token in tokens))
    if any(token.quoted for token in tokens) and "digit" not in tags:
        return None
    if any(token.tags & DOUBTFUL and not token.tags & _TRUSTED for token in tokens):
        return None
    if "compare" in tags and "battery" not in tags:
        return None
    digit = _digit(tokens, tags)
    if digit is not None:
        return digit
    if "no_mask" in tags:
        tags -= {"not"}
    if tags & {"person"} and any(_several(token) for token in tokens):
        return None
    for name, wanted, unwanted in _ROWS:
        if wanted <= tags and not unwanted & tags:
            return Event(name, confidence=_SURE - _STEP * _passed_over(tokens, wanted))
    return None


def _several(token: Token) -> bool:
    """A number of people: no event counts them."""
    return token.value is not None and not token.dimension and token.value != 1


def _passed_over(tokens: Sequence[Token], wanted: frozenset[str]) -> int:
    count = 0
    for token in tokens:
        if token.unknown:
            count += 1
        elif token.tags & DOUBTFUL and not token.tags & wanted:
            count += 2
    return min(count, 4)


def _digit(tokens: Sequence[Token], tags: frozenset[str]) -> Event | None:
    if tags & {"not", "nobody"}:
        return None
    numbers = [
        token
        for token in tokens
        if token.value is not None and not token.dimension and not token.tags & {"when", "each"}
    ]
    if tags & {"battery", "situp", "no_mask", "obstacle", "exercise"} or (
        tags & {"person", "mask", "me", "nobody"}
        and not tags & {"digit", "what_digit"}
        and not (tags & {"me"} and tags & {"see"} and not tags & {"person"})
    ):
        return None
    if "digit" in tags or "what_digit" in tags or tags & {"see", "appear", "read"}:
        # "a three", "one 3": the last number is the digit.
        if not numbers:
            if "digit" in tags and not tags & {"person", "mask"}:
                raise problem("which_digit", 0.7)
            return None
        value = numbers[-1].value
        if len(numbers) > 1 and "digit" in tags and numbers[0].text not in ("一", "a", "one"):
            return None
        if value is None or not 0 <= value <= 9 or value != int(value):
            raise problem("not_a_digit")
        others = sum(token.unknown for token in tokens)
        return Event("digit_seen", int(value), _SURE - _STEP * min(others, 4))
    return None
