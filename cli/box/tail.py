"""The flight log followed while it is written: what time it is in the simulation, and where
the robot is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reflexarc.sim.scenario import Near
from reflexarc.sim.world import Body, is_true

_STANDING_MPS = 0.01


class Tail:
    """Reads what has been added.

    Attributes:
        state: the newest ``state`` line; {} before the first.
        events: all ``event`` lines.
        ended: the ``end`` line, once it is there.
    """

    def __init__(self, path: Path) -> None:
        self.state: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.ended: dict[str, Any] | None = None
        self._path = path
        self._at = 0
        self._moved_at = 0.0

    def read(self) -> bool:
        """Read on; whether there was anything new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except FileNotFoundError:
            return False
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            values = json.loads(line)
            if values["kind"] == "state":
                self.state = values
                if max(map(abs, values["wheel_speed"])) > _STANDING_MPS:
                    self._moved_at = self.now
            elif values["kind"] == "event":
                self.events.append(values)
            elif values["kind"] == "end":
                self.ended = values
        return bool(whole)

    @property
    def now(self) -> float:
        """Simulated seconds."""
        return float(self.state.get("t", 0.0))

    def happened(self, name: str) -> list[float]:
        """When events of this name ("unplug") happened."""
        return [float(event["t"]) for event in self.events if name in event["do"]]

    def holds(self, near: Near, begin: float) -> bool:
        """Whether the robot has come so far since the scenario began (simulated seconds)."""
        if not self.state:
            return False
        still_s = self.now - max(self._moved_at, begin)
        x, y, yaw = self.state["pose"]
        return is_true(near, self.now - begin, Body(x, y, yaw, still_s))
