"""A conversation with the robot: each sentence becomes a stop, a word about rules, or a plan."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from reflexarc.core import WriteError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.controller import Controller
from reflexarc.robot.plan import Plan
from reflexarc.robot.plan_check import checked, needs_word
from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.stop import is_stop, stop_plan
from reflexarc.robot.reflexes import RuleBook, RuleError
from reflexarc.robot.reflexes.orders import RuleOrder, chosen, rule_order
from reflexarc.robot.words import Language, describe_plan, language_of, phrase

_WAITS_S = 60.0
"""So long a yes is a yes to what was asked; then it is a word like any other."""


@dataclass(frozen=True)
class Reply:
    """What the robot answers to a sentence.

    Attributes:
        kind: "doing": a plan is under way; "confirm": it waits for a yes; "answer": words
            only.
        text: for the user, in the user's language.
        plan: what the sentence became, if it is an order that was understood, or not.
        order: number of what is under way, see `Controller.order`.
    """

    kind: Literal["doing", "confirm", "answer"]
    text: str
    plan: Plan | None = None
    order: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        status = "ok" if self.plan is None else self.plan.status
        return {"kind": self.kind, "text": self.text, "status": status}


class Session:
    """One talk with a robot. Callers take turns, but "stop" may come from any thread."""

    def __init__(
        self,
        config: RobotConfig,
        planner: Planner,
        controller: Controller,
        book: RuleBook,
        *,
        answer: Callable[[str], str | None] = lambda question: None,
        note: Callable[[str, Plan], None] = lambda text, plan: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            config: limits, and the confirmation policy.
            planner: asked for plans.
            controller, book: of the robot.
            answer: asked how and why things are; None: it does not know.
            note: told of every plan, for the log.
        """
        self._config = config
        self._planner = planner
        self._controller = controller
        self._book = book
        self._answer = answer
        self._note = note
        self._clock = clock
        self._waiting: tuple[str, Plan, float] | None = None
        self._stops = 0

    def hear(self, text: str, *, confirmed: bool = False) -> Reply:
        """Understand a sentence and act on it. "Stop" acts within milliseconds.

        Whatever was being understood when it came is not done any more.

        Args:
            text: the sentence.
            confirmed: it needs no further word, whatever it becomes.
        """
        if is_stop(text):
            return self._stop(language_of(text))
        stops = self._stops
        text = text.encode(errors="replace").decode()  # a shell may pass on what is no text
        language = language_of(text[:200])
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self._clock() - waiting[2] < _WAITS_S:
            if is_yes(text):
                return self._do(*waiting[:2], stops)
            if _is_no(text):
                return Reply("answer", phrase("not_done", language_of(waiting[0])))
        order = rule_order(text)
        if order is not None:
            try:
                return Reply("answer", self._about_rules(order, language))
            except WriteError as error:
                return Reply("answer", str(error))
        if is_question(text) and (words := self._answer(text)) is not None:
            return Reply("answer", words)
        plan = checked(self._planner.plan(text), self._config.limits, language)
        self._note(text, plan)
        if plan.status != "ok":
            words = self._answer(text) if plan.status == "clarify" else None
            return Reply("answer", plan.message, plan) if words is None else Reply("answer", words)
        if self._stops == stops and not confirmed and self._needs_word(plan):
            if plan.stops:  # that does not wait for a word
                self._controller.stop("told to stop")
            self._waiting = (text, plan, self._clock())
            preview = describe_plan(plan.actions, language)
            return Reply("confirm", phrase("shall_i", language, plan=preview), plan)
        return self._do(text, plan, stops)

    def carry_out(self, plan: Plan, *, confirmed: bool = False) -> Reply:
        """Act on a plan that somebody else has made, checked as if it were of a sentence.

        One that needs a word is not kept for it: give it again, confirmed.
        """
        stops = self._stops
        plan = checked(plan, self._config.limits, "en")
        self._note("", plan)
        if plan.status != "ok":
            return Reply("answer", plan.message, plan)
        if not confirmed and self._needs_word(plan):
            preview = describe_plan(plan.actions, "en")
            return Reply("confirm", phrase("shall_i", "en", plan=preview), plan)
        return self._do("", plan, stops)

    def _needs_word(self, plan: Plan) -> bool:
        return needs_word(plan, self._config.language.confirm)

    def _stop(self, language: Language) -> Reply:
        self._stops += 1
        self._waiting = None
        self._controller.stop("told to stop")
        return Reply("answer", phrase("stopped", language), stop_plan())

    def _do(self, text: str, plan: Plan, stops: int) -> Reply:
        language = language_of(text)
        if plan.stops and len(plan.actions) == 1:
            return self._stop(language)
        number = None
        if self._stops == stops:
            try:
                number = self._controller.order(plan, text, language)
            except (RuleError, WriteError) as error:
                return Reply("answer", str(error), plan)
        if self._stops != stops:  # somebody has said so meanwhile: it holds for this too
            return self._stop(language)
        return Reply("doing", describe_plan(plan.actions, language), plan, number)

    def _about_rules(self, order: RuleOrder, language: Language) -> str:
        rules = self._book.rules()
        if order.verb == "list":
            shown = "; ".join(
                f"{rule.number}. {describe_plan([rule.reflex], language).rstrip('.。')}"
                for rule in rules
            )
            return phrase("rules" if rules else "rules_none", language, rules=shown)
        found = chosen(order, rules)
        if not found:
            return phrase("no_such_rule", language)
        numbers = [rule.number for rule in found]
        if order.verb == "forget":
            self._book.forget(numbers)
        else:
            self._book.pause(numbers, order.verb == "pause")
        if len(found) > 1 and order.verb == "forget":
            return phrase("forgot_all", language, count=len(found))
        said = "; ".join(describe_plan([rule.reflex], language).rstrip(".。") for rule in found)
        key = {"forget": "forgot", "pause": "paused", "resume": "resumed"}[order.verb]
        return phrase(key, language, rule=said)


def is_yes(text: str) -> bool:
    """Whether a text is a yes, in English or Chinese."""
    plain = re.sub(
        r"[\s,.!?，。！？]+", " ", unicodedata.normalize("NFKC", text).casefold()
    ).strip()
    return any(re.fullmatch(phrase("affirmative", language), plain) for language in ("en", "zh"))


def is_question(text: str) -> bool:
    """Whether a text asks how or why things are: for the manual, before any planner.

    "How many people do you see" and "can you turn left" are orders.
    """
    return bool(_QUESTION.search(unicodedata.normalize("NFKC", text).casefold()))


_QUESTION = re.compile(
    r"\b(why|how (do|does|can|could|should|to|fast)|where (do|can)"
    r"|what (happens|if|do i|can i|should))\b"
    r"|怎么(办|给|充|才|用|连|设|改|更|安|调)|如何|为什么|为何|什么意思|能不能用|可以用什么"
)


def _is_no(text: str) -> bool:
    plain = re.sub(r"\W+", "", unicodedata.normalize("NFKC", text).casefold())
    return plain in _NOES


_NOES = frozenset(
    "no n nope dont nothanks nevermind 不 不要 不用 不行 否 算了 别".split()  # noqa: SIM905
)
