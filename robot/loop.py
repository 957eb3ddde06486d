"""Everything in one process: camera -> task -> controller -> gate -> board, and back."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterable

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.tasks import Task
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.controller import Controller, Event
from reflexarc.robot.gate import Gate


def run(
    config: RobotConfig,
    frames: Iterable[Frame],
    task: Task,
    board: Board,
    *,
    on_event: Callable[[Event], None] = lambda event: None,
    on_observation: Callable[[Frame, Observation], None] = lambda frame, observation: None,
) -> None:
    """Arm the gate and let what is seen move the robot until the frames end.

    Frames are looked at in the calling thread; a second thread follows the
    board's states (100 Hz) and steps what is under way. Whatever ends this
    function, an error or Ctrl-C too, ends with stopped motors.

    Args:
        frames: a camera, or anything that gives frames at the pace of life.
        task: what to look for.
        board: connected; nothing but the gate made here will command it.
        on_event: told of every firing, start and end, from either thread.
        on_observation: told of every frame with its observation, after the
            controller has acted on it.

    Raises:
        ReflexarcError: the camera or the link failed.
    """
    gate = Gate(board, config.limits, config.geometry)
    controller = Controller(config, gate, on_event)
    ended = threading.Event()
    failures: list[ReflexarcError] = []

    def follow() -> None:
        state = None
        try:
            while not ended.is_set():
                state = board.wait_state(after=state)
                controller.tick(state)
        except ReflexarcError as error:
            failures.append(error)
            ended.set()

    board.wait_state()  # a board that is silent says so before anything is armed
    gate.arm(time.monotonic_ns())
    # A full collection would walk everything that is loaded, in mid-move: leave it out.
    gc.collect()
    gc.freeze()
    follower = threading.Thread(target=follow, name="board states", daemon=True)
    follower.start()
    try:
        for frame in frames:
            if ended.is_set():
                break
            observation = task.process(frame)
            controller.observe(observation)
            on_observation(frame, observation)
    finally:
        ended.set()
        follower.join(timeout=2.0)
        gc.unfreeze()
        if not failures:
            gate.disarm(time.monotonic_ns())
    if failures:
        raise failures[0]
