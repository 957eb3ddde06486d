"""Find the conditions of a sentence: which words name an event, which say what to do then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reflexarc.robot.actions import EVENTS
from reflexarc.robot.planners.parser.clauses import NOISE, is_connector, is_head
from reflexarc.robot.planners.parser.events import DOUBTFUL, Event, event_of
from reflexarc.robot.planners.parser.lexicon import HEADS
from reflexarc.robot.planners.parser.opinion import Guess
from reflexarc.robot.planners.parser.problems import Problem, problem
from reflexarc.robot.planners.parser.text import Text
from reflexarc.robot.planners.parser.tokens import PREFIXES, Token

_WEAK = frozenset(
    {
        "once",
        "should",
        "the second",
        "the minute",
        "the moment",
        "the instant",
        "in case",
        "upon",
        "一",
        "当",
        "只要",
        "每",
        "next time",
        "wherever",
        "什么时候",
        "as long as",
    }
)
"""Words that begin a condition only where an event follows."""

_SENSES = frozenset({"leave", "see", "appear", "gone", "low", "done"})
_SHOWS = frozenset({"light", "color:red", "color:green", "color:blue", "color:white"})
_SURE = 0.75
_MOST = 25
"""Conditions of one sentence."""
_REACH = 40
"""Words that a condition may take."""
_CLASSIFIERS = ("个", "位", "名", "只", "点", "下")
_NOISE = NOISE | {"me"}
_WHEN = frozenset({"when"})
_SEEN = (
    "看到",
    "看见",
    "见到",
    "发现",
    "检测到",
    "识别到",
    "遇到",
    "碰到",
    "遇见",
    "碰见",
    "有人",
    "没人",
    "检测",
    "瞧见",
    "撞到",
    "spot",
    "seeing",
)
"""How a condition may begin that has no "when"."""


@dataclass(frozen=True)
class Part:
    """A stretch of a text: what to do, and if it is a reflex, on which event."""

    body: tuple[Token, ...]
    event: Event | None = None


def parts(tokens: Sequence[Token], text: Text, guess: Guess | None) -> list[Part]:
    """Cut a text into reflexes and what is to be done at once.

    Raises:
        Problem: a condition that names no known event, or nothing to do when it comes true.
    """
    found: list[Part] = []
    for sentence in _sentences(tokens):
        for part in _parts(_marked(sentence), text, guess):
            if found and part.event is None and found[-1].event is None:
                # One sequence, so that "close it" knows what was opened before.
                found[-1] = Part((*found[-1].body, *part.body))
            else:
                found.append(part)
    return found


def _sentences(tokens: Sequence[Token]) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        found[-1].append(token)
        if "period" in token.tags:
            found.append([])
    return [sentence for sentence in found if sentence]


def _matches(tokens: Sequence[Token]) -> bool:
    try:
        return bool(tokens) and event_of(tokens) is not None
    except Problem:
        return True


def _marked(tokens: list[Token]) -> list[Token]:
    """Take the mark off what only looks like a condition, and mark what has no "when"."""
    done = list(tokens)
    if sum("when" in token.tags for token in tokens) > _MOST:
        raise problem("too_many_steps")
    for index, token in enumerate(done):
        if "when" not in token.tags:
            continue
        after = done[index + 1 : index + 1 + _REACH]
        stops = [i for i, t in enumerate(after) if "do_then" in t.tags]
        weak = token.text in _WEAK or token.value is not None
        if token.text == "一" and (not stops or (after and after[0].text in _CLASSIFIERS)):
            done[index] = replace(token, tags=token.tags - _WHEN)
        elif (
            weak
            and not (stops and token.text == "每")
            and not any(_matches(after[:length]) for length in range(1, len(after) + 1))
        ):
            done[index] = replace(token, tags=token.tags - _WHEN | {"filler"})
        elif token.value is not None:
            done[index] = replace(token, value=None)
    if any("when" in token.tags for token in done):
        return done
    begin = 0
    marks: list[int] = []
    for index, token in enumerate(done):
        if "each" in token.tags and _each(done, index):
            return [*done[:index], _mark(token), *done[index + 1 :]]
        if {"do_then", "if_end"} & token.tags and _conditional(done[begin:index]):
            marks += [begin] if begin not in marks else []
            begin = index + 1
        elif is_connector(token):
            if (
                "comma" in token.tags
                and _seen(done[begin:index])
                and any(map(is_head, done[index:]))
            ):
                marks += [begin] if begin not in marks else []
            begin = index + 1
        elif (
            index > begin
            and (is_head(token) or token.text == "把")
            and not token.tags & _SENSES
            and _seen(done[begin:index])
        ):
            marks += [begin] if begin not in marks else []
            begin = index + 1
    for mark in reversed(marks):
        done.insert(mark, _mark(done[mark]))
    return done


def _conditional(tokens: Sequence[Token]) -> bool:
    """What stands before "就": an event, or at least nothing that is done."""
    if _matches(tokens):
        return True
    means = [token for token in tokens if not token.tags or token.tags - _NOISE]
    return bool(means) and not any(is_head(t) and not t.tags & _SENSES for t in tokens)


def _seen(tokens: Sequence[Token]) -> bool:
    """ "看到人": an event that needs no "when" in Chinese."""
    return (
        bool(tokens)
        and tokens[0].text.startswith(_SEEN)
        and not any(token.tags & {"question", "how_many", "asks"} for token in tokens)
        and _matches(tokens)
    )


def _mark(token: Token) -> Token:
    return Token("", token.start, token.start, tags=_WHEN)


def _each(tokens: Sequence[Token], index: int) -> bool:
    """ "Nod for every sit-up": an event, and something to do that is no counting."""
    after = tokens[index + 1 : index + 4]
    others = [t for t in tokens if is_head(t) and not t.tags & {"see", "count", "check", "tell"}]
    return bool(others) and any(_matches(after[:length]) for length in range(1, len(after) + 1))


def _parts(tokens: list[Token], text: Text, guess: Guess | None) -> list[Part]:
    marks = [index for index, token in enumerate(tokens) if "when" in token.tags]
    if not marks:
        return [Part(tuple(tokens))]
    begin = _condition_begins(tokens, marks[0])
    before = _stripped(tokens[:begin])
    pieces = []
    for mark, end in zip(marks, [*marks[1:], len(tokens)], strict=True):
        scope = tokens[mark + 1 : end]
        if mark == marks[0] and begin < mark:
            scope = [*tokens[begin:mark], *scope]
        cut = _boundary(scope)
        pieces.append((scope[:cut], _stripped(scope[cut:])))
    found: list[Part] = []
    if before and not pieces[-1][1]:
        # "Nod when you see a person": what to do stands before each condition.
        bodies = [before, *(body for _, body in pieces[:-1])]
        pieces = [(condition, body) for (condition, _), body in zip(pieces, bodies, strict=True)]
    elif before:
        found.append(Part(tuple(before)))
    for condition, body in pieces:
        event = event_of(condition) or _guessed(condition, text, guess)
        if not body:
            raise problem("what_then", 0.7)
        if event.name == "sit_up" and (target := _target(condition)):
            body = [*body, *target]  # "tell me when I have done 40": counted, no reflex
            if not any("tell" in token.tags or "count" in token.tags for token in body):
                raise problem("which_event", 0.6, part=text.verbatim(*_place(condition))[:60])
            found.append(Part(tuple(body)))
            continue
        found.append(Part(tuple(body), event))
    return found


def _place(tokens: Sequence[Token]) -> tuple[int, int]:
    return tokens[0].start, tokens[-1].end


def _target(condition: Sequence[Token]) -> list[Token]:
    """The number of sit-ups in a condition with the word itself, if it is not one."""
    numbers = [t for t in condition if t.value is not None and t.value != 1]
    return [*numbers, *(t for t in condition if "situp" in t.tags)] if numbers else []


def _condition_begins(tokens: Sequence[Token], mark: int) -> int:
    """ "前面要是有东西", "人一走": in Chinese the subject may stand before the "when"."""
    begin = mark
    while begin and not is_connector(tokens[begin - 1]):
        begin -= 1
    subject = tokens[begin:mark]
    if not tokens[mark].text or tokens[mark].text.isascii() or any(map(is_head, subject)):
        return mark
    return begin


def _guessed(condition: Sequence[Token], text: Text, guess: Guess | None) -> Event:
    """The event that wording unknown to the lexicon means, by examples."""
    words = text.verbatim(condition[0].start, condition[-1].end) if condition else ""
    doubtful = any(
        token.tags & (DOUBTFUL | {"not", "nobody"})
        or token.value not in (None, 1)
        or (is_head(token) and not token.tags & _SENSES)
        for token in condition
    )
    if guess is not None and words and not doubtful:
        opinion = guess.event(words)
        (name,) = opinion.tags
        if opinion.confidence > _SURE and name in EVENTS and name != "digit_seen":
            return Event(name, confidence=opinion.confidence)
    raise problem("which_event", 0.5, part=words[:60] or "?")


def _stripped(tokens: Sequence[Token]) -> list[Token]:
    kept = list(tokens)
    while kept and (is_connector(kept[0]) or kept[0].tags == {"if_end"}):
        kept.pop(0)
    while kept and is_connector(kept[-1]) and "asks" not in kept[-1].tags:
        kept.pop()
    return kept if any(not token.tags or token.tags - _NOISE for token in kept) else []


def _boundary(scope: Sequence[Token]) -> int:
    """Where the condition ends: at a comma or "就", or where an action begins."""
    for index in range(1, min(len(scope), _REACH)):
        token = scope[index]
        if not _matches(scope[:index]):
            continue
        if token.quoted:
            continue
        if token.tags & {"do_then", "then", "comma", "period"}:
            return index
        begins = (is_head(token) and not token.tags & _SENSES) or (
            (token.tags & _SHOWS or (token.tags & {"on", "off"} and len(token.text) > 3))
            and not token.tags & _SENSES
        )
        begins = begins or bool(
            token.tags & {"harm", "cannot", "shell"} and not token.tags & {*_SENSES, "obstacle"}
        )
        if begins and not _still_condition(scope, index):
            cut = index
            while (
                cut > 1
                and (
                    scope[cut - 1].text in ("把", "将", "you", "please", "请", "to")
                    or scope[cut - 1].text.startswith(PREFIXES)
                    or (scope[cut - 1].tags & {"not"} and is_head(scope[cut]))
                )
                and _matches(scope[: cut - 1])
            ):
                cut -= 1
            return cut
    # No event that the lexicon knows: cut where a condition usually ends.
    for index in range(1, len(scope)):
        if scope[index].tags & {"do_then", "then", "comma"}:
            return index
    for index in range(2, len(scope)):
        if is_head(scope[index]) and not scope[index].tags & {"go", *_SENSES}:
            return index
    return len(scope)


def _still_condition(scope: Sequence[Token], index: int) -> bool:
    """Words that begin actions but here go on with the event: "goes low", "hold up a 3"."""
    token = scope[index]
    rest = scope[index + 1 :]
    subject = next((t for t in reversed(scope[:index]) if t.tags != {"filler"}), None)
    if "go" in token.tags and subject is not None and subject.tags & {"person", "who", "nobody"}:
        # "When a visitor strolls in, nod": what the person does, if the order comes later.
        return any(t.tags & {"comma", "do_then"} for t in rest)
    if token.tags & {"open", "close", "shine", "go"} and not (token.tags & HEADS) - {
        "go",
        "shine",
        "open",
        "close",
    }:
        return (
            bool(rest)
            and bool(rest[0].tags & {"low", "gone", "see"})
            and not rest[0].tags & {"filler"}
        )
    return False
