"""Tasks of perception on one camera that come and go while it runs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from reflexarc.core import ReflexarcError
from reflexarc.perception.cameras import Camera, open_camera
from reflexarc.perception.cameras.source import parse_source
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.pipeline import Pipeline, Slot, SlotStatistics
from reflexarc.perception.tasks import Task, open_task
from reflexarc.robot.config import RobotConfig, TaskConfig

_PICTURES_FPS = 20.0


def camera_of(source: str, config: RobotConfig, fps: float | None = None) -> Camera:
    """Open a camera for a robot: files go at the pace of life.

    Args:
        source: of frames.
        config: its perception.camera are the camera's options.
        fps: of pictures; videos go as they were filmed.

    Raises:
        CameraError, PluginError: it cannot be opened.
    """
    kind = parse_source(source)
    paces: dict[str, dict[str, object]] = {
        "video": {"pace": "real"},
        "mcap": {"pace": "real"},
        "folder": {"fps": fps or _PICTURES_FPS},
        "picture": {"fps": fps or _PICTURES_FPS},
    }
    given = {**paces.get(kind.kind, {}), **config.perception.camera}
    return open_camera(source, **{k: v for k, v in given.items() if k not in kind.options})


def task_of_config(config: RobotConfig, name: str) -> Task:
    """Open a task as robot.yaml sets it up.

    Raises:
        PluginError, TaskError, ModelFileError: it cannot be opened.
    """
    settings = config.perception.tasks.get(name, TaskConfig())
    return open_task(name, settings.model, settings.device, **settings.options)


class Looking:
    """Runs those tasks that are wanted now.

    They are opened one after another in a thread of its own: frames go on meanwhile. One that
    cannot be opened is told once and left out until it is wanted anew. One that is wanted no
    more keeps what it knows, and looks at nothing.

    Args:
        config: how tasks are set up.
        on_observation: called with each frame and what a task said of it, from that task's
            thread; several may call at a time.
        on_word: told in words what could not be opened.
        open_one: opens a task by its name.
    """

    def __init__(
        self,
        config: RobotConfig,
        on_observation: Callable[[Frame, Observation], None],
        on_word: Callable[[str], None],
        *,
        open_one: Callable[[RobotConfig, str], Task] = task_of_config,
    ) -> None:
        self._config = config
        self._tell = on_observation
        self._on_word = on_word
        self._open_one = open_one
        self._wanted: frozenset[str] = frozenset()
        self._asked: set[str] = set()
        self._failed: set[str] = set()
        self._changed = threading.Condition()
        self._pipelines: dict[str, Pipeline] = {}
        self._tasks: dict[str, Task] = {}
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._is_closed = threading.Event()
        self._opener = threading.Thread(target=self._open, name="task opener", daemon=True)
        self._opener.start()

    def want(self, names: Iterable[str]) -> None:
        """From now on these tasks look, and no others. From one thread."""
        wanted = frozenset(names)
        forgotten = self._asked - wanted - self._pipelines.keys()
        self._asked -= forgotten
        self._failed -= forgotten
        self._wanted = wanted
        for name in sorted(wanted - self._asked):
            self._asked.add(name)
            self._queue.put(name)

    @property
    def wanted(self) -> frozenset[str]:
        """Names of the tasks that are to look."""
        return self._wanted

    @property
    def open_tasks(self) -> Mapping[str, Task]:
        """Those that are ready, by name."""
        return dict(self._tasks)

    def put(self, frame: Frame) -> None:
        """Offer a frame to those that are wanted and ready. Never waits."""
        for name in self._wanted:
            pipeline = self._pipelines.get(name)
            if pipeline is not None:
                pipeline.put(frame)

    def wait(self, timeout_s: float) -> None:
        """Until what is wanted now is open, or cannot be: for a source that waits."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._wanted <= self._pipelines.keys() | self._failed:
                if not self._changed.wait(deadline - time.monotonic()):
                    return

    def statistics(self) -> dict[str, SlotStatistics]:
        """Of each task that is ready."""
        every: dict[str, SlotStatistics] = {}
        for pipeline in list(self._pipelines.values()):
            every.update(pipeline.statistics())
        return every

    def close(self) -> None:
        """Let each task finish its frame, and end. One that is being opened is not waited for."""
        self._is_closed.set()
        self._queue.put(None)
        for pipeline in list(self._pipelines.values()):
            pipeline.close()

    def _open(self) -> None:
        while (name := self._queue.get()) is not None:
            if self._is_closed.is_set():
                return
            settings = self._config.perception.tasks.get(name, TaskConfig())
            try:
                task = self._open_one(self._config, name)
            except ReflexarcError as error:
                self._on_word(f"{name}: {error}")
                with self._changed:
                    self._failed.add(name)
                    self._changed.notify_all()
                continue
            slot = Slot(name, task, settings.every_n, settings.max_ms)
            with self._changed:
                self._tasks[name] = task
                self._pipelines[name] = Pipeline([slot], self._tell)
                self._changed.notify_all()
            if self._is_closed.is_set():
                self._pipelines[name].close()
