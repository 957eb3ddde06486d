"""Tasks by name: each looks at frames with one model and gives observations.

A new task is a module with a class that has `process`, and a line in TASKS.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from reflexarc.core import ReflexarcError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.runtime import Model, load_model

SMALLEST_PX = 12
"""Height of the smallest digit that is still legible, in pixels."""


class TaskError(ReflexarcError):
    """A task that does not exist, or that was given another task's model."""


class Task(Protocol):
    """Looks at one frame at a time."""

    def process(self, frame: Frame) -> Observation:
        """Say what is in the frame; nothing found is an answer, not an error."""
        ...


def _digits(model: Model, smallest_px: int) -> Task:
    from reflexarc.perception.tasks.digits import Digits

    return Digits(model, smallest_px)


# name -> (what makes the task from its model and smallest_px, the packaged model's file)
TASKS: dict[str, tuple[Callable[[Model, int], Task], str]] = {
    "digits": (_digits, "digits.tflite"),
}


def default_model_path(task: str) -> Path:
    """The model file that comes with the package for `task`."""
    return Path(str(files("reflexarc.perception").joinpath("weights", _row(task)[1])))


def default_model(task: str) -> Model:
    """The packaged model of `task`, loaded."""
    return load_model(default_model_path(task))


def open_task(task: str, model: str | Path | None = None, smallest_px: int = SMALLEST_PX) -> Task:
    """Make a task ready to look.

    Args:
        task: its name.
        model: a model file instead of the packaged one.
        smallest_px: height of the smallest thing looked for, in pixels of the
            frame; a larger one saves time.

    Raises:
        TaskError: no such task, or the model's card names another task.
        ModelFileError: the model file cannot be used.
    """
    make, _ = _row(task)
    return make(load_model(model) if model else default_model(task), smallest_px)


def _row(task: str) -> tuple[Callable[[Model, int], Task], str]:
    try:
        return TASKS[task]
    except KeyError:
        raise TaskError(
            expected=f"one of the tasks {', '.join(TASKS)}", found=repr(task), remedy="choose one"
        ) from None
