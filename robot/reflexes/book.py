"""The rules that hold: those of robot.yaml, and those that people have spoken.

Spoken rules outlive the program: they are kept in a file, written whole or not at all.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.robot.actions import When
from reflexarc.robot.reflexes.rule import Reflex

MAX_RULES = 100


class RuleError(ReflexarcError):
    """Rules that cannot be kept or read."""


@dataclass(frozen=True)
class Rule:
    """A rule in the book.

    Attributes:
        number: by which people can name it, from 1, never given twice.
        reflex: what it does.
        said: the words it came from; empty for those of robot.yaml.
        made_at: time of day, seconds since 1970; those of robot.yaml are made at the start.
        is_paused: it does not fire for now.
    """

    number: int
    reflex: Reflex
    said: str = ""
    made_at: float = 0.0
    is_paused: bool = False


class RuleBook:
    """Safe to share between threads. What cannot be written down is not kept either."""

    def __init__(
        self,
        configured: Iterable[Reflex] = (),
        path: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Open the book.

        Args:
            configured: the rules of robot.yaml; they can be paused, not forgotten.
            path: where spoken rules are kept; None: they end with the program.

        Raises:
            RuleError: the file is no rule book.
        """
        self._path = path
        self._now = now
        self._lock = threading.RLock()
        rules = [Rule(0, reflex, made_at=now()) for reflex in configured]
        if path is not None and path.exists():
            rules += _load(path)
        self._next = len(rules) + 1
        self._take([replace(rule, number=i) for i, rule in enumerate(rules, start=1)])

    def rules(self) -> tuple[Rule, ...]:
        """All that have not expired, oldest first."""
        with self._lock:
            self._let_expire()
            return tuple(self._rules)

    def active(self) -> tuple[Reflex, ...]:
        """Those that fire; the same object as long as they are the same."""
        with self._lock:
            self._let_expire()
            return self._active

    def add(self, when: When, said: str = "") -> Rule:
        """Keep a rule that somebody has spoken. The same one is kept once.

        Raises:
            RuleError: there are too many already.
            WriteError: the file cannot be written.
        """
        reflex = when if isinstance(when, Reflex) else Reflex(**when.model_dump())
        with self._lock:
            rules = list(self.rules())
            same = next((rule for rule in rules if rule.reflex == reflex), None)
            if same is not None:
                rules.remove(same)
                rule = replace(same, is_paused=False, made_at=self._now())
            else:
                rule = Rule(self._next, reflex, said or str(when), self._now())
            if len(rules) >= MAX_RULES:
                raise RuleError(
                    expected=f"at most {MAX_RULES} rules",
                    found="one more",
                    remedy='forget some ("forget the mask rule"), or all ("forget all rules")',
                )
            self._keep([*rules, rule])
            self._next = max(self._next, rule.number + 1)
            return rule

    def forget(self, numbers: Iterable[int]) -> list[Rule]:
        """Take rules out; those of robot.yaml are paused instead. Gives what was found."""
        return self._each(numbers, lambda rule: None if rule.said else _paused(rule, True))

    def pause(self, numbers: Iterable[int], paused: bool = True) -> list[Rule]:
        """Let rules rest, or fire again. Gives those found."""
        return self._each(numbers, lambda rule: _paused(rule, paused))

    def _each(self, numbers: Iterable[int], change: Callable[[Rule], Rule | None]) -> list[Rule]:
        wanted = set(numbers)
        with self._lock:
            found = [rule for rule in self._rules if rule.number in wanted]
            if found:
                changed = [change(rule) if rule.number in wanted else rule for rule in self._rules]
                self._keep([rule for rule in changed if rule is not None])
            return found

    def _keep(self, rules: list[Rule]) -> None:
        """On disk first."""
        if self._path is not None:
            spoken = [_plain(rule) for rule in rules if rule.said]
            text = json.dumps({"version": 1, "rules": spoken}, ensure_ascii=False, indent=1)
            with atomic_write(self._path) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
        self._take(rules)

    def _take(self, rules: list[Rule]) -> None:
        self._rules = rules
        self._active = tuple(rule.reflex for rule in rules if not rule.is_paused)
        self._first_end = min(map(_ends_at, rules), default=math.inf)

    def _let_expire(self) -> None:
        now = self._now()
        if now > self._first_end:  # the file may keep them: they are as old when it is read
            self._take([rule for rule in self._rules if now <= _ends_at(rule)])


def _ends_at(rule: Rule) -> float:
    lasts = rule.reflex.expires_s
    return math.inf if lasts is None else rule.made_at + lasts


def _paused(rule: Rule, paused: bool) -> Rule:
    return replace(rule, is_paused=paused)


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.reflex.model_dump(mode="json", exclude_defaults=False),
        "said": rule.said,
        "made_at": rule.made_at,
        "paused": rule.is_paused,
    }


def _load(path: Path) -> list[Rule]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["rules"]
        return [
            Rule(
                0,
                Reflex.model_validate(each["rule"]),
                str(each["said"]),
                float(each["made_at"]),
                bool(each["paused"]),
            )
            for each in kept
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RuleError(
            expected=f"the rules that were spoken, in {path}",
            found=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
            remedy="move the file away, and say the rules again",
        ) from error


def default_path(robot: str) -> Path:
    """Where the spoken rules of a robot are kept."""
    name = "".join(char if char.isalnum() else "-" for char in robot)[:60]
    return Path(platformdirs.user_state_dir("reflexarc")) / f"rules-{name}.json"
