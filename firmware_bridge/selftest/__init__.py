"""A board's self-test: one thing moves at a time, and each step says what it found.

Nothing is asked unless there is a `Person` to ask. Times are the chip's own, so a slow
host changes no verdict.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Generator

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.board import Board
from reflexarc.firmware_bridge.errors import BoardError, LinkLostError
from reflexarc.firmware_bridge.selftest import moving, still
from reflexarc.firmware_bridge.selftest.bench import Bench, Person, Result, Step, Verdict

# By name: the capability that it needs, and the step. In this order; what turns is last.
_STEPS: dict[str, tuple[str | None, Step]] = {
    "link": (None, still.link_step),
    "settings": ("settings", still.settings_step),
    "faults": (None, still.faults_step),
    "battery": ("battery", still.battery_step),
    "bump": ("bump", still.bump_step),
    "emergency-stop": ("emergency_stop", still.emergency_stop_step),
    "range": ("range", still.range_step),
    "light": ("light", moving.light_step),
    "servos": ("servos", moving.servos_step),
    "wheels": ("drive", moving.wheels_step),
    "timeout": ("drive", moving.timeout_step),
}
STEPS = tuple(_STEPS)
"""Names of the steps, in their order."""


def run_selftest(
    board: Board,
    *,
    skip: Collection[str] = (),
    person: Person | None = None,
    warn: Callable[[str], None] = lambda words: None,
) -> Generator[Result, None, None]:
    """Test what the board says it has; gives the results as they come.

    Motors, servos and light are off at the end, whatever ended it. Close the iterator
    (`contextlib.closing`) if it may not be read to its end.

    Args:
        skip: names of STEPS to leave out; without "wheels" nothing turns.
        person: who answers questions; None asks none.
        warn: is told before wheels turn.
    """
    bench = Bench(board, person, warn)
    wheels_failed = False
    try:
        for name, (capability, step) in _STEPS.items():
            if capability is not None and capability not in board.info.capabilities:
                continue
            if name in skip or (name == "timeout" and "wheels" in skip):
                yield Result(name, Verdict.SKIP, "", "left out, as told")
                continue
            if name == "timeout" and wheels_failed:
                yield Result(name, Verdict.SKIP, "", "not tried: the wheels failed")
                continue
            try:
                for result in step(bench):
                    wheels_failed |= name == "wheels" and result.verdict is Verdict.FAIL
                    yield result
            except BoardError as error:
                yield _failure(name, error)
                if isinstance(error, LinkLostError):
                    return
    finally:
        _rest(board)


def _failure(step: str, error: ReflexarcError) -> Result:
    return Result(step, Verdict.FAIL, error.expected, error.found, error.remedy)


def _rest(board: Board) -> None:
    with contextlib.suppress(BoardError):
        board.stop()
        if "servos" in board.info.capabilities:
            board.release_servos()
        if "light" in board.info.capabilities:
            board.set_light("off")


__all__ = ["STEPS", "Person", "Result", "Verdict", "run_selftest"]
