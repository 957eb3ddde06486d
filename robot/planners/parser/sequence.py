"""From clauses to steps: what is repeated, what contradicts, what was said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reflexarc.robot.actions import Action, Follow, Grip, Light, Look, Repeat, Step, Stop
from reflexarc.robot.planners.parser.clauses import Clause, clauses, in_order, tags_of
from reflexarc.robot.planners.parser.ellipsis import BEARING, SIDES, completed
from reflexarc.robot.planners.parser.meaning import Made, mean
from reflexarc.robot.planners.parser.opinion import Guess
from reflexarc.robot.planners.parser.problems import Problem, problem, worst
from reflexarc.robot.planners.parser.slots import repeated, times_of
from reflexarc.robot.planners.parser.text import Text
from reflexarc.robot.planners.parser.tokens import Token

_OPPOSITES = (("forward", "back"), ("left", "right"), ("up", "down"), ("open", "close"))


@dataclass(frozen=True)
class Understood:
    """Steps, and how sure that they are what was meant (0..1)."""

    steps: tuple[Action, ...]
    confidence: float


def understand(tokens: Sequence[Token], text: Text, guess: Guess | None) -> Understood:
    """The steps of a stretch of text without conditions.

    Raises:
        Problem: it cannot be done, or one has to ask.
    """
    _refuse_contradiction(tokens)
    pieces = in_order(completed(clauses(tokens)))
    if not pieces:
        raise problem("empty", 0.6)
    steps: list[Step] = []
    confidence = 0.98
    loop = _Loop()
    last = Made(())
    problems: list[Problem] = []
    for piece in pieces:
        tags = tags_of(piece)
        if _only_repeats(piece, tags):
            times = times_of(piece)
            if steps and times is not None:
                steps = list(_wrapped(steps, times))
            elif steps:
                raise problem("what_repeat", 0.7)
            else:
                loop = _Loop(True, times)
            continue
        try:
            made = mean(piece, tags, text, guess, steps)
        except Problem as found:
            problems.append(found)
            continue
        confidence = min(confidence, made.confidence)
        if _alike(made, last) and piece.joiner == "comma":
            continue  # "show that you agree, nod": said twice, meant once
        steps += made.steps
        last = made
    if problems:
        raise worst(problems)
    if loop.open:
        times = loop.times
        if times is None and steps and isinstance(steps[-1], Repeat):
            # "Repeat: nod and wave, three times"
            times = steps[-1].times
            steps[-1:] = steps[-1].actions
        if times is None or not steps:
            raise problem("what_repeat", 0.7)
        steps = list(_wrapped(steps, times))
    return Understood(tuple(_merged(steps)), confidence)


@dataclass(frozen=True)
class _Loop:
    open: bool = False
    times: int | None = None


def _only_repeats(piece: Clause, tags: frozenset[str]) -> bool:
    return (
        ("repeat" in tags or "times" in tags)
        and not tags & (BEARING - {"repeat", "that", "again"})
        and not tags & SIDES
        and not tags & {"length", "angle", "time", "unknown", "quoted", "not", "except", "until"}
    )


def _wrapped(steps: list[Step], times: int) -> tuple[Step, ...]:
    inner = []
    for step in steps:
        if isinstance(step, Repeat):
            # Repetitions do not nest: write the inner one out.
            inner += list(step.actions) * step.times
        else:
            inner.append(step)
    return repeated(tuple(inner), times)


def _alike(one: Made, other: Made) -> bool:
    """Whether two clauses say one thing, the one plainly and the other as learnt."""
    kinds = [[type(step) for step in made.steps] for made in (one, other)]
    return kinds[0] == kinds[1] and (one.learnt or other.learnt)


def _refuse_contradiction(tokens: Sequence[Token]) -> None:
    tags = frozenset().union(*(token.tags for token in tokens))
    if "together" in tags and any(one in tags and other in tags for one, other in _OPPOSITES):
        raise problem("contradiction")
    still = tags & {"still", "stop"}
    if "together" in tags and still and tags & {"go", "turn"}:
        raise problem("contradiction")
    if "obstacle" in tags and ("disable" in tags or {"stop", "not"} <= tags):
        raise problem("safety")
    if "contradiction" in tags:
        raise problem("contradiction")


def _merged(steps: list[Step]) -> list[Step]:
    """ "Look at my face and follow it" is one following."""
    done: list[Step] = []
    for step in steps:
        if done and done[-1] == step and isinstance(step, (Follow, Light, Look, Grip, Stop)):
            continue
        if done and isinstance(step, Follow) and isinstance(done[-1], Look) and done[-1] == Look():
            done.pop()
        done.append(step)
    return done
