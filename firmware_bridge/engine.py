"""What both faces of a board share: the connection, kept up, and what has come over it.

Three threads touch it: callers, the link's reader (states), and a supervisor that
watches over the connection, makes it again, and compares the clocks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import TypeVar

from reflexarc.firmware_bridge import commands, handshake
from reflexarc.firmware_bridge.clock_sync import ClockEstimate, ClockSync, Exchange
from reflexarc.firmware_bridge.commands import Command
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardFaultError,
    BoardRestartedError,
    CommandRefusedError,
    LinkLostError,
    SettingsError,
)
from reflexarc.firmware_bridge.faults import FAULTS, fault_names, reset_names
from reflexarc.firmware_bridge.hotplug import POLL_S, Hotplug
from reflexarc.firmware_bridge.link import Link
from reflexarc.firmware_bridge.ports import Port, describe_port, list_ports
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import Frame
from reflexarc.firmware_bridge.protocol.messages import MessageType, Status
from reflexarc.firmware_bridge.state import BoardState, StateMerger
from reflexarc.firmware_bridge.statistics import Counters
from reflexarc.firmware_bridge.window import NoReplyError, Request

T = TypeVar("T")

# Thirty states in a row are missing: ask.
_SILENCE_S = 0.3
# The same for a link that stays open: then open the port anew. Later than a USB hub needs.
_DEAF_S = 2.0
_WATCH_EVERY_S = 0.05
_CLOCK_EVERY_S = 0.5
_FIRST_EXCHANGES = 8
# close() is on the way out and may be in a hurry.
_CLOSING_TRIES = 8
_JOIN_TIMEOUT_S = 3.0
_FLASH = "flash the firmware that belongs to this version"


class ConnectionStatus(Enum):
    """How things stand between host and chip."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    RESTARTED = "restarted"
    """Connected again, to a chip that had started anew: `rearm` takes it as it is."""
    CLOSED = "closed"


class Engine:
    """One board's connection. Args as `Board.connect`."""

    def __init__(self, port: str, baudrate: int, timeout_s: float, reconnect: bool) -> None:
        self.counters = Counters()
        self.news = threading.Condition()
        """Notified at every new state and every change of `status`."""
        self.state: BoardState | None = None
        self.status = ConnectionStatus.CONNECTED
        self.clock: ClockEstimate | None = None
        self.listeners: list[Callable[[], None]] = []
        """Called after `news`, from any thread."""
        self._baudrate = baudrate
        self._reconnects = reconnect
        self._session = secrets.randbelow((1 << 32) - 1) + 1
        self._clock = ClockSync()
        self._merger = StateMerger(0)
        self._next_clock_s = 0.0
        self._restart_seen = False
        self._awaits_rearm = False
        """The chip has started anew since `rearm`, however often it was reached since."""
        self._trouble = ""
        self.port: Port = describe_port(port)
        self.link = self._open(port)
        try:
            self._greet(timeout_s)
        except BaseException:
            self.link.close()
            raise
        self._ending = threading.Event()
        self._supervisor = threading.Thread(
            target=self._supervise, name="board-supervisor", daemon=True
        )
        self._supervisor.start()

    # ---- commands

    def submit(self, command: Command[T], tries: int | None = None) -> Future[Frame]:
        """Send a command; `result` makes its frame a result.

        Raises:
            LinkLostError, BoardRestartedError: nothing was sent.
        """
        self.check(command)
        request = Request(command.type, command.payload, command.key, command.urgent)
        if tries is not None:
            request.tries = tries
        return self.link.submit(request).future

    def result(self, command: Command[T], future: Future[Frame]) -> T:
        """Wait for the reply and read it.

        Raises:
            LinkLostError, BoardRestartedError, CommandSupersededError: it did not come.
            BoardFaultError, SettingsError, CommandRefusedError: the chip said no.
        """
        try:
            return self.read(command, future.result())
        except NoReplyError as error:
            raise self.no_reply(command, error) from error

    def run(self, command: Command[T], tries: int | None = None) -> T:
        """`submit` and `result`."""
        return self.result(command, self.submit(command, tries))

    def no_reply(self, command: Command[T], error: NoReplyError) -> LinkLostError:
        """The error for a command that nobody answered."""
        return self.link.lost_error(f"no answer to {error.args[0]} tries of {command.type.name}")

    def check(self, command: Command[T] | None = None) -> None:
        """Raise what stands in the way of a command, or of waiting for a state."""
        if self.status is ConnectionStatus.RECONNECTING:
            raise LinkLostError(
                expected=f"the board at {self.port.device}",
                found=self._trouble,
                remedy="check the cable and the board's power; it is connected again by itself",
            )
        if self.status is ConnectionStatus.RESTARTED and (command is None or command.moves):
            raise self._restarted_error()
        if self.link.is_lost:
            raise self.link.lost_error("")

    def read(self, command: Command[T], frame: Frame) -> T:
        """A reply's meaning."""
        if frame.type != MessageType.ACK:
            return command.parse(frame.payload)
        ack = messages.Ack.unpack(frame.payload)
        if ack.status == Status.OK:
            return command.parse(b"")
        if ack.status == Status.HELLO_REQUIRED:
            self._restart_seen = True
            raise self._restarted_error()
        raise _refusal(command, ack)

    def _restarted_error(self) -> BoardRestartedError:
        causes = ", ".join(reset_names(self.hello.reset_cause)).replace("_", " ")
        known = f" ({causes})" if self.status is ConnectionStatus.RESTARTED else ""
        found = f"a chip that has started again{known}"
        if self.status is ConnectionStatus.RESTARTED and self.hello.last_session not in (
            0,
            self._session,
        ):
            found = "a chip that another program has talked to in the meantime"
        again = "rearm it" if self._reconnects else "connect again"
        return BoardRestartedError(
            expected=f"the board at {self.port.device} in mid-session",
            found=found,
            remedy=f"check its power supply, then {again}",
        )

    def rearm(self) -> None:
        """Take a restarted chip as it is."""
        if self.status is ConnectionStatus.RESTARTED:
            self._awaits_rearm = False
            self._set_status(ConnectionStatus.CONNECTED)

    # ---- frames that come

    def _take(self, frame: Frame, stamp_ns: int) -> None:
        try:
            if frame.type == MessageType.HELLO_REPLY:
                self._start_anew(messages.HelloReply.unpack(frame.payload))
            elif frame.type in (MessageType.HEALTH, MessageType.GET_HEALTH_REPLY):
                self._merger.take_health(messages.Health.unpack(frame.payload))
            elif frame.type in (MessageType.STATE, MessageType.GET_STATE_REPLY):
                message = messages.State.unpack(frame.payload)
                state = self._merger.take_state(message, stamp_ns, self.clock)
                if state is not None:
                    self._tell(state)
        except struct.error:
            return  # A newer firmware's, of another length.

    def _tell(self, state: BoardState | None = None) -> None:
        with self.news:
            if state is not None:
                self.state = state
            self.news.notify_all()
        for listener in tuple(self.listeners):
            listener()

    def _set_status(self, status: ConnectionStatus) -> None:
        if self.status is not ConnectionStatus.CLOSED:
            self.status = status
        self._tell()

    # ---- connecting

    def _open(self, port: str) -> Link:
        return Link(
            port, self._baudrate, counters=self.counters, on_frame=self._take, on_lost=self._tell
        )

    def _greet(self, timeout_s: float) -> None:
        hello = handshake.shake_hands(self.link, timeout_s, self._session)
        if self._restart_seen and hello.last_session == self._session:
            # The reply that told of the restart got lost.
            hello = dataclasses.replace(hello, last_session=0)
            self._start_anew(hello)
        self.hello = hello
        self._restart_seen = False
        self.link.set_window(self.hello.receive_buffer)
        self._next_clock_s = 0.0

    def _start_anew(self, hello: messages.HelloReply) -> None:
        """Before the states that follow a HELLO: what was known of the chip's time and
        place holds only if it has lived on."""
        if hello.last_session == self._session:
            return
        self._merger = StateMerger(hello.reset_cause)
        self.state, self.clock, self._clock = None, None, ClockSync()

    def _supervise(self) -> None:
        while not self._ending.wait(_WATCH_EVERY_S):
            # Whatever goes wrong here is the connection's trouble, and there is a next time.
            with contextlib.suppress(BoardError):
                if self._reconnects and (self.link.is_lost or self._restart_seen):
                    self._connect_again()
                elif self.link.is_lost:
                    continue
                elif time.monotonic() - self.link.heard_s > _SILENCE_S:
                    self._ask_a_silent_chip()
                elif time.monotonic() >= self._next_clock_s:
                    self._compare_clocks()

    def _ask_a_silent_chip(self) -> None:
        try:
            self.run(commands.get_health())
        except BoardRestartedError:
            raise
        except LinkLostError as error:
            if self._reconnects and not self._ending.is_set():
                self._trouble = error.found
                self._connect_again()

    def _connect_again(self) -> None:
        if not self._restart_seen:
            self._trouble = self._trouble or self.link.lost_error("silence").found
            self._set_status(ConnectionStatus.RECONNECTING)
        hotplug = Hotplug()
        while not self._ending.is_set():
            try:
                if self.link.is_lost:
                    self.link.close()
                    self.link = self._open(self._find())
                self.link.forget()
                self._greet(_DEAF_S)
            except BoardError as error:
                self._trouble = error.found
                self.link.close()
                self._set_status(ConnectionStatus.RECONNECTING)
                hotplug.wait(POLL_S)
                continue
            self._trouble = ""
            self.counters.reconnects += 1
            self._awaits_rearm |= self.hello.last_session != self._session
            self._set_status(
                ConnectionStatus.RESTARTED if self._awaits_rearm else ConnectionStatus.CONNECTED
            )
            return

    def _find(self) -> str:
        """The port's name now: after replugging it may be another."""
        if self.port.usb_id is not None:
            for port in list_ports():
                if port.is_same_device(self.port):
                    self.port = port
        return self.port.device

    def _compare_clocks(self) -> None:
        count = _FIRST_EXCHANGES if self.clock is None else 1
        self._next_clock_s = time.monotonic() + _CLOCK_EVERY_S
        merger = self._merger
        for _ in range(count):
            # Not repeated: which of two tries was answered nobody knows.
            sent_ns = time.monotonic_ns()
            try:
                reply = self.run(commands.get_clock(), tries=1)
            except BoardRestartedError:
                raise
            except LinkLostError:
                continue
            arrived_ns = time.monotonic_ns()
            received_us = merger.unwrap(reply.received_us)
            self._clock.add(
                Exchange(sent_ns, received_us, merger.unwrap(reply.sent_us), arrived_ns)
            )
        self.clock = self._clock.estimate()

    # ---- the end

    def close(self) -> None:
        """Stop the motors as well as the link allows, and free the port. Never raises."""
        if self.status is ConnectionStatus.CLOSED:
            return
        self._ending.set()
        with contextlib.suppress(BoardError):
            self.run(commands.stop(), tries=_CLOSING_TRIES)
        self.status = ConnectionStatus.CLOSED
        self.link.close()
        if threading.current_thread() is not self._supervisor:
            self._supervisor.join(_JOIN_TIMEOUT_S)
        self.link.close()  # One that the supervisor had just opened.
        self._tell()

    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the chip's start."""
        words = {
            "watchdog": "the chip's last start was its watchdog's doing: its program hung",
            "brown_out": "the chip's last start came from a voltage dip: check the power supply",
            "stack_overflow": "the chip's last start came from a full stack: report it",
        }
        found = [words[name] for name in reset_names(self.hello.reset_cause) if name in words]
        if self.hello.settings_source == messages.SettingsSource.EMPTY:
            found.append("EEPROM is empty: built-in settings hold; calibrate and save")
        elif self.hello.settings_source == messages.SettingsSource.CORRUPT:
            found.append("EEPROM is corrupt: built-in settings hold; calibrate and save again")
        return tuple(found)


def _refusal(command: Command[T], ack: messages.Ack) -> CommandRefusedError | SettingsError:
    name = command.type.name
    if ack.status == Status.FAULT:
        faults = [FAULTS[fault] for fault in sorted(fault_names(ack.detail))]
        return BoardFaultError(
            expected=f"{name} to be accepted",
            found=", ".join(fault.cause for fault in faults) or f"fault {ack.detail:#06x}",
            remedy=faults[0].remedy if faults else "clear the fault",
        )
    if ack.status == Status.BAD_VALUE:
        return SettingsError(
            expected="settings within the chip's ranges",
            found=f"{name} refused",
            remedy="see the ranges in docs/bridge.md",
        )
    if ack.status == Status.BUSY:
        return CommandRefusedError(
            expected=f"{name} to be accepted",
            found="motors that are on, or EEPROM being written",
            remedy="stop the motors, wait a moment, and say it again",
        )
    known = ack.status in set(Status)
    return CommandRefusedError(
        expected=f"{name} to be accepted",
        found=Status(ack.status).name if known else f"status {ack.status}",
        remedy=_FLASH,
    )
