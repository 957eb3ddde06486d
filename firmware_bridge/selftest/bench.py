"""What every step of the self-test works with, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Protocol

from reflexarc.firmware_bridge.board import Board
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.state import BoardState

HEALTH_S = messages.HEALTH_PERIOD_MS / 1000


class Verdict(str, Enum):
    """Of one step."""

    PASS = "pass"
    WARN = "warn"
    """It may be meant so: a person should look."""
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Result:
    """One step's outcome; `remedy` is empty where there is nothing to do."""

    step: str
    verdict: Verdict
    expected: str
    found: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"verdict": self.verdict.value}


class Person(Protocol):
    """Somebody beside the robot."""

    def ask(self, question: str) -> bool:
        """Yes or no."""

    def tell(self, request: str) -> None:
        """Ask for something; returns at once."""

    def wait(self, request: str) -> None:
        """Ask for something; returns when it is done."""


@dataclass(frozen=True)
class Bench:
    """A board, who stands beside it, and how to wait on the chip's clock."""

    board: Board
    person: Person | None
    warn: Callable[[str], None]

    def next_state(self, after: BoardState | None = None) -> BoardState:
        """A state newer than `after`, by default than now's."""
        return self.board.wait_state(after=after)

    def states(self, seconds: float) -> Iterator[BoardState]:
        """New states for a time on the chip's clock."""
        state = self.next_state()
        end = state.chip_us + seconds * 1e6
        while state.chip_us < end:
            yield state
            state = self.next_state(state)
        yield state


Step = Callable[[Bench], Iterator[Result]]
