"""One open port: the thread that reads it, and the window of requests on it."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.firmware_bridge.ports import close_port, open_port
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder
from reflexarc.firmware_bridge.protocol.messages import MessageType
from reflexarc.firmware_bridge.statistics import Counters
from reflexarc.firmware_bridge.window import (
    ANSWER_TIMEOUT_S,
    NoReplyError,
    Request,
    Window,
)

# Until HELLO has said how much the chip holds.
_FIRST_CAPACITY = 64
_READ_SIZE = 4096
# A full window's way there, its answers' back, and states between them.
_WINDOWS_IN_TIMEOUT = 3
_LARGEST_WINDOW = 128
_BITS_PER_BYTE = 10
# How late a repetition may be while nothing comes in. Shorter would wake an idle host.
_POLL_S = 0.02
_JOIN_TIMEOUT_S = 1.0


class Link:
    """Sends requests and gives out frames, until the port breaks or is closed.

    Args:
        port: path of the serial port.
        baudrate: bits per second, as compiled into the firmware.
        counters: of the board, shared by its links.
        on_frame: called in the reader thread with each frame and the time of its
            reception (`time.monotonic_ns`), before the request it answers ends.
        on_lost: called once in the reader thread when the port breaks.
    """

    def __init__(
        self,
        port: str,
        baudrate: int,
        *,
        counters: Counters | None = None,
        on_frame: Callable[[Frame, int], None] = lambda frame, stamp_ns: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.port = port
        self.counters = counters or Counters()
        self.heard_s = time.monotonic()
        """When the last whole frame came."""
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._serial = open_port(port, baudrate)
        self._fd = self._serial.fileno()
        self._decoder = FrameDecoder(self.counters.decoder)
        # Re-entrant: what waits for a reply may ask again from where it is told.
        self._lock = threading.RLock()
        slow_line_s = _WINDOWS_IN_TIMEOUT * _LARGEST_WINDOW * _BITS_PER_BYTE / baudrate
        self._window = Window(
            _FIRST_CAPACITY, self.counters, timeout_s=max(ANSWER_TIMEOUT_S, slow_line_s)
        )
        self._cut = False
        self._state_seq: int | None = None
        self._lost: str | None = None
        self._closing = False
        self._wake_read, self._wake_write = os.pipe()
        # A daemon: an interpreter that exits without close() must not hang on it.
        self._reader = threading.Thread(target=self._read_loop, name="board-link", daemon=True)
        self._reader.start()

    # ---- requests

    def set_window(self, capacity: int) -> None:
        """Allow so many bytes of unanswered requests."""
        self._window.capacity = capacity

    @property
    def has_room(self) -> bool:
        """Would a request be sent at once?"""
        return self._window.has_room

    def submit(self, request: Request) -> Request:
        """Send it when the window has room, and again until it is answered."""
        with self._lock:
            if self.is_lost:
                request.fail(self.lost_error(""))
            else:
                self._window.submit(request)
                self._pump()
        return request

    def request(
        self,
        type_: MessageType,
        payload: bytes = b"",
        *,
        tries: int | None = None,
        timeout_s: float | None = None,
    ) -> Frame:
        """Ask and wait for the answer.

        Raises:
            LinkLostError: no answer to any try, or the port is gone.
        """
        asked = self.submit(Request(type_, payload, tries=tries, timeout_s=timeout_s))
        try:
            return asked.future.result()
        except NoReplyError as error:
            raise self.lost_error(f"no answer to {error.args[0]} tries of {type_.name}") from error

    def forget(self) -> None:
        """End all requests: they were meant for a connection that is no more."""
        with self._lock:
            self._window.fail_all(self.lost_error("a connection that is being made anew"))

    def _pump(self) -> None:
        data = self._window.to_send(time.monotonic())
        if not data:
            return
        if self._cut:
            data = b"\0" + data
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            return  # The line does not move: it is sent again, if that still makes sense.
        except OSError as error:
            self._lose(f"{error.strerror or error} (unplugged?)")
            return
        self._cut = written < len(data)

    # ---- state of the link

    @property
    def is_lost(self) -> bool:
        """The port broke or was closed."""
        return self._closing or self._lost is not None

    def lost_error(self, found: str) -> LinkLostError:
        """The error to raise; the port's own trouble goes before `found`."""
        if self._closing:
            found = "a connection that was closed"
        return LinkLostError(
            expected=f"the board at {self.port}",
            found=self._lost or found,
            remedy="check the cable and the board's power, then connect again",
        )

    def _lose(self, reason: str) -> None:
        with self._lock:
            if self._lost is None:
                self._lost = reason
            self._window.fail_all(self.lost_error(""))

    def close(self) -> None:
        """Stop reading and free the port. May be called again."""
        with self._lock:
            if self._closing:
                return
            self._lose("a connection that was closed")
            self._closing = True
        os.write(self._wake_write, b"x")
        if threading.current_thread() is not self._reader:
            self._reader.join(_JOIN_TIMEOUT_S)
        with self._lock, contextlib.suppress(OSError):
            close_port(self._serial)
        os.close(self._wake_write)
        os.close(self._wake_read)

    # ---- reader thread

    def _read_loop(self) -> None:
        while not self._closing:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [], _POLL_S)
            if self._wake_read in ready:
                return
            data = b""
            if ready:
                try:
                    data = os.read(self._fd, _READ_SIZE)
                    reason = "" if data else "the port's end (unplugged?)"
                except BlockingIOError:
                    reason = ""
                except OSError as error:
                    reason = f"{error.strerror or error} (unplugged?)"
                if reason:
                    self._lose(reason)
                    self._on_lost()
                    return
            self._take(data)

    def _take(self, data: bytes) -> None:
        stamp_ns = time.monotonic_ns()
        self.counters.bytes_received += len(data)
        for frame in self._decoder.feed(data):
            self.heard_s = stamp_ns * 1e-9
            self._count_missed(frame)
            self._on_frame(frame, stamp_ns)
            with self._lock:
                self._window.receive(frame, stamp_ns * 1e-9)
        with self._lock:
            if not self.is_lost:
                self._pump()

    def _count_missed(self, frame: Frame) -> None:
        if frame.type != MessageType.STATE:
            return
        if self._state_seq is not None:
            self.counters.states_missed += (frame.seq - self._state_seq - 1) & 0xFF
        self._state_seq = frame.seq
