"""A whole robot that lives in this process: board, camera, rules, log, language, and an ear.

What `reflexarc run`, `say` and `chat` share.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.robot import audit, reflexes
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.control import ControlError, ControlServer
from reflexarc.robot.events import Event
from reflexarc.robot.plan import Plan
from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.stop import is_stop
from reflexarc.robot.reflexes import RuleBook
from reflexarc.robot.robot import Robot
from reflexarc.robot.session import Reply, Session
from reflexarc.robot.speech import Speaker

_STATE_S = 0.02


class Living:
    """A robot that runs; use `living`."""

    def __init__(self, robot: Robot, session: Session, config: RobotConfig) -> None:
        self.robot = robot
        self.config = config
        self._session = session
        self._hearing = threading.Lock()
        self._listeners: list[Callable[[Event], None]] = []

    def hear(self, text: str, *, confirmed: bool = False) -> Reply:
        """Act on a sentence; callers take turns, but for "stop": nobody waits with that."""
        if is_stop(text):
            return self._session.hear(text)
        with self._hearing:
            return self._session.hear(text, confirmed=confirmed)

    def carry_out(self, plan: Plan, *, confirmed: bool = False) -> Reply:
        """Act on a plan that somebody else has made; in turn, but for one that only stops."""
        if plan.stops:
            self.robot.controller.stop("told to stop")
        with self._hearing:
            return self._session.carry_out(plan, confirmed=confirmed)

    def converse(self, text: str) -> Iterator[Reply | Event]:
        """The reply to a sentence; then, if it is an order, what happens until that is done.

        Raises:
            ReflexarcError: the robot has failed.
        """
        return self.follow(lambda: self.hear(text))

    def follow(self, ask: Callable[[], Reply]) -> Iterator[Reply | Event]:
        """What `ask` gives; then, if that is an order, what happens until that is over.

        Raises:
            ReflexarcError: the robot has failed.
        """
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._listeners.append(events.put)
        doing = self.robot.controller.is_doing
        try:
            reply = ask()
            yield reply
            number = reply.order
            while number is not None and (doing(number) or not events.empty()):
                with contextlib.suppress(queue.Empty):
                    yield events.get(timeout=_STATE_S)
                self.robot.check()
        finally:
            self._listeners.remove(events.put)

    def tell(self, event: Event) -> None:
        """Pass an event on to whoever waits."""
        for listener in list(self._listeners):
            listener(event)

    def answer(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Answers to a caller at the control socket."""
        if "stop" in request:
            try:
                self.robot.stop(str(request["stop"]))
            finally:
                self.robot.controller.stop(str(request["stop"]))
        elif "arm" in request:
            self.robot.arm()
        elif "say" in request:
            for told in self.converse(str(request["say"])):
                yield (
                    {"reply": told.as_dict()}
                    if isinstance(told, Reply)
                    else {"event": told.as_dict()}
                )
        else:
            raise ControlError(
                expected="a request with say, stop or arm",
                found=", ".join(request)[:100] or "an empty one",
                remedy="ask for one of these",
            )
        yield {"done": True}


@contextlib.contextmanager
def living(
    config: RobotConfig,
    board: Board,
    planner: Planner,
    *,
    on_event: Callable[[Event], None] = lambda event: None,
    on_observation: Callable[[Frame, Observation], None] = lambda frame, observation: None,
    answer: Callable[[str], str | None] = lambda question: None,
    state_folder: Path | None = None,
    speak: bool = True,
    listen: bool = True,
) -> Iterator[Living]:
    """Bring a robot to life; it ends with stopped motors, whatever happens.

    Args:
        config: of robot.yaml.
        board: connected.
        planner: for orders.
        on_event: told of everything, from any thread.
        on_observation: told of every frame with what a task said of it, from any thread.
        answer: for questions that are no orders.
        state_folder: for rules and log; the user's by default.
        speak: aloud too, where espeak-ng is.
        listen: to other programs at the control socket.
    """
    rules_path = reflexes.book.default_path(config.name)
    log_path = audit.path_of(config)
    if state_folder is not None:
        rules_path, log_path = state_folder / rules_path.name, state_folder / "audit.jsonl"
    log = audit.AuditLog(log_path) if config.audit.enabled else None
    book = RuleBook(config.reflexes, rules_path)
    speaker = Speaker() if speak else None
    alive: list[Living] = []

    def hear(event: Event) -> None:
        if event.kind == "said" and speaker is not None:
            speaker.say(event.text)
        on_event(event)
        for each in alive:
            each.tell(event)

    def note(text: str, plan: Plan) -> None:
        if log is not None:
            log.append("plan", said=text[:500], plan=plan.model_dump(mode="json"))

    try:
        with Robot(
            config, board, book=book, audit=log, on_event=hear, on_observation=on_observation
        ) as robot:
            session = Session(config, planner, robot.controller, book, answer=answer, note=note)
            alive.append(Living(robot, session, config))
            with contextlib.ExitStack() as stack:
                if listen:
                    stack.enter_context(ControlServer(config.name, alive[0].answer))
                yield alive[0]
    finally:
        if speaker is not None:
            speaker.close()
        if log is not None:
            log.close()


def manual() -> Callable[[str], str | None]:
    """Answers questions from the knowledge base; from nothing where its libraries are missing."""
    opened: list[Any] = []

    def answer(question: str) -> str | None:
        from reflexarc.robot.knowledge import KnowledgeBase

        try:
            if not opened:
                opened.append(KnowledgeBase())
            words: str | None = opened[0].answer(question)
        except ReflexarcError:
            return None
        return words

    return answer


@contextlib.contextmanager
def watching(robot: Robot, frames: Iterable[Frame]) -> Iterator[None]:
    """Let the robot look at frames in the background.

    Raises:
        ReflexarcError: the camera has failed meanwhile.
    """
    failures: list[ReflexarcError] = []
    is_over = threading.Event()

    def look() -> None:
        try:
            robot.see(itertools.takewhile(lambda frame: not is_over.is_set(), frames))
        except ReflexarcError as error:
            failures.append(error)

    thread = threading.Thread(target=look, name="camera", daemon=True)
    thread.start()
    try:
        yield
        if failures:
            raise failures[0]
    finally:
        is_over.set()
        thread.join(timeout=3.0)
