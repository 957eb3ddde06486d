"""A device as a camera: the newest frame first, and what breaks is opened again."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from reflexarc.core import ReflexarcError
from reflexarc.perception.cameras.base import Camera, CameraError, Device, Shot
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.reader import Reader
from reflexarc.perception.cameras.statistics import CameraStatistics, Health, Meter, OutageLog
from reflexarc.perception.frame import Frame

log = logging.getLogger("reflexarc.cameras")

_OPENING_S = 20.0  # a USB camera may take some seconds; longer is a hang
_BACKOFF_S = (0.25, 10.0)  # the first pause, doubled each time up to the second
_HUNG = 3  # readers that may hang at a time; a device that never returns is tried no more often
_CLOSING_S = 0.5  # a device that takes longer is left to its thread
_LOOK_S = 0.5
_CORRUPT_IN_A_ROW = 100


class LiveCamera(Camera):
    """Reads a device in a thread of its own.

    A frame that is not taken before the queue is full makes room for a newer one. A device
    that fails is opened again, with pauses that double; one that gives nothing for a while
    is left to itself and opened anew. All of it is in `statistics`, and is logged as
    warnings of the logger ``reflexarc.cameras``.

    Args:
        open_device: opens it, given the number of the next frame.
        source: for frames and messages.
        queue: so many frames wait at most.
        stall: so many seconds without a frame are an outage.
        wait: so long the first opening may take, again and again; 0: its first error is
            raised at once.
        give_up: an outage of so many seconds ends the camera with an error; 0: never.
        clock: the time, for tests.

    Raises:
        ReflexarcError: as the device has it. Other exceptions come through as they are.
    """

    def __init__(
        self,
        open_device: Callable[[int], Device],
        source: str,
        *,
        queue: Annotated[int, Field(ge=1, description="frames that may wait")] = 1,
        stall: Annotated[
            float, Field(gt=0, description="seconds without a frame before it is opened again")
        ] = 5.0,
        wait: Annotated[
            float, Field(ge=0, description="seconds to wait for the camera to appear")
        ] = 0.0,
        give_up: Annotated[
            float, Field(ge=0, description="seconds of outage that end it; 0: never")
        ] = 0.0,
        clock: Clock = CLOCK,
    ) -> None:
        self.source = source
        self.live = True
        self._open_device = open_device
        self._room = queue
        self._stall_s, self._wait_s, self._give_up_s = stall, wait, give_up
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._closing = threading.Event()
        self._queue: deque[Frame] = deque()
        self._health: Health = "opening"
        self._failure: Exception | None = None
        self._meter = Meter()
        self._seq = self._given = self._dropped = self._bad = self._corrupt_in_a_row = 0
        self._stamp_ns = -1
        self._outages = OutageLog()
        self._hung: list[Reader] = []
        self._born_ns = clock.now_ns()
        self._is_open = False
        self._read_by(Reader(self))
        try:
            self._first_opening()
        except BaseException:  # Ctrl-C while it waits, too
            self.close()
            raise

    def __iter__(self) -> Iterator[Frame]:
        """The newest frames from now on, until the source ends or the camera is closed."""
        while (frame := self._take()) is not None:
            yield frame

    def statistics(self) -> CameraStatistics:
        """How it is doing now."""
        with self._changed:
            self._look_after_it()
            return CameraStatistics(
                self._health,
                self._meter.captured,
                self._given,
                self._dropped,
                self._bad,
                self._meter.fps(),
                self._meter.size,
                self._outages.list(),
                self._outages.failures,
                self._outages.recoveries,
            )

    def close(self) -> None:
        """End it. A device that hangs is left to a thread that closes it when it returns."""
        with self._changed:
            if self._closing.is_set():
                return
            self._closing.set()
            self._health = "closed"
            self._queue.clear()
            self._changed.notify_all()
        self._reader.interrupt()
        if threading.current_thread() is not self._reader:
            self._reader.join(_CLOSING_S)

    # --- the user's side ---

    def _first_opening(self) -> None:
        limit_s = max(self._wait_s, _OPENING_S)
        with self._changed:
            while not self._is_open and self._failure is None:
                if self._clock.now_ns() - self._born_ns > limit_s * 1e9:
                    self._failure = CameraError(
                        expected=f"the camera {self.source} to open",
                        found=f"no answer in {limit_s:.0f} s",
                        remedy="unplug it and plug it in again, or restart what serves it",
                    )
                    break
                self._clock.wait(self._changed, _LOOK_S)
        if not self._is_open and self._failure is not None:
            raise self._failure

    def _take(self) -> Frame | None:
        with self._changed:
            while not self._closing.is_set():
                if self._queue:
                    self._given += 1
                    self._changed.notify_all()
                    return self._queue.popleft()
                if self._health == "ended":
                    return None
                if self._failure is not None:
                    raise self._failure
                self._look_after_it()
                self._clock.wait(self._changed, min(_LOOK_S, self._stall_s / 4))
        return None

    def _look_after_it(self) -> None:
        """Notice that nothing comes. Called whenever somebody asks for anything."""
        reader, now_ns = self._reader, self._clock.now_ns()
        if self._closing.is_set() or self._failure is not None:
            return
        limit_s = {"opening": _OPENING_S, "reading": self._stall_s}.get(reader.phase)
        if limit_s is None or now_ns - reader.since_ns < limit_s * 1e9:
            return
        what = "did not open" if reader.phase == "opening" else "gave no frame"
        if not self._broke(
            CameraError(
                expected=f"the camera {self.source} to give frames",
                found=f"it {what} for {limit_s:g} s",
                remedy="it is opened again by itself",
            ),
            "stalled",
        ):
            return
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        if len(self._hung) < _HUNG:
            self._hung.append(reader)
            self._read_by(Reader(self, self._pause_s()))
            reader.interrupt()
        else:
            reader.since_ns = now_ns  # look again later

    def _read_by(self, reader: Reader) -> None:
        self._reader = reader
        reader.start()

    # --- the reader's side ---

    def open_device(self) -> Device:
        """Open the device. The first frame, not this, ends an outage."""
        device = self._open_device(self._seq)
        with self._changed:
            self.live = device.live
            self._is_open = True
            self._changed.notify_all()
        return device

    def is_current(self, reader: Reader) -> bool:
        """Whether what this reader brings is still wanted."""
        return reader is self._reader and not self._closing.is_set() and self._failure is None

    def put(self, reader: Reader, shot: Shot) -> None:
        """Take a frame from a reader; one that hung and came back is not heard."""
        if (fault := shot.fault()) is not None:
            self.corrupt(reader, fault)
            return
        now_ns = self._clock.now_ns()
        with self._changed:
            while len(self._queue) >= self._room and not self.live and self.is_current(reader):
                reader.enter("waiting")
                self._changed.wait()
            if not self.is_current(reader):
                return
            stamp_ns = now_ns if shot.stamp_ns is None else shot.stamp_ns
            self._stamp_ns = max(stamp_ns, self._stamp_ns + 1)
            image = np.ascontiguousarray(shot.image)
            frame = Frame(image, self._stamp_ns, self._seq, self.source)
            self._seq += 1
            self._corrupt_in_a_row = 0
            self._recovered(now_ns)
            self._meter.count(frame)
            reader.enter("reading")
            if len(self._queue) >= self._room:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(frame)
            self._changed.notify_all()

    def corrupt(self, reader: Reader, fault: str) -> None:
        """A frame came that cannot be used. That alone is no sign of life."""
        with self._changed:
            if not self.is_current(reader):
                return
            self._bad += 1
            self._seq += 1
            self._corrupt_in_a_row += 1
            if self._corrupt_in_a_row < _CORRUPT_IN_A_ROW:
                return
            self._corrupt_in_a_row = 0
        raise CameraError(
            expected=f"whole frames from {self.source}",
            found=f"{_CORRUPT_IN_A_ROW} bad ones in a row (the last: {fault})",
            remedy="check the cable or the network, or ask for a smaller size",
        )

    def ended(self, reader: Reader) -> None:
        """No more frames will come."""
        with self._changed:
            if self.is_current(reader):
                self._health = "ended"
                self._changed.notify_all()

    def broke(self, reader: Reader, error: Exception) -> float | None:
        """Note a failure; gives the pause before the next opening, None for no more."""
        with self._changed:
            if not self.is_current(reader):
                return None
            if not self._is_open:
                waited_s = (self._clock.now_ns() - self._born_ns) * 1e-9
                if waited_s >= self._wait_s:
                    self._failure = error
                    self._changed.notify_all()
                    return None
                return _BACKOFF_S[0]
            return self._pause_s() if self._broke(error, "reopening") else None

    def pause(self, seconds: float) -> None:
        """Let time pass, unless the camera is closed."""
        self._clock.sleep(seconds, self._closing)

    def now_ns(self) -> int:
        """The time."""
        return self._clock.now_ns()

    def _broke(self, error: Exception, health: Health) -> bool:
        now_ns = self._clock.now_ns()
        what = error.found if isinstance(error, ReflexarcError) else repr(error)
        if self._outages.began(now_ns, what):
            self._meter.interrupted()
            log.warning("%s: %s; it is opened again", self.source, what)
        self._health = health
        if 0 < self._give_up_s <= self._outages.lasting_s(now_ns):
            self._health, self._failure = "failed", error
        self._changed.notify_all()
        return self._failure is None

    def _pause_s(self) -> float:
        doublings = min(max(self._outages.attempts - 1, 0), 30)
        return min(_BACKOFF_S[0] * 2.0**doublings, _BACKOFF_S[1])

    def _recovered(self, now_ns: int) -> None:
        self._health = "ok"
        lasted_s = self._outages.ended(now_ns)
        if lasted_s is not None:
            log.warning("%s: frames again after %.1f s", self.source, lasted_s)
