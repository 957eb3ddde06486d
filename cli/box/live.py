"""A run under way: what has happened so far, and the robot to speak with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reflexarc.cli.box.engines import Engine
from reflexarc.cli.box.tail import Tail
from reflexarc.sim.scenario import Scenario


@dataclass
class Live:
    """A run under way, for whoever watches or takes part.

    Attributes:
        scenario: what is run.
        engine: of the robot; its children can be killed.
        tail: the flight log so far.
        begin_s: simulated seconds at which the scenario began.
        events, observations, replies, states, orders, failures: (monotonic ns, value) so far.
    """

    scenario: Scenario
    engine: Engine
    tail: Tail
    begin_s: float = 0.0
    events: list[tuple[int, Any]] = field(default_factory=list)
    observations: list[tuple[int, Any]] = field(default_factory=list)
    replies: list[tuple[int, Any]] = field(default_factory=list)
    states: list[tuple[int, Any]] = field(default_factory=list)
    orders: list[tuple[int, str]] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    pictures: list[tuple[int, Path]] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Simulated seconds since the scenario began."""
        return self.tail.now - self.begin_s

    @property
    def state(self) -> dict[str, Any]:
        """The robot's newest: connection, gate, gate_reason; {} before the first."""
        return self.states[-1][1] if self.states else {}

    def count(self, kind: str, do: str | None = None) -> int:
        """How many events of a kind, about an action if one is named."""
        return sum(
            event["event"] == kind and (do is None or (event["action"] or {}).get("do") == do)
            for _, event in self.events
        )

    @staticmethod
    def clock_ns() -> int:
        """The clock of all these times."""
        return time.monotonic_ns()

    def say(self, text: str) -> None:
        """Give the robot an order."""
        self.orders.append((self.clock_ns(), text))
        self.engine.tell(order=text)

    def take(self) -> bool:
        """Take what the robot has said; whether there was anything."""
        kinds = {
            "event": self.events,
            "reply": self.replies,
            "state": self.states,
            "failed": self.failures,
        }
        anything = False
        for heard_ns, line in self.engine.take():
            anything = True
            stamp_ns = int(line.get("mono_ns", heard_ns))
            for kind, lines in kinds.items():
                if kind in line:
                    lines.append((stamp_ns, line[kind]))
            if "observation" in line:
                seen = {**line["observation"], "size": line.get("size")}
                self.observations.append((seen["stamp_ns"], seen))
            elif "picture" in line:
                self.pictures.append((line["stamp_ns"], Path(line["picture"])))
        return anything
