"""Frames from one process to others on this machine: shared memory, and a bell.

The file is mapped by both sides. It has a header and three slots; a writer fills the
oldest one, so a reader has two frame times to copy the newest. Each slot has a lock word
that is odd while it is written, and a checksum: a reader that finds either wrong takes the
newest again, so a torn frame is never given, on any processor's memory order.

The bell is a Unix socket beside the file. The writer rings it once a frame; when the writer
dies, the kernel hangs up, so a reader knows at once and need not poll.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import socket
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError
from reflexarc.sim.sockets import connect, listen

Image = npt.NDArray[np.uint8]

_MAGIC = b"RXFRAMES"
_VERSION = 1
_SLOTS = 3
# magic, version, width, height, writer's process; then the newest frame's number + 1, ended
_HEADER = struct.Struct("<8sIIIIQI")
_NEWEST = struct.Struct("<Q")
_NEWEST_AT, _ENDED_AT = 24, 32
_SLOTS_AT = 4096
# lock, number, capture time on the monotonic clock, simulated time, checksum
_SLOT = struct.Struct("<QQqqI")
_STAMPS = struct.Struct("<Qqq")
_SLOT_ROOM = 64
_TRIES, _AGAIN_S = 200, 0.0005


class FramesError(ReflexarcError):
    """Frames that cannot be had, or whose writer is gone."""


@dataclass(frozen=True)
class StampedFrame:
    """One frame.

    Attributes:
        image: uint8 (height, width, 3), RGB, the reader's own copy.
        stamp_ns: capture time on the monotonic clock.
        sim_ns: capture time in the simulation.
        seq: from 0; a gap means frames that were not taken.
    """

    image: Image
    stamp_ns: int
    sim_ns: int
    seq: int


class FrameWriter:
    """Makes the file and fills it. Use from one thread; close it.

    Raises:
        FramesError: the file or its bell cannot be made there.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path = path
        self._width, self._height = size
        self._stride = _stride(size)
        self._seq = 0
        self._bell: socket.socket | None = None
        self._listeners: list[socket.socket] = []
        length = _SLOTS_AT + _SLOTS * self._stride
        # Made under another name: whoever finds the file finds all of it.
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("w+b") as file:
                file.truncate(length)
                self._map = mmap.mmap(file.fileno(), length)
            _HEADER.pack_into(
                self._map, 0, _MAGIC, _VERSION, self._width, self._height, os.getpid(), 0, 0
            )
            self._bell = listen(bell_path(path))
            self._bell.setblocking(False)
            unfinished.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            if self._bell is not None:
                self._bell.close()
            raise FramesError(
                expected=f"to make {path} and {bell_path(path).name} beside it",
                found=error.strerror or str(error),
                remedy="check the folder's rights and room, or name another one",
            ) from error

    def write(self, image: Image, stamp_ns: int, sim_ns: int) -> int:
        """Publish a frame; gives its number.

        Args:
            image: uint8 (height, width, 3), RGB.
            stamp_ns: capture time on the monotonic clock.
            sim_ns: capture time in the simulation.
        """
        assert image.shape == (self._height, self._width, 3) and image.dtype == np.uint8
        seq, at = self._seq, _SLOTS_AT + self._seq % _SLOTS * self._stride
        data = np.ascontiguousarray(image).tobytes()
        _NEWEST.pack_into(self._map, at, 2 * seq + 1)
        start = at + _SLOT_ROOM
        self._map[start : start + len(data)] = data
        checksum = _checksum(data, seq, stamp_ns, sim_ns)
        _SLOT.pack_into(self._map, at, 2 * seq + 1, seq, stamp_ns, sim_ns, checksum)
        _NEWEST.pack_into(self._map, at, 2 * seq + 2)
        _NEWEST.pack_into(self._map, _NEWEST_AT, seq + 1)
        self._seq += 1
        self._ring()
        return seq

    def _ring(self) -> None:
        if self._bell is None:
            return
        with contextlib.suppress(BlockingIOError):
            while True:
                listener, _ = self._bell.accept()
                listener.setblocking(False)
                self._listeners.append(listener)
        for listener in list(self._listeners):
            try:
                listener.send(b"\0")
            except BlockingIOError:  # it has thousands to take: it needs no further ring
                pass
            except OSError:
                listener.close()
                self._listeners.remove(listener)

    def close(self) -> None:
        """Say that there will be no more, and remove the file. May be called again."""
        if self._bell is None:
            return
        struct.pack_into("<I", self._map, _ENDED_AT, 1)
        self._ring()
        for each in [*self._listeners, self._bell]:
            each.close()
        self._listeners, self._bell = [], None
        self.path.unlink(missing_ok=True)
        bell_path(self.path).unlink(missing_ok=True)
        self._map.close()


class FrameReader:
    """Takes the newest frame. One thread reads; any may `interrupt`.

    Raises:
        FramesError: no such file, another kind of file, or nobody who writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0  # the newest frame's number + 1 that was given
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise FramesError(
                expected=f"frames of a simulation at {path}",
                found=getattr(error, "strerror", None) or "an empty file",
                remedy="start it first: python -m reflexarc.sim courier",
            ) from error
        try:
            self.size = _checked(self._map, path)
            self._bell = _hear(path)
        except BaseException:
            self._map.close()
            raise
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def read(self, timeout_s: float) -> StampedFrame | None:
        """Wait for a frame newer than the last; None when the writer has ended in order.

        Raises:
            FramesError: none came in time, the writer died, or it was interrupted.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self._take()
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._bell, self._woken], [], [], max(0.0, left))
            if self._woken in ready:
                raise self._gone("it was closed meanwhile")
            if self._bell in ready and not self._drain():
                frame = self._take()  # the last one, before it ended
                if frame is not None:
                    return frame
                if struct.unpack_from("<I", self._map, _ENDED_AT)[0]:
                    return None
                raise self._gone("its process died")
            if not ready and left <= 0:
                raise self._gone(f"none in {timeout_s:g} s")

    def _take(self) -> StampedFrame | None:
        width, height = self.size
        for _ in range(_TRIES):
            (newest,) = _NEWEST.unpack_from(self._map, _NEWEST_AT)
            if newest <= self._last:
                return None
            at = _SLOTS_AT + (newest - 1) % _SLOTS * _stride(self.size)
            lock, seq, stamp_ns, sim_ns, checksum = _SLOT.unpack_from(self._map, at)
            start = at + _SLOT_ROOM
            data = self._map[start : start + width * height * 3]
            (after,) = _NEWEST.unpack_from(self._map, at)
            whole = checksum == _checksum(data, seq, stamp_ns, sim_ns)
            if whole and lock == after == 2 * newest:
                self._last = newest
                image = np.frombuffer(bytearray(data), np.uint8).reshape(height, width, 3)
                return StampedFrame(image, stamp_ns, sim_ns, seq)
            time.sleep(_AGAIN_S)  # overtaken while it was copied: there is a newer one
        raise self._gone("damaged ones, again and again")

    def _drain(self) -> bool:
        """Take the rings; gives whether the writer is still there."""
        try:
            while True:
                if not self._bell.recv(4096):
                    return False
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _gone(self, found: str) -> FramesError:
        return FramesError(
            expected=f"frames from {self._path}",
            found=found,
            remedy="start the simulation again",
        )

    def interrupt(self) -> None:
        """Make a `read` that waits return soon, with an error. From any thread."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def close(self) -> None:
        """Let go of it."""
        for each in (self._bell, self._woken, self._wake):
            each.close()
        self._map.close()


def bell_path(path: Path) -> Path:
    """The socket beside a file of frames."""
    return path.with_name(f"{path.name}.bell")


def _checksum(data: bytes, seq: int, stamp_ns: int, sim_ns: int) -> int:
    return zlib.crc32(_STAMPS.pack(seq, stamp_ns, sim_ns), zlib.crc32(data))


def _hear(path: Path) -> socket.socket:
    try:
        bell = connect(bell_path(path))
    except OSError as error:
        raise FramesError(
            expected=f"a simulation that writes {path}",
            found="one that has ended",
            remedy="start it again",
        ) from error
    bell.setblocking(False)
    return bell


def _stride(size: tuple[int, int]) -> int:
    return _SLOT_ROOM + -(-size[0] * size[1] * 3 // 64) * 64


def _checked(mapped: mmap.mmap, path: Path) -> tuple[int, int]:
    found = f"{len(mapped)} bytes of something else"
    if len(mapped) >= _SLOTS_AT:
        magic, version, width, height, *_ = _HEADER.unpack_from(mapped, 0)
        if magic == _MAGIC and version == _VERSION:
            if len(mapped) == _SLOTS_AT + _SLOTS * _stride((width, height)):
                return width, height
            found = "a file that is cut off"
        elif magic == _MAGIC:
            found = f"version {version}"
    raise FramesError(
        expected=f"frames of a simulation (version {_VERSION}) in {path}",
        found=found,
        remedy="name the file that the simulation said it writes",
    )
