"""What a run leaves: all that was seen, said and done, on simulated time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reflexarc.sim.flight_reader import Flight
from reflexarc.sim.scenario import Scenario

EngineName = Literal["process", "ros"]


OTHERS_CORES = 0.3
"""The robot as a graph in the box takes 1.5 of two cores."""


@dataclass(frozen=True)
class Check:
    """A promise, what was found, and whether it was kept.

    A check that is not `binding` depends on how busy this machine is; a miss is
    shown and does not fail the run.
    """

    name: str
    found: str
    held: bool
    binding: bool = True


@dataclass(frozen=True)
class Heard:
    """Something that the robot said, or was told.

    Attributes:
        t: simulated seconds.
        mono_ns: the machine's monotonic clock. Of an observation both are of its frame.
        value: an event, an observation, a reply or a state, as plain data; of an order its text.
    """

    t: float
    mono_ns: int
    value: Any


@dataclass
class Run:
    """One scenario from beginning to end.

    Attributes:
        scenario: as it was read.
        engine: without ROS ("process") or with it.
        folder: of flight log, robot.yaml, words of the programs, pictures.
        flight: what really happened.
        begin_s, end_s: the run in simulated seconds; before it the robot was still starting.
        events, observations, replies, states: of the robot, in order.
        orders: what it was told.
        pictures: (monotonic ns, file) of what it saw, with what it found drawn in.
        failures: what went wrong in its words: a link that broke, a start anew.
        exits: exit code of each program.
        why: it ended: "goal", "time", or what went wrong.
        real_time_factor: simulated by wall seconds of the run.
        stall_s: the longest time for which the box stood still while the clock went on.
        others_cores: what else this machine was busy with meanwhile, in cores.
        start_s: wall seconds from the first program's start to the robot's readiness.
    """

    scenario: Scenario
    engine: EngineName
    folder: Path
    flight: Flight
    begin_s: float
    end_s: float
    events: list[Heard] = field(default_factory=list)
    observations: list[Heard] = field(default_factory=list)
    replies: list[Heard] = field(default_factory=list)
    states: list[Heard] = field(default_factory=list)
    orders: list[Heard] = field(default_factory=list)
    pictures: list[tuple[int, Path]] = field(default_factory=list)
    failures: list[Heard] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)
    why: str = ""
    real_time_factor: float = 0.0
    start_s: float = 0.0
    stall_s: float = 0.0
    others_cores: float = 0.0

    @property
    def was_held_up(self) -> bool:
        """Whether this machine was so busy with other things that a failed check says nothing:
        a robot that lives in real time, and has watchdogs, needs its share of it."""
        return self.others_cores > OTHERS_CORES

    def of(self, kind: str, do: str | None = None) -> list[Heard]:
        """Events of a kind ("finished"), about an action ("move") if one is named."""
        return [
            heard
            for heard in self.events
            if heard.value["event"] == kind
            and (do is None or (heard.value["action"] or {}).get("do") == do)
        ]

    def as_dict(self) -> dict[str, Any]:
        """The figures, as plain data for JSON."""
        return {
            "scenario": self.scenario.name,
            "engine": self.engine,
            "folder": str(self.folder),
            "simulated_s": round(self.end_s - self.begin_s, 3),
            "start_s": round(self.start_s, 2),
            "real_time_factor": round(self.real_time_factor, 3),
            "longest_stall_s": round(self.stall_s, 3),
            "others_cores": round(self.others_cores, 2),
            "ended": self.why,
            "orders": [{"t": o.t, "text": o.value} for o in self.orders],
            "events": [{"t": e.t, **e.value} for e in self.events],
            "replies": [{"t": r.t, **r.value} for r in self.replies],
            "failures": [{"t": f.t, "text": f.value} for f in self.failures],
            "observations": len(self.observations),
            "exits": self.exits,
        }
