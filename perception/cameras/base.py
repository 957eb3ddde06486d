"""What every camera is to its user, and what there is to write for a new one."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.statistics import CameraStatistics, Health, Meter
from reflexarc.perception.frame import Frame

if TYPE_CHECKING:
    from typing_extensions import Self

Image = npt.NDArray[np.uint8]


class CameraError(ReflexarcError):
    """A source that cannot be opened, or that fails while it is read."""


class CorruptFrame(CameraError):  # noqa: N818 - no reason to end
    """One frame that cannot be used; the next may be whole."""


class Camera(ABC):
    """A source of frames, as `open_camera` gives it::

        with open_camera("0") as camera:
            for frame in camera:
                ...

    Attributes:
        source: what the user named, without a password.
        live: frames come whether they are taken or not, so only the newest waits; else
            the source waits, and nothing is lost.
    """

    source: str
    live: bool = False

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Frames in order; `Frame.seq` counts from 0, stamps never go back.

        Raises:
            CameraError: while reading. Every frame that could be read has been
                given before.
        """

    @abstractmethod
    def statistics(self) -> CameraStatistics:
        """How it is doing; from any thread, at any time."""

    @abstractmethod
    def close(self) -> None:
        """End the iteration and let go of devices and files.

        From any thread, and twice is fine. Returns soon, even when the source hangs.
        """

    def __enter__(self) -> Self:
        """The camera itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()


class FileCamera(Camera):
    """A camera that waits for its user: files, mostly. A subclass gives `frames`.

    Args:
        source: what the user named.
        paced: give each frame no sooner than its stamp.
        clock: the time, for tests.
    """

    USAGE: ClassVar[str] = ""
    """How its sources are written, for the list of cameras."""

    @staticmethod
    def missing() -> str | None:
        """What has to be installed before it can be used, as an order; None if nothing."""
        return None

    def __init__(self, source: str, *, paced: bool = False, clock: Clock = CLOCK) -> None:
        self.source = source
        self._paced = paced
        self._clock = clock
        self._closing = threading.Event()
        self._ended = False
        self._meter = Meter()

    @abstractmethod
    def frames(self) -> Generator[Frame, None, None]:
        """All frames, from the first. The generator is closed when the camera is."""

    def __iter__(self) -> Iterator[Frame]:
        """Frames, from the first, each time."""
        self._ended = False
        with closing(self.frames()) as frames:
            for frame in frames:
                if self._paced:
                    early_ns = frame.stamp_ns - self._clock.now_ns()
                    self._clock.sleep(early_ns * 1e-9, self._closing)
                if self._closing.is_set():
                    return
                self._meter.count(frame)
                yield frame
                if self._closing.is_set():
                    return
        self._ended = True

    def statistics(self) -> CameraStatistics:
        """Nothing is ever dropped here."""
        meter = self._meter
        given = meter.captured
        health: Health = "ok" if given else "opening"
        if self._closing.is_set():
            health = "closed"
        elif self._ended:
            health = "ended"
        return CameraStatistics(
            health,
            meter.captured,
            meter.captured,
            bad=self._bad(),
            fps=meter.fps(),
            size=meter.size,
        )

    def _bad(self) -> int:
        return 0

    def close(self) -> None:
        """End the iteration before its next frame."""
        self._closing.set()


class Shot(NamedTuple):
    """What a device gives.

    Attributes:
        image: uint8, shape (height, width, 3), RGB, the caller's to keep.
        stamp_ns: capture time on the monotonic clock; None: the time at which it was given.
    """

    image: Image
    stamp_ns: int | None = None

    def fault(self) -> str | None:
        """What is wrong with the image, None if nothing. Drivers give anything."""
        image: object = self.image
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
            return f"no uint8 array, but {getattr(image, 'dtype', type(image).__name__)}"
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            return f"shape {image.shape}, not (height, width, 3)"
        return None


class Device(ABC):
    """A live camera's hardware or stream. This is what there is to write for a new one.

    The constructor takes what stands behind the scheme in ``scheme:address`` and opens it;
    its keyword arguments with defaults are the options. It is opened, read and closed in
    one thread of its own, and opened again by a new instance when it broke. Three keyword
    arguments are given to those who name them: ``clock`` (`Clock`), ``stall`` (seconds
    after which it will be given up: a good limit for its own waiting) and ``seq`` (the
    number of the next frame; above 0 it is opened again).

    Attributes:
        live: see `Camera`; False makes `read` wait until its frame was taken.
    """

    USAGE: ClassVar[str] = ""
    """How its sources are written, for the list of cameras."""

    live: bool = True

    @abstractmethod
    def __init__(self, address: str) -> None:
        """Open it.

        Raises:
            CameraError: with the remedy.
        """

    @abstractmethod
    def read(self) -> Shot | None:
        """Wait for the next frame; None when there will be no more.

        Raises:
            CorruptFrame: this frame is lost.
            CameraError: it has to be opened again. (Any other exception does the same.)
        """

    def close(self) -> None:  # noqa: B027 - some hold nothing open
        """Let go of it."""

    def interrupt(self) -> None:  # noqa: B027 - most cannot
        """Make a `read` that waits return soon. From another thread; never waits."""

    @staticmethod
    def missing() -> str | None:
        """What has to be installed before it can be used, as an order; None if nothing."""
        return None
