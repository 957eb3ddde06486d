"""Orders about rules, in words: list, forget, pause, go on with. No planner is asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from reflexarc.robot.actions import Gesture, Say, written_out
from reflexarc.robot.reflexes.book import Rule

Verb = Literal["list", "forget", "pause", "resume"]


@dataclass(frozen=True)
class RuleOrder:
    """What is to be done with which rules.

    Attributes:
        verb: list, forget, pause or resume.
        which: what was said of the rule ("the mask rule"); empty: the newest.
        every: all of them.
    """

    verb: Verb
    which: str = ""
    every: bool = False


def rule_order(text: str) -> RuleOrder | None:
    """Understand an order about rules; None if it is something else."""
    plain = re.sub(r"[\s,.!?，。！？、]+", " ", unicodedata.normalize("NFKC", text).casefold())
    plain = plain.strip()
    words = _words()
    if len(plain) > 80 or re.search(words["more"], plain):
        return None
    for verb, patterns in words["verbs"].items():
        for pattern in patterns:
            found = re.fullmatch(pattern, plain)
            if found:
                which = (found.groupdict().get("which") or "").strip()
                return RuleOrder(verb, which, bool(re.search(words["every"], plain)))
    return None


def chosen(order: RuleOrder, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that an order is about; none if it fits none."""
    if order.verb == "list":
        return list(rules)
    candidates = [rule for rule in rules if order.verb != "resume" or rule.is_paused]
    which = _with_digits(order.which)
    numbers = re.findall(r"(?:rule|number|规则|第)\s*(\d+)", which)
    by_number = [rule for rule in candidates if str(rule.number) in numbers]
    topics = _topics(which)
    named = [r for r in candidates if r.reflex.name and r.reflex.name.casefold() in which]
    if by_number or named:
        return by_number or named
    if topics:
        return [rule for rule in candidates if topics <= _topics_of(rule)]
    if order.every:
        return candidates
    return candidates[-1:] if re.fullmatch(_words()["newest"], which) else []


def _with_digits(text: str) -> str:
    """Ordinals as "rule 2", as far as people count rules."""
    for pattern, number in _words()["ordinals"].items():
        text = re.sub(pattern, f"rule {number}", text)
    return text


def _topics(text: str) -> set[str]:
    """What a text is about, by key words; a digit is a topic of its own."""
    found = {topic for topic, pattern in _words()["topics"].items() if re.search(pattern, text)}
    return found | {f"digit {digit}" for digit in re.findall(r"\d", text)}


def _topics_of(rule: Rule) -> set[str]:
    reflex = rule.reflex
    topics = _topics(f"{rule.said.casefold()} {reflex.name.casefold()}")
    topics |= {topic for topic in _words()["topics"] if topic in reflex.event}
    if reflex.value is not None:
        topics |= {"digit", f"digit {reflex.value}"}
    for step in written_out(reflex.actions):
        topics.add(step.name if isinstance(step, Gesture) else step.do)
        if isinstance(step, Say):
            topics |= _topics(step.text.casefold())
    return topics


@cache
def _words() -> dict[str, Any]:
    text = files("reflexarc.robot.reflexes").joinpath("orders.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
