"""Timing calls, and the part of the time that is the net's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ai_edge_litert.interpreter import Interpreter


def milliseconds(call: Callable[[], object], calls: int = 1) -> float:
    """Mean time of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e3


class InvokeTime:
    """Milliseconds spent in `Interpreter.invoke` since it was last asked."""

    def __init__(self) -> None:
        self._ms = 0.0

    def add(self, ms: float) -> None:
        self._ms += ms

    def take(self) -> float:
        ms, self._ms = self._ms, 0.0
        return ms


@contextmanager
def timed_invokes() -> Iterator[InvokeTime]:
    """Watch every LiteRT interpreter of this process; the two clock reads cost about 0.2 us."""
    spent = InvokeTime()
    original = Interpreter.invoke

    def invoke(self: Any) -> None:
        start = time.perf_counter()
        original(self)
        spent.add((time.perf_counter() - start) * 1e3)

    Interpreter.invoke = invoke
    try:
        yield spent
    finally:
        Interpreter.invoke = original
