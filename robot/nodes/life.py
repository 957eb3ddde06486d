"""The living robot inside the brain node: it begins when the base is heard."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.errors import BoardError, StateTimeoutError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.control import ControlError
from reflexarc.robot.events import Event
from reflexarc.robot.living import Living, living, manual
from reflexarc.robot.nodes.ros_board import RosBoard
from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.stop import is_stop

_AGAIN_S = 2.0
_LOOK_S = 0.2
_END_S = 5.0


class Life:
    """A thread in which the robot lives, and one in which it listens, from `start` to `stop`.

    Args:
        config: of robot.yaml.
        board: over the graph.
        planner: for orders.
        on_event: told of everything, from any thread.
        on_reply: told what is answered to a sentence.
        on_word: told in words what a person should know.
        on_birth: told that it lives, from its thread.
        on_failure: told what nobody foresaw.
        state_folder: for rules and log; the user's by default.
        speak: aloud too.
        listen: at the control socket.
    """

    def __init__(
        self,
        config: RobotConfig,
        board: RosBoard,
        planner: Planner,
        *,
        on_event: Callable[[Event], None],
        on_reply: Callable[[str], None],
        on_word: Callable[[str], None],
        on_birth: Callable[[Living], None],
        on_failure: Callable[[BaseException], None],
        state_folder: Path | None = None,
        speak: bool = False,
        listen: bool = True,
    ) -> None:
        self._config, self._board, self._planner = config, board, planner
        self._on_event, self._on_reply, self._on_word = on_event, on_reply, on_word
        self._on_birth, self._on_failure = on_birth, on_failure
        self._state_folder, self._speak, self._listen = state_folder, speak, listen
        self.alive: Living | None = None
        """None until the base is heard."""
        self._ended = threading.Event()
        self._sentences: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._live, name="life", daemon=True),
            threading.Thread(target=self._hear, name="orders", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, motors first."""
        self._ended.set()
        self._sentences.put(None)
        self._threads[0].join(_END_S)  # the other may wait for a slow planner

    def order(self, text: str) -> None:
        """A sentence from somewhere; the answer is told. "Stop" acts before this returns."""
        if not is_stop(text):
            self._sentences.put(text)
        elif self.alive is None:
            self._board.stop()
        else:
            self._answer(self.alive, text)

    def _hear(self) -> None:
        while (text := self._sentences.get()) is not None:
            if self.alive is not None:
                self._answer(self.alive, text)
            elif not self._ended.is_set():
                self._on_reply("I have no body yet: the base node is not there.")

    def _answer(self, alive: Living, text: str) -> None:
        try:
            self._on_reply(alive.hear(text).text)
        except ReflexarcError as error:
            self._on_reply(str(error))

    def _live(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    self._live_once()
                except ControlError as error:  # the graph is there to be listened to
                    self._listen = False
                    self._on_word(f"no control socket: {error}")
                except ReflexarcError as error:
                    self._on_word(str(error))
                    self._ended.wait(_AGAIN_S)
        except BaseException as error:  # nobody would watch over the robot any more
            self._on_failure(error)

    def _live_once(self) -> None:
        if not self._hears_the_base():
            return
        with living(
            self._config,
            cast(Board, self._board),  # as much of one as it needs
            self._planner,
            on_event=self._on_event,
            answer=manual(),
            state_folder=self._state_folder,
            speak=self._speak,
            listen=self._listen,
        ) as alive:
            self._on_birth(alive)
            self.alive = alive
            try:
                self._ended.wait()
            finally:
                self.alive = None

    def _hears_the_base(self) -> bool:
        try:
            self._board.wait_state()
        except BoardError as error:
            self._on_word(str(error))
            if not isinstance(error, StateTimeoutError):  # that one has waited already
                self._ended.wait(_LOOK_S)
            return False
        return True
