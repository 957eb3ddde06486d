"""Several tasks on one camera: each at its own rate, the newest frame first, nothing lags.

Every task has a thread of its own (interpreters and OpenCV release Python's lock while
they compute) and takes the newest frame when it is ready for one; what it does not get
to is dropped and counted.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from reflexarc.core import ReflexarcError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.tasks.base import Task

_KEPT = 1000
_SLOW_IN_A_ROW = 3


@dataclass(frozen=True)
class Slot:
    """A task in a pipeline.

    Attributes:
        name: for statistics; the observations keep their own.
        task: what looks.
        every_n: look at every n-th frame only.
        max_ms: slower than this three times in a row, it skips frames until its share of
            the time is what it would be at max_ms a frame.
    """

    name: str
    task: Task
    every_n: int = 1
    max_ms: float | None = None


@dataclass(frozen=True)
class SlotStatistics:
    """What became of a task's frames.

    Attributes:
        seen: frames looked at.
        dropped: frames meant for it that a newer one replaced, or its budget skipped.
        failed: frames at which it raised; `error` is the last one's words.
        wait_ms, look_ms: p50 and p99 of the time from capture to the look, and of the
            look itself, of the last 1,000 frames; None before the first.
    """

    seen: int
    dropped: int
    failed: int
    error: str
    wait_ms: tuple[float, float] | None
    look_ms: tuple[float, float] | None


@dataclass
class _Counts:
    seen: int = 0
    dropped: int = 0
    failed: int = 0
    error: str = ""
    wait_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))
    look_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))


class Pipeline:
    """Runs tasks over the frames of one source.

    Args:
        slots: the tasks.
        on_observation: called with each frame and what a task said of it, from that
            task's thread, one call at a time.
        clock_ns: the time, for tests.
    """

    def __init__(
        self,
        slots: Iterable[Slot],
        on_observation: Callable[[Frame, Observation], None],
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._tell = on_observation
        self._telling = threading.Lock()
        self._clock_ns = clock_ns
        self._frames = 0
        self._workers: list[_Worker] = []
        for slot in slots:
            self.add(slot)

    def add(self, slot: Slot) -> None:
        """Let another task look from the next frame on. From the thread that puts frames."""
        self._workers.append(_Worker(slot, self._say, self._clock_ns))

    def put(self, frame: Frame) -> None:
        """Offer a frame to all tasks. Never waits."""
        for worker in self._workers:
            if self._frames % worker.slot.every_n == 0:
                worker.put(frame)
        self._frames += 1

    def wait(self) -> None:
        """Until every task has looked at the last frame that it was offered.

        A source that can wait, a file, is seen whole with ``put`` and ``wait`` in turns.
        """
        for worker in self._workers:
            worker.wait()

    def statistics(self) -> Mapping[str, SlotStatistics]:
        """By the names of the slots."""
        return {worker.slot.name: worker.statistics() for worker in self._workers}

    def close(self) -> None:
        """Let each task finish its frame, and end. Twice is fine."""
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Pipeline:
        """The pipeline itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def _say(self, frame: Frame, observation: Observation) -> None:
        with self._telling:
            self._tell(frame, observation)


class _Worker:
    """A task's thread, and the one frame that waits for it."""

    def __init__(
        self,
        slot: Slot,
        say: Callable[[Frame, Observation], None],
        clock_ns: Callable[[], int],
    ) -> None:
        self.slot = slot
        self._say = say
        self._clock_ns = clock_ns
        self._changed = threading.Condition()
        self._waiting: Frame | None = None
        self._is_busy = False
        self._ending = False
        self._counts = _Counts()
        self._skip = 0
        self._slow = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"task-{slot.name}", daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._skip:
                self._skip -= 1
                self._counts.dropped += 1
                return
            if self._waiting is not None:
                self._counts.dropped += 1
            self._waiting = frame
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._ending or (self._waiting is None and not self._is_busy)
            )
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def statistics(self) -> SlotStatistics:
        with self._changed:
            counts = self._counts
            return SlotStatistics(
                counts.seen,
                counts.dropped,
                counts.failed,
                counts.error,
                _percentiles(counts.wait_ns),
                _percentiles(counts.look_ns),
            )

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending or self._waiting is not None)
                if self._ending:
                    return
                frame, self._waiting, self._is_busy = self._waiting, None, True
            assert frame is not None
            try:
                self._look(frame)
            except BaseException as error:  # the listener's: the next put or wait raises it
                with self._changed:
                    self._failure, self._ending = error, True
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _look(self, frame: Frame) -> None:
        start_ns = self._clock_ns()
        observation, error = None, ""
        # A frame that a task cannot take, or a device that is gone, ends neither the
        # other tasks nor this one: the next frame may do.
        try:
            observation = self.slot.task.process(frame)
        except (ReflexarcError, ValueError, RuntimeError, cv2.error) as failure:
            error = (str(failure).strip().splitlines() or [type(failure).__name__])[0]
        look_ns = self._clock_ns() - start_ns
        with self._changed:
            counts = self._counts
            counts.seen += observation is not None
            counts.failed += observation is None
            counts.error = error or counts.error
            counts.wait_ns.append(start_ns - frame.stamp_ns)
            counts.look_ns.append(look_ns)
            self._keep_to_budget(look_ns * 1e-6)
        if observation is not None:
            self._say(frame, observation)

    def _keep_to_budget(self, look_ms: float) -> None:
        if self.slot.max_ms is None:
            return
        self._slow = self._slow + 1 if look_ms > self.slot.max_ms else 0
        if self._slow >= _SLOW_IN_A_ROW:
            self._skip = math.ceil(look_ms / self.slot.max_ms) - 1


def _percentiles(times_ns: deque[int]) -> tuple[float, float] | None:
    if not times_ns:
        return None
    p50, p99 = np.percentile(np.array(times_ns) * 1e-6, (50, 99))
    return float(p50), float(p99)
