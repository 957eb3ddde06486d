"""The robot's board as an object: wheel speeds in, state out."""

from __future__ import annotations

import atexit
import contextlib
import struct
import threading
from dataclasses import dataclass

from reflexarc.firmware_bridge import handshake
from reflexarc.firmware_bridge.errors import (
    BoardRestartedError,
    CommandRefusedError,
    CommandSupersededError,
    LinkLostError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.link import Link, LinkStatistics
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status

# close() is on the way out and may be in a hurry.
_CLOSING_TRIES = 3
# A frame can lose its last byte unseen by the CRC (see link.py); the chip then finds
# its length wrong. Only one that says so again and again means it.
_SHORTENED_TRIES = 3


@dataclass(frozen=True)
class BoardState:
    """What the chip measured in one control period; pairs are (left, right)."""

    stamp_ns: int
    """Host's `time.monotonic_ns` when it arrived."""
    chip_us: int
    """Chip's time since its start, unwrapped."""
    encoder: tuple[int, int]
    """Counts since the chip's start; forward is positive."""
    speed: tuple[int, int]
    """Measured counts/s."""
    duty: tuple[int, int]
    """Motor drive, -255..255."""
    battery_v: float
    motors_on: bool
    host_timed_out: bool
    """The chip stopped the motors because the host was silent."""
    watchdog_reset: bool
    """The chip's last start was its watchdog's doing."""
    saturated: bool
    """A motor gets all there is."""
    rx_errors: int
    """Frames and bytes the chip has thrown away since its start."""


class Board:
    """A connected board. Use `Board.connect`, preferably in a with statement.

    Methods may be called from several threads; of two motion commands the newer
    holds. The motors run only while something is sent at least every 300 ms.
    """

    def __init__(self, port: str, baudrate: int, timeout_s: float) -> None:
        """As `connect`."""
        self.state: BoardState | None = None
        """The newest; None before the first."""
        self._news = threading.Condition()
        self._link = Link(port, baudrate, on_frame=self._take, on_lost=self._wake)
        try:
            self.hello: messages.HelloReply = handshake.shake_hands(self._link, timeout_s)
        except BaseException:
            self._link.close()
            raise
        atexit.register(self.close)

    @classmethod
    def connect(
        cls, port: str, *, baudrate: int = messages.BAUDRATE, timeout_s: float = 2.0
    ) -> Board:
        """Open `port` for this process alone and greet the board, motors off.

        `timeout_s` is long because opening the port restarts an Arduino.

        Raises:
            PortNotFoundError, PortDeniedError, PortBusyError: the port.
            NoAnswerError, ProtocolMismatchError: what is behind it.
        """
        return cls(port, baudrate, timeout_s)

    # ---- motion

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Set wheel speeds in counts/s; gives what the chip holds after clamping.

        (0, 0) brakes to a standstill.

        Raises:
            LinkLostError, BoardRestartedError: the motors stop by themselves.
            CommandRefusedError: the chip does not take it.
            CommandSupersededError: another thread's command came after this one.
        """
        # Outside int16 the field could not say it; the chip clamps lower anyway.
        speed = (_clamp_int16(left), _clamp_int16(right))
        reply = self._command(MessageType.DRIVE, messages.Drive(speed).pack())
        return messages.DriveAck.unpack(reply.payload).speed

    def stop(self) -> None:
        """Motors off at once; they coast.

        Raises:
            LinkLostError: the motors stop by themselves.
        """
        # A chip that has just started has its motors off already.
        with contextlib.suppress(BoardRestartedError):
            self._command(MessageType.STOP)

    def _command(self, type_: MessageType, payload: bytes = b"") -> Frame:
        for _ in range(_SHORTENED_TRIES):
            reply = self._link.request(type_, payload, is_motion=True)
            if reply.type != MessageType.ACK:
                return reply
            ack = messages.Ack.unpack(reply.payload)
            if ack.status == Status.OK:
                return reply
            if ack.status != Status.BAD_LENGTH:
                break
        if ack.status == Status.HELLO_REQUIRED:
            raise BoardRestartedError(
                expected=f"the board at {self._link.port} in mid-session",
                found="a chip that has started again",
                remedy="check its power supply, then connect again",
            )
        raise CommandRefusedError(
            expected=f"{type_.name} to be accepted",
            found=_status_name(ack.status),
            remedy="flash the firmware that belongs to this version",
        )

    # ---- state

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a state newer than `after` (by default: than now's).

        Raises:
            LinkLostError: the port broke, or the chip has fallen silent.
            BoardRestartedError: the chip has started again, motors off.
            StateTimeoutError: the chip answers, but sends no states.
        """
        old = after if after is not None else self.state
        with self._news:
            self._news.wait_for(lambda: self.state is not old or self._link.is_lost, timeout_s)
            if self.state is not None and self.state is not old:
                return self.state
        if self._link.is_lost:
            raise self._link.lost_error("")
        # A chip that has started again sends no states, but asked it says why. The
        # question is also the safe answer: stand still.
        with contextlib.suppress(CommandSupersededError):
            self.drive(0, 0)
        raise StateTimeoutError(
            expected=f"a state from the board at {self._link.port} within {timeout_s} s",
            found="silence",
            remedy="check the board's power, then connect again",
        )

    def statistics(self) -> LinkStatistics:
        """Counts of the link since connect."""
        return self._link.statistics()

    def _wake(self) -> None:
        with self._news:
            self._news.notify_all()

    def _take(self, frame: Frame, stamp_ns: int) -> None:
        if frame.type != MessageType.STATE:
            return  # A late second answer, or a message from a newer firmware.
        try:
            message = messages.State.unpack(frame.payload)
        except struct.error:
            return
        flags = message.flags
        before = self.state.chip_us if self.state is not None else message.t_us
        with self._news:
            self.state = BoardState(
                stamp_ns=stamp_ns,
                chip_us=before + ((message.t_us - before) & 0xFFFFFFFF),
                encoder=message.encoder,
                speed=message.speed,
                duty=message.duty,
                battery_v=message.battery_mv / 1000,
                motors_on=bool(flags & messages.FLAG_MOTORS_ON),
                host_timed_out=bool(flags & messages.FLAG_HOST_TIMEOUT),
                watchdog_reset=bool(flags & messages.FLAG_WATCHDOG_RESET),
                saturated=bool(flags & messages.FLAG_SATURATED),
                rx_errors=message.rx_errors,
            )
            self._news.notify_all()

    # ---- the end

    def close(self) -> None:
        """Stop the motors as well as the link allows, and free the port. Never raises."""
        atexit.unregister(self.close)
        with contextlib.suppress(LinkLostError, CommandSupersededError):
            if not self._link.is_lost:
                self._link.request(MessageType.STOP, tries=_CLOSING_TRIES, is_motion=True)
        self._link.close()
        self._wake()

    def __enter__(self) -> Board:
        """Itself, already connected."""
        return self

    def __exit__(self, *error: object) -> None:
        """As `close`."""
        self.close()


def _clamp_int16(value: int) -> int:
    return max(-32768, min(32767, value))


def _status_name(status: int) -> str:
    return Status(status).name if status in set(Status) else f"status {status}"
