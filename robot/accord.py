"""Two gates in a row, the brain's and the base's, that stop and arm as one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from reflexarc.core import ReflexarcError
from reflexarc.robot.gate import Gate, GateState

_AGAIN_S = 0.5


class Accord:
    """Keeps the brain's gate in step with what the base says of its own.

    A stop of either latches both; who arms the base arms both. To be told of every state.

    Args:
        gate: the brain's.
        stop_base: latches the base's, with a reason; may fail, it is asked again.
        clock_ns: the time, for tests.
    """

    def __init__(
        self,
        gate: Gate,
        stop_base: Callable[[str], None],
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._gate = gate
        self._stop_base = stop_base
        self._clock_ns = clock_ns
        self._was_armed = False
        self._asked_ns: int | None = None

    def take(self, base: str, reason: str) -> None:
        """The base's gate is "armed", "disarmed" or "stopped", and why."""
        now = self._clock_ns()
        is_armed = base == "armed"
        begins = is_armed and not self._was_armed
        self._was_armed = is_armed
        if not is_armed:
            self._asked_ns = None
            if self._gate.state is GateState.ARMED:
                with contextlib.suppress(ReflexarcError):
                    self._gate.stop(reason or base, now)
        elif self._gate.state is GateState.ARMED:
            self._asked_ns = None
        elif begins:
            self._gate.arm(now)
        elif self._asked_ns is None or now - self._asked_ns > _AGAIN_S * 1e9:
            self._asked_ns = now
            self._stop_base(self._gate.reason)
