"""What every camera is: something to open, to iterate for frames, and to close."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reflexarc.core import ReflexarcError
from reflexarc.perception.frame import Frame

if TYPE_CHECKING:
    from typing_extensions import Self


class CameraError(ReflexarcError):
    """A source that cannot be opened, or that fails while it is read."""


class Camera(ABC):
    """A source of frames. One file in this folder is one kind of camera.

    A subclass says which sources are its own (`recognises`), opens one in its
    constructor, and is listed in `reflexarc.perception.cameras.CAMERAS`::

        with open_camera("pictures/") as camera:
            for frame in camera:
                ...
    """

    @classmethod
    @abstractmethod
    def recognises(cls, source: str) -> bool:
        """Whether `source`, as the user typed it, is for this kind of camera."""

    @abstractmethod
    def __init__(self, source: str) -> None:
        """Open it.

        Raises:
            CameraError: it is not there, or holds nothing that can be read.
        """

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Frames in order; `Frame.seq` starts at 0, stamps never go back.

        Raises:
            CameraError: while reading. Every frame that could be read has been
                given before.
        """

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open
        """Let go of devices and files. Calling it twice is fine."""

    def __enter__(self) -> Self:
        """The camera itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()
