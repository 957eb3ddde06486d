"""The planner: grammar first, learnt opinions where it does not know the words."""

from __future__ import annotations

from collections.abc import Sequence

from reflexarc.robot.actions import (
    MAX_DISTANCE_M,
    MAX_STEPS,
    Action,
    Move,
    Turn,
    When,
    count_steps,
    written_out,
)
from reflexarc.robot.plan import MAX_MESSAGE, Plan
from reflexarc.robot.planners.parser.clauses import meaningful
from reflexarc.robot.planners.parser.conditions import parts
from reflexarc.robot.planners.parser.guards import guard
from reflexarc.robot.planners.parser.lexicon import lexicon
from reflexarc.robot.planners.parser.opinion import Guess
from reflexarc.robot.planners.parser.particles import settled
from reflexarc.robot.planners.parser.problems import Problem, problem, worst
from reflexarc.robot.planners.parser.quantities import quantities
from reflexarc.robot.planners.parser.sequence import Understood, understand
from reflexarc.robot.planners.parser.speech import with_speech
from reflexarc.robot.planners.parser.text import Text, normalise
from reflexarc.robot.planners.parser.tokens import tokenize
from reflexarc.robot.planners.stop import is_stop, stop_plan
from reflexarc.robot.words import language_of

MAX_CHARACTERS = 500


class Parser:
    """Understands orders in English and Chinese, mixed, without a network or a large model."""

    name = "parser"

    def __init__(self, guess: Guess | None = None) -> None:
        """With `guess` to ask about wording that the lexicon does not know."""
        self._guess = guess

    def load(self) -> None:
        """Read all tables and models now rather than at the first order."""
        lexicon()
        self.plan("get ready")
        if self._guess is not None:
            self._guess.load()

    def plan(self, text: str) -> Plan:
        """See `Planner`. Never raises; a longer text than 500 characters is refused."""
        if is_stop(text):
            return stop_plan().model_copy(update={"planner": self.name})
        language = language_of(text[: 2 * MAX_CHARACTERS])
        try:
            if len(text) > MAX_CHARACTERS:
                raise problem("too_long_text", limit=MAX_CHARACTERS)
            guard(text)
            understood = self._understand(normalise(text))
        except Problem as found:
            return Plan(
                status=found.status,
                message=found.message(language)[:MAX_MESSAGE],
                planner=self.name,
                confidence=found.confidence,
            )
        return Plan(
            status="ok",
            actions=understood.steps,
            planner=self.name,
            confidence=max(0.0, min(1.0, understood.confidence)),
        )

    def _understand(self, text: Text) -> Understood:
        tokens = with_speech(settled(quantities(tokenize(text))), text)
        steps: list[Action] = []
        problems: list[Problem] = []
        confidence = 1.0
        for part in parts(tokens, text, self._guess):
            if not any(map(meaningful, part.body)):
                continue
            try:
                understood = understand(part.body, text, self._guess)
            except Problem as found:
                problems.append(found)
                continue
            confidence = min(confidence, understood.confidence)
            if part.event is None:
                steps += understood.steps
                continue
            confidence = min(confidence, part.event.confidence)
            if part.event.name == "obstacle" and _goes_on(understood.steps):
                problems.append(problem("harm"))
                continue
            steps.append(
                When.model_validate(
                    {
                        "event": part.event.name,
                        "value": part.event.value,
                        "actions": understood.steps,
                    }
                )
            )
        if _too_far(steps):
            problems.append(problem("too_far", limit=MAX_DISTANCE_M))
        if problems:
            raise worst(problems)
        if count_steps(steps) > MAX_STEPS:
            raise problem("too_many_steps")
        if not steps:
            raise problem("empty", 0.6)
        return Understood(tuple(steps), confidence)


def _goes_on(steps: Sequence[Action]) -> bool:
    """Whether one drives on, into the obstacle."""
    first = next(written_out(steps), None)
    return isinstance(first, Move) and first.distance_m > 0


def _too_far(steps: Sequence[Action]) -> bool:
    """Whether straight stretches add up to more than one is allowed: "4 m, ten times"."""
    total = 0.0
    for step in steps:
        if isinstance(step, When):
            if _too_far(step.actions):
                return True
            continue
        for one in written_out((step,)):
            if isinstance(one, Turn):
                total = 0.0
            elif isinstance(one, Move):
                total += one.distance_m
                if abs(total) > MAX_DISTANCE_M * (1 + 1e-9):
                    return True
    return False
