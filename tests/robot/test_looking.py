"""Tasks come and go while the camera runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.tasks import Task, TaskError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.looking import Looking


class Seer:
    def __init__(self, name: str) -> None:
        self._name = name

    def process(self, frame: Frame) -> Observation:
        return Observation(frame.stamp_ns, frame.seq, frame.source, self._name)


class Scene:
    """A looking whose tasks are opened when the test says so."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []
        self.words: list[str] = []
        self.opened: list[str] = []
        self.may_open = threading.Event()
        self.may_open.set()
        self.looking = Looking(
            RobotConfig(),
            lambda frame, seen: self.seen.append((frame.seq, seen.task)),
            self.words.append,
            open_one=self._open,
        )
        self._seq = 0

    def _open(self, config: RobotConfig, name: str) -> Task:
        assert self.may_open.wait(10)
        self.opened.append(name)
        if name == "broken":
            raise TaskError(expected="a model", found="none", remedy="fetch it")
        return Seer(name)

    def look(self) -> int:
        self._seq += 1
        image = np.zeros((4, 4, 3), np.uint8)
        self.looking.put(Frame(image, time.monotonic_ns(), self._seq, "test"))
        return self._seq

    def look_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline, self.seen
            self.look()
            time.sleep(0.005)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.may_open.set()
    scene.looking.close()


def test_only_what_is_wanted_looks(scene: Scene) -> None:
    scene.looking.want({"a", "b"})
    scene.look_until(lambda: {task for _, task in scene.seen} == {"a", "b"})
    scene.looking.want({"b"})
    first = scene.look()
    scene.look_until(lambda: any(task == "b" and seq > first for seq, task in scene.seen))
    assert not any(task == "a" and seq >= first for seq, task in scene.seen)
    scene.looking.want({"a"})
    scene.look_until(lambda: any(task == "a" and seq > first for seq, task in scene.seen))
    assert scene.opened == ["a", "b"], "it was open still"


def test_frames_go_on_while_a_task_is_opened(scene: Scene) -> None:
    scene.looking.want({"a"})
    scene.look_until(lambda: bool(scene.seen))
    scene.may_open.clear()
    scene.looking.want({"a", "slow"})
    first = scene.look()
    scene.look_until(lambda: any(seq > first for seq, _ in scene.seen))
    assert not any(task == "slow" for _, task in scene.seen)
    scene.may_open.set()
    scene.look_until(lambda: any(task == "slow" for _, task in scene.seen))


def test_one_that_cannot_be_opened_is_told_once_and_the_others_look(scene: Scene) -> None:
    scene.looking.want({"broken", "fine"})
    scene.look_until(lambda: any(task == "fine" for _, task in scene.seen))
    scene.looking.want({"broken", "fine"})
    assert len(scene.words) == 1
    assert scene.words[0].startswith("broken: ")
    scene.looking.want({"fine"})
    scene.looking.want({"broken", "fine"})
    scene.look_until(lambda: len(scene.words) == 2)
