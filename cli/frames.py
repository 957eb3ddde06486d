"""Frames until the source ends, enough were taken, or somebody presses Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterable
from types import FrameType
from typing import TYPE_CHECKING

from reflexarc.core import ReflexarcError

if TYPE_CHECKING:
    from typing_extensions import Self

    from reflexarc.perception.frame import Frame


class Frames:
    """Ends a source's frames between two of them, never within one.

    A signal that comes while a frame is worked on waits until that is done, so that no
    file is left in the middle of a write; while the source is waited for it ends that at
    once. A second signal does not wait.

    Attributes:
        count: frames so far.
        interrupted: Ctrl-C (or SIGTERM) has ended it.
        failure: the source's own error has ended it. All that came before was given.
    """

    def __init__(self, most: int | None = None, seconds: float | None = None) -> None:
        self.count = 0
        self.interrupted = False
        self.failure: ReflexarcError | None = None
        self._most, self._seconds = most, seconds
        self._waiting = False
        self._before: dict[signal.Signals, object] = {}

    def of(self, source: Iterable[Frame]) -> Generator[Frame, None, None]:
        """The frames of the source."""
        frames = iter(source)
        first_ns: int | None = None
        while not self.interrupted and (self._most is None or self.count < self._most):
            try:
                self._waiting = True
                frame = next(frames, None)
                self._waiting = False
            except KeyboardInterrupt:
                self.interrupted = True
                return
            except ReflexarcError as error:
                self.failure = error
                return
            finally:
                self._waiting = False
            if frame is None:
                return
            first_ns = frame.stamp_ns if first_ns is None else first_ns
            if self._seconds is not None and frame.stamp_ns - first_ns > self._seconds * 1e9:
                return
            self.count += 1
            yield frame

    def __enter__(self) -> Self:
        """Listen to signals, which only a program's main thread can."""
        if threading.current_thread() is threading.main_thread():
            for kind in (signal.SIGINT, signal.SIGTERM):
                self._before[kind] = signal.signal(kind, self._heard)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave signals as they were."""
        for kind, handler in self._before.items():
            signal.signal(kind, handler)  # type: ignore[arg-type]

    def _heard(self, number: int, at: FrameType | None) -> None:
        again, self.interrupted = self.interrupted, True
        if self._waiting or again:
            raise KeyboardInterrupt
