"""The flight log: what really happened, by simulated time. JSON lines, readable while written.

A line is ``{"kind": ..., "t": simulated seconds, ...}``. Kinds: ``start`` (the scenario and how
it is run), ``state`` (the body, every 20 ms), ``motor`` (a PWM pin changed), ``frame`` (a
frame from the host was in the chip), ``event`` (something of the scenario happened),
``picture`` (a board shows another frame), ``thing`` (a thing is elsewhere), ``view`` (the
camera took a picture), ``end`` (how it ended). `reflexarc.sim.flight_reader` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from reflexarc.core import WriteError

STATE_S = 0.02
_FLUSH_S = 0.1
_DIGITS = 6


class FlightLog:
    """Writes it. What is older than 0.1 s of simulated time is in the file, even after a kill.

    Raises:
        WriteError: there can be no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._flushed_at = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("w", encoding="utf-8", buffering=1 << 16)
        except OSError as error:
            raise _no_room(path, error) from error

    def write(self, kind: str, t: float, **values: Any) -> None:
        """Add a line.

        Args:
            kind: of line.
            t: simulated seconds.
            values: what JSON can hold; floats are rounded to a millionth.

        Raises:
            WriteError: the disk is full.
        """
        line = {"kind": kind, "t": t, **values}
        try:
            self._file.write(json.dumps(_rounded(line), separators=(",", ":")) + "\n")
            if not self._flushed_at <= t < self._flushed_at + _FLUSH_S:
                self._file.flush()
                self._flushed_at = t
        except OSError as error:
            raise _no_room(self.path, error) from error

    def flush(self) -> None:
        """Make all of it readable now."""
        self._file.flush()

    def close(self) -> None:
        """Finish it. May be called again."""
        self._file.close()

    def __enter__(self) -> FlightLog:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def _no_room(path: Path, error: OSError) -> WriteError:
    return WriteError(
        expected=f"to write the flight log {path}",
        found=error.strerror or str(error),
        remedy="check the folder's rights and room, or name another one",
    )
