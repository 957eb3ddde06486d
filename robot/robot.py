"""Everything in one process: camera -> tasks -> controller -> gate -> board, and back."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Callable, Iterable

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.pipeline import Pipeline, Slot, SlotStatistics
from reflexarc.perception.tasks import Task, open_task
from reflexarc.robot.audit import AuditLog
from reflexarc.robot.config import RobotConfig, TaskConfig
from reflexarc.robot.controller import Controller
from reflexarc.robot.events import Event
from reflexarc.robot.follower import Follower
from reflexarc.robot.gate import Gate
from reflexarc.robot.reflexes import RuleBook, task_of


class Robot:
    """A connected robot, armed while the with statement lasts.

    One thread follows the board's states (100 Hz) and steps what is under way; each task
    of perception has one; `see` runs in the caller's. Whatever ends it, an error or Ctrl-C
    too, ends with stopped motors.

    A board that is lost does not end it: everything stops, and stays so when the board is
    back, until somebody arms.
    """

    def __init__(
        self,
        config: RobotConfig,
        board: Board,
        *,
        make_task: Callable[[str], Task] | None = None,
        book: RuleBook | None = None,
        audit: AuditLog | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
        on_observation: Callable[[Frame, Observation], None] = lambda frame, observation: None,
    ) -> None:
        """Put a robot together.

        Args:
            config: of robot.yaml.
            board: connected; nothing but the gate made here will command it.
            make_task: opens a task of perception by its name; as config says by default.
            book: the rules; those of config by default.
            audit: log of every decision of the gate.
            on_event: told of every firing, start and end, from any thread.
            on_observation: told of every frame with what a task said of it, after the
                controller has acted on it.
        """
        self._config = config
        self._board = board
        self._make_task = make_task or self._configured_task
        self._tell = on_event
        self._on_observation = on_observation
        self._audit = audit
        self._gate = Gate(
            board,
            config.limits,
            config.geometry,
            audit.decision if audit is not None else lambda decision: None,
        )
        self.controller = Controller(config, self._gate, self._hear, book=book)
        self._pipeline = Pipeline([], self._observed)
        self._tasks: set[str] = set()
        self._ended = threading.Event()
        self._failures: list[BaseException] = []
        self._follower = Follower(
            board,
            took=self.controller.tick,
            lost=self._lose_board,
            is_back=self._board_is_back,
            failed=self._fail,
        )

    @property
    def gate(self) -> Gate:
        """The way to the board."""
        return self._gate

    def see(self, frames: Iterable[Frame], *, every_frame: bool = False) -> None:
        """Look at frames until they end.

        Args:
            frames: a camera, or anything that gives frames at the pace of life.
            every_frame: wait for each task at each frame: for recordings.

        Raises:
            ReflexarcError: the camera or a task failed.
        """
        for frame in frames:
            if self._ended.is_set():
                break
            self._open_what_is_needed()
            self._pipeline.put(frame)
            if every_frame:
                self._pipeline.wait()
        self.check()

    def check(self) -> None:
        """Raise what has failed in the background, if anything has."""
        if self._failures:
            raise self._failures[0]

    def statistics(self) -> dict[str, SlotStatistics]:
        """Of each open task."""
        return dict(self._pipeline.statistics())

    def stop(self, reason: str) -> None:
        """Motors off from anywhere, and latched until somebody arms again."""
        self._gate.stop(reason, time.monotonic_ns())

    def arm(self) -> None:
        """Release a latched stop, on purpose, and clear what the board has latched.

        A chip that has started anew is taken as it is. What is still so stops it again at
        the next state.

        Raises:
            LinkLostError: the board is not back yet.
        """
        self._follower.take_back()
        self._board.clear_faults()
        self._gate.arm(time.monotonic_ns())

    def __enter__(self) -> Robot:
        """Arm it, once the board has been heard."""
        self._board.wait_state()  # a board that is silent says so before anything is armed
        self._gate.arm(time.monotonic_ns())
        # A full collection would walk everything that is loaded, in mid-move: leave it out.
        gc.collect()
        gc.freeze()
        self._follower.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop everything; motors first."""
        with contextlib.suppress(ReflexarcError):  # a board that is gone stops by itself
            self._gate.disarm(time.monotonic_ns())
        self._ended.set()
        self._follower.stop()
        gc.unfreeze()
        self.controller.end("the robot has ended")
        self._pipeline.close()
        if self._audit is not None:
            self._audit.close()

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        self._ended.set()
        with contextlib.suppress(ReflexarcError):
            self._gate.stop(f"{type(error).__name__}: {error}", time.monotonic_ns())

    def _lose_board(self, error: ReflexarcError) -> None:
        reason = f"the board is lost: {error.found}"
        with contextlib.suppress(ReflexarcError):  # it cannot be told; it stops by itself
            self._gate.stop(reason, time.monotonic_ns())
        self.controller.lose_body(reason)

    def _board_is_back(self, restarted: bool) -> None:
        how = "back, after a new start of its chip" if restarted else "back"
        self._hear(Event("stopped", f"the board is {how}: nothing moves until somebody arms"))

    def _open_what_is_needed(self) -> None:
        for name in sorted(self.controller.needed_tasks() - self._tasks):
            self._tasks.add(name)
            settings = self._config.perception.tasks.get(name, TaskConfig())
            try:
                task = self._make_task(name)
            except ReflexarcError as error:
                if name in {task_of(rule.event) for rule in self._config.reflexes}:
                    raise
                # What somebody has said, now or last week, does not end the robot.
                self._hear(Event("failed", f"{name}: {error}"))
                continue
            self._pipeline.add(Slot(name, task, settings.every_n, settings.max_ms))

    def _configured_task(self, name: str) -> Task:
        settings = self._config.perception.tasks.get(name, TaskConfig())
        return open_task(name, settings.model, settings.device, **settings.options)

    def _observed(self, frame: Frame, observation: Observation) -> None:
        height, width = frame.image.shape[:2]
        # Where the board is lost the follower stops everything; the camera looks on.
        with contextlib.suppress(LinkLostError):
            self.controller.observe(observation, (width, height))
        self._on_observation(frame, observation)

    def _hear(self, event: Event) -> None:
        if self._audit is not None:
            action = None if event.action is None else event.action.model_dump(mode="json")
            self._audit.append(event.kind, text=event.text, action=action)
        self._tell(event)
