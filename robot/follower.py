"""Following a board's states in a thread, over losses of the link and restarts of the chip."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardRestartedError,
    LinkLostError,
    StateTimeoutError,
)

_LOOK_AGAIN_S = 0.05
_RETURN_S = 0.5
_LOSSES = (LinkLostError, StateTimeoutError)


class Followed(Protocol):
    """What is followed (`reflexarc.firmware_bridge.Board` has it)."""

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a newer state; LinkLostError where none can come."""
        ...

    def rearm(self) -> None:
        """Take a chip that has started anew as it is."""
        ...


class Follower:
    """A thread that follows a board's states from `start` to `stop`.

    What it tells, it tells from that one thread. If a listener raises that the link is
    lost, it is; if it raises anything else, the thread ends.
    """

    def __init__(
        self,
        board: Followed,
        *,
        took: Callable[[BoardState], None],
        lost: Callable[[BoardError], None],
        is_back: Callable[[bool], None],
        failed: Callable[[BaseException], None],
        waits: Callable[[], None] = lambda: None,
    ) -> None:
        """Put it together.

        Args:
            board: connected.
            took: told of every new state.
            lost: told once that no states can come any more, until they come again.
            is_back: told that they do; or, if it is given True, that they will after
                `take_back`: the chip has started anew.
            failed: told that one of these has raised: nobody watches over the board now.
            waits: told about 20 times a second while it is lost.
        """
        self._board = board
        self._took, self._tell_lost, self._waits = took, lost, waits
        self._is_back, self._failed = is_back, failed
        self._ended = threading.Event()
        self._here = threading.Event()
        self._here.set()
        self._restarted = False
        self._thread = threading.Thread(target=self._follow, name="board states", daemon=True)

    @property
    def is_lost(self) -> bool:
        """No states come now."""
        return not self._here.is_set()

    def take_back(self) -> None:
        """Accept, on purpose, a chip that has started anew; wait until it is followed again.

        Raises:
            LinkLostError: no state comes.
        """
        if self._restarted:
            self._board.rearm()
        if not self._here.wait(_RETURN_S):
            raise LinkLostError(
                expected="the board",
                found="no word from it",
                remedy="check the cable and the board's power; when it is back, arm again",
            )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End; nothing is told any more after this, if it ends in time."""
        self._ended.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _follow(self) -> None:
        try:
            state = None
            while not self._ended.is_set():
                state = self._next(state)
        except BaseException as error:  # a listener's too: nobody would go on watching
            if not self._ended.is_set():  # else nobody listens any more
                self._ended.set()
                self._failed(error)

    def _next(self, state: BoardState | None) -> BoardState | None:
        """Wait for the state after this one and tell it, or what keeps it away."""
        asked = time.monotonic()
        try:
            new = self._board.wait_state(after=state)
            if self.is_lost and not self._restarted:  # else it was told when it could be reached
                self._is_back(False)
            self._restarted = False
            self._took(new)
            self._here.set()
            return new
        except BoardRestartedError as error:
            self._lose(error)
            if not self._restarted:
                self._restarted = True
                self._is_back(True)
        except _LOSSES as error:
            self._lose(error)
            self._restarted = False  # what comes back next is told anew
        if not self._ended.is_set():
            self._waits()
        # What waits for a state has waited already; what is told at once must not spin.
        self._ended.wait(max(0.0, _LOOK_AGAIN_S - (time.monotonic() - asked)))
        return None

    def _lose(self, error: BoardError) -> None:
        if self._here.is_set():
            self._here.clear()
            self._tell_lost(error)
