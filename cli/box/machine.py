"""How busy this machine was with other things: a robot that lives in real time needs its share."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = (3, 4)
"""Of /proc/stat's columns: idle, and waiting for a disk. Guests' time is in user time too."""
_COLUMNS = 8


class Machine:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._busy_s, self._own_s, self._begin = _busy_s(), _own_s(), time.monotonic()

    def others_cores(self) -> float:
        """Cores that others have used meanwhile, on average; ours are those of this process and
        of its children that have ended. 0 where the system does not say."""
        elapsed = time.monotonic() - self._begin
        others = (_busy_s() - self._busy_s) - (_own_s() - self._own_s)
        return max(0.0, others / max(elapsed, 1e-3))


def _busy_s() -> float:
    """CPU seconds of the whole machine, those that a hypervisor took included."""
    try:
        line = _STAT.read_text().splitlines()[0].split()[1 : 1 + _COLUMNS]
    except (OSError, IndexError):
        return 0.0
    ticks = sum(int(value) for index, value in enumerate(line) if index not in _IDLE)
    return ticks / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
