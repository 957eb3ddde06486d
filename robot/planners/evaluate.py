"""How good and how fast a planner is on a file of orders and their plans."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reflexarc.core import ReflexarcError
from reflexarc.robot.actions import Action, Repeat, When
from reflexarc.robot.plan import MAX_MESSAGE, Plan, Status, same_actions
from reflexarc.robot.planners.base import Planner, PlannerError
from reflexarc.robot.words import language_of

MAX_SHOWN = 200


class EvaluationError(ReflexarcError):
    """A file that holds no orders to measure with."""


class Order(BaseModel):
    """A line of such a file: a sentence, and the plan that it means.

    Attributes:
        text: what is said; or `repeat`: a piece of text, and how often it is said.
        status: the wanted one, or those that are allowed.
        actions: wanted with "ok".
        forbidden: where "ok" is among the allowed ones: actions that must not be
            in the plan, at any depth.
        why: for readers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    repeat: tuple[str, Annotated[int, Field(gt=0)]] | None = None
    status: Status | tuple[Status, ...]
    actions: list[dict[str, Any]] = Field(default_factory=list)
    forbidden: tuple[str, ...] = ()
    why: str = ""

    @property
    def said(self) -> str:
        """The sentence."""
        return self.repeat[0] * self.repeat[1] if self.repeat else self.text

    @property
    def allowed(self) -> tuple[Status, ...]:
        """Each status that is right."""
        return (self.status,) if isinstance(self.status, str) else self.status

    def right(self, plan: Plan) -> bool:
        """Whether a plan is what is wanted."""
        if isinstance(self.status, str):
            return same_actions(plan, self.status, self.actions)
        return plan.status in self.status and not self.unsafe(plan)

    def unsafe(self, plan: Plan) -> bool:
        """Whether a plan acts where it must not."""
        if plan.status != "ok":
            return False
        return "ok" not in self.allowed or bool(kinds_of(plan.actions) & set(self.forbidden))


def kinds_of(actions: Iterable[Action]) -> set[str]:
    """What is done at any depth: "move", "when" ..."""
    found: set[str] = set()
    for action in actions:
        found.add(action.do)
        if isinstance(action, (Repeat, When)):
            found |= kinds_of(action.actions)
    return found


@dataclass(frozen=True)
class LanguageScore:
    """Of one language's orders: how many, and which part was exactly right."""

    n: int
    exact: float


@dataclass(frozen=True)
class Score:
    """What a planner did with a set of orders.

    Attributes:
        exact: fraction whose status is right and, for "ok", every action.
        status_accuracy: fraction whose status is right.
        unsafe_accepted: orders that had to be refused or asked about, and were not.
        p50_ms, p99_ms: wall time of a sentence.
        errors: what was not exact: text, wanted, found.
    """

    n: int
    exact: float
    status_accuracy: float
    unsafe_accepted: int
    p50_ms: float
    p99_ms: float
    by_language: Mapping[str, LanguageScore]
    errors: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """As `reflexarc eval-plan --json` prints it."""
        return asdict(self)


def read_orders(path: Path) -> list[Order]:
    """Read a JSONL file of orders.

    Raises:
        EvaluationError: no such file, a line that is no order, or no line at all.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(
            expected="a text file with one order in JSON a line",
            found=f"{path}: {error}",
            remedy='write lines such as {"text": "turn left", "status": "ok", '
            '"actions": [{"do": "turn"}]}',
        ) from error
    orders = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            order = Order.model_validate_json(line)
            if order.status == "ok":
                Plan.model_validate({"status": "ok", "actions": order.actions})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise EvaluationError(
                expected="an order: text, status (ok, clarify, refuse) and for ok its actions",
                found=f"line {number} of {path}: {place}: {first['msg']}",
                remedy="mend that line",
            ) from None
        orders.append(order)
    if not orders:
        raise EvaluationError(
            expected="at least one order", found=f"none in {path}", remedy="write some lines"
        )
    return orders


def evaluate(planner: Planner, orders: Iterable[Order]) -> Score:
    """Ask a planner for each order's plan and compare. No answer is never right.

    Raises:
        PlannerError: the planner answers to none of the orders.
    """
    load = getattr(planner, "load", None)
    if load is not None:
        load()  # reading a model's files is not a sentence's time
    times: list[float] = []
    rows: list[tuple[Order, Plan, bool]] = []
    failures: list[PlannerError] = []
    for order in orders:
        began = time.perf_counter()
        try:
            plan = planner.plan(order.said)
        except PlannerError as error:
            failures.append(error)
            plan = Plan(status="refuse", message=str(error)[:MAX_MESSAGE], confidence=0.0)
        times.append((time.perf_counter() - began) * 1e3)
        rows.append((order, plan, plan.confidence > 0 and order.right(plan)))
    if len(failures) == len(rows):
        raise failures[0]
    by_language: dict[str, list[bool]] = {}
    for order, _, right in rows:
        by_language.setdefault(language_of(order.said), []).append(right)
    p50, p99 = np.percentile(times, [50, 99])
    return Score(
        n=len(rows),
        exact=_fraction([right for _, _, right in rows]),
        status_accuracy=_fraction([plan.status in order.allowed for order, plan, _ in rows]),
        unsafe_accepted=sum(order.unsafe(plan) for order, plan, _ in rows),
        p50_ms=round(float(p50), 3),
        p99_ms=round(float(p99), 3),
        by_language={
            language: LanguageScore(len(rights), _fraction(rights))
            for language, rights in sorted(by_language.items())
        },
        errors=[_error(order, plan) for order, plan, right in rows if not right],
    )


def _fraction(rights: Sequence[bool]) -> float:
    return round(sum(rights) / len(rights), 4)


def _error(order: Order, plan: Plan) -> dict[str, Any]:
    return {
        "text": order.said[:MAX_SHOWN],
        "wanted": order.model_dump(exclude={"text", "repeat"}, exclude_defaults=True),
        "found": plan.model_dump(include={"status", "actions", "message", "confidence"}),
    }


def reliability(planner: Planner, orders: Sequence[Order], bins: int = 5) -> list[dict[str, float]]:
    """Whether a planner's confidence is how often it is right.

    Returns:
        For each bin of confidence that holds plans: n, mean confidence, fraction exact.
    """
    rows = []
    for order in orders:
        plan = planner.plan(order.said)
        rows.append((plan.confidence, order.right(plan)))
    found = []
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [
            row for row in rows if low <= row[0] < high or (number == bins - 1 and row[0] == 1.0)
        ]
        if inside:
            found.append(
                {
                    "n": len(inside),
                    "confidence": round(sum(c for c, _ in inside) / len(inside), 3),
                    "exact": round(sum(r for _, r in inside) / len(inside), 3),
                }
            )
    return found
