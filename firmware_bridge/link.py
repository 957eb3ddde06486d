"""The serial link: frames out, frames in, and requests that are repeated until answered."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from reflexarc.firmware_bridge.errors import CommandSupersededError, LinkLostError
from reflexarc.firmware_bridge.ports import open_port
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame, FrameDecoder, encode_frame
from reflexarc.firmware_bridge.protocol.messages import MessageType

# A round trip is below 2 ms; a busy host may take longer to look. Repeating too
# early costs a frame, and requests are idempotent.
ANSWER_TIMEOUT_S = 0.025
# With 1 % of all bytes broken, one try in five fails: twelve in a row once in 10^8.
TRIES = 12

# A CRC that leaves 0 cannot see a lost byte at the end when the checksum itself
# ends with 0x00 (1 frame in 256): the length has to tell. The answer to HELLO is not
# here, since another version's may be longer or shorter.
_PAYLOAD_SIZE: dict[int, int] = {
    message.TYPE: message.LAYOUT.size
    for message in (messages.DriveAck, messages.State, messages.Ack)
}

_READ_SIZE = 4096
_JOIN_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class LinkStatistics:
    """Counts since the link was opened."""

    frames_received: int
    frames_sent: int
    retransmissions: int
    """Requests sent again because no answer came in time."""
    crc_errors: int
    """Frames from the chip that failed their checksum."""
    framing_errors: int
    """Frames from the chip that were not even frames."""
    states_missed: int
    """Gaps in the state stream's numbering."""


class _Pending:
    def __init__(self) -> None:
        self.answered = threading.Event()
        self.reply: Frame | None = None


class Link:
    """One open port and the thread that reads it.

    Args:
        port: path of the serial port.
        baudrate: bits per second, as compiled into the firmware.
        on_frame: called in the reader thread, with the time of reception
            (`time.monotonic_ns`), for each frame that answers no request.
        on_lost: called once in the reader thread when the port breaks.
    """

    def __init__(
        self,
        port: str,
        baudrate: int,
        *,
        on_frame: Callable[[Frame, int], None] = lambda frame, stamp_ns: None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.port = port
        self.bytes_received = 0
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._serial = open_port(port, baudrate)
        self._decoder = FrameDecoder()
        self._pending: dict[int, _Pending] = {}
        self._write_lock = threading.Lock()
        self._seq = 0
        self._motion_epoch = 0
        self._frames_sent = 0
        self._retransmissions = 0
        self._states_missed = 0
        self._wrong_lengths = 0
        self._state_seq: int | None = None
        self._lost: str | None = None
        self._closing = False
        self._wake_read, self._wake_write = os.pipe()
        # A daemon: an interpreter that exits without close() must not hang on it.
        self._reader = threading.Thread(target=self._read_loop, name="board-link", daemon=True)
        self._reader.start()

    # ---- requests

    def request(
        self,
        type_: MessageType,
        payload: bytes = b"",
        *,
        tries: int = TRIES,
        timeout_s: float = ANSWER_TIMEOUT_S,
        is_motion: bool = False,
    ) -> Frame:
        """Send until answered; the request must be idempotent.

        `is_motion`: a newer motion request ends this one's repetition, so that an
        old set point never overtakes a stop.

        Raises:
            LinkLostError: no answer to any try, or the port is gone.
            CommandSupersededError: see `is_motion`.
        """
        pending = _Pending()
        with self._write_lock:
            self._seq = (self._seq + 1) & 0xFF
            seq = self._seq
            if is_motion:
                self._motion_epoch += 1
            epoch = self._motion_epoch
            self._pending[seq] = pending
        data = encode_frame(type_, seq, payload)
        try:
            for attempt in range(tries):
                with self._write_lock:
                    if is_motion and epoch != self._motion_epoch:
                        raise CommandSupersededError(
                            expected=f"an answer to {type_.name}",
                            found="a newer motion command from another thread",
                            remedy="drive from one thread, or ignore this",
                        )
                    self._write(data)
                    self._retransmissions += attempt > 0
                if pending.answered.wait(timeout_s):
                    break
        finally:
            self._pending.pop(seq, None)
        if pending.reply is None:
            raise self.lost_error(f"no answer to {tries} tries of {type_.name}")
        return pending.reply

    def send(self, type_: MessageType, payload: bytes = b"") -> None:
        """Send once and expect nothing back."""
        with self._write_lock:
            self._seq = (self._seq + 1) & 0xFF
            self._write(encode_frame(type_, self._seq, payload))

    def _write(self, data: bytes) -> None:
        if self._closing or self._lost is not None:
            raise self.lost_error("")
        try:
            self._serial.write(data)
        except OSError as error:
            self._lose(f"{error} (unplugged?)")
            raise self.lost_error("") from error
        self._frames_sent += 1

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
        if self._lost is None:
            self._lost = reason
        for pending in list(self._pending.values()):
            pending.answered.set()

    def statistics(self) -> LinkStatistics:
        """Counts since the link was opened."""
        decoder = self._decoder.statistics
        return LinkStatistics(
            frames_received=decoder.frames,
            frames_sent=self._frames_sent,
            retransmissions=self._retransmissions,
            crc_errors=decoder.crc_errors,
            framing_errors=decoder.framing_errors + self._wrong_lengths,
            states_missed=self._states_missed,
        )

    def close(self) -> None:
        """Stop reading and free the port. May be called again."""
        if self._closing:
            return
        self._closing = True
        self._lose("a connection that was closed")
        os.write(self._wake_write, b"x")
        if threading.current_thread() is not self._reader:
            self._reader.join(_JOIN_TIMEOUT_S)
        with self._write_lock, contextlib.suppress(OSError):
            self._serial.close()
        os.close(self._wake_write)
        os.close(self._wake_read)

    # ---- reader thread

    def _read_loop(self) -> None:
        port = self._serial.fileno()
        while not self._closing:
            ready, _, _ = select.select([port, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            try:
                data = os.read(port, _READ_SIZE)
            except BlockingIOError:
                continue
            except OSError as error:
                data, reason = b"", f"{error.strerror or error} (unplugged?)"
            else:
                reason = "the port's end (unplugged?)"
            if not data:
                self._lose(reason)
                self._on_lost()
                return
            stamp_ns = time.monotonic_ns()
            self.bytes_received += len(data)
            for frame in self._decoder.feed(data):
                self._take(frame, stamp_ns)

    def _take(self, frame: Frame, stamp_ns: int) -> None:
        size = len(frame.payload)
        if _PAYLOAD_SIZE.get(frame.type, size) != size:
            self._wrong_lengths += 1
            return
        if frame.type == MessageType.STATE:
            if self._state_seq is not None:
                self._states_missed += (frame.seq - self._state_seq - 1) & 0xFF
            self._state_seq = frame.seq
            self._on_frame(frame, stamp_ns)
            return
        pending = self._pending.get(frame.seq)
        if pending is None:
            self._on_frame(frame, stamp_ns)
        else:
            pending.reply = frame
            pending.answered.set()
