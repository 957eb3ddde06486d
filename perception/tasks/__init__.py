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


class TaskError(ReflexarcError):
    """A task that does not exist, or that was given another task's model."""


class Task(Protocol):
    """Looks at one frame at a time."""

    def process(self, frame: Frame) -> Observation:
        """Say what is in the frame; nothing found is an answer, not an error."""
        ...


def _digits(model: Model) -> Task:
    from reflexarc.perception.tasks.digits import Digits

    return Digits(model)


# name -> (what makes the task from its model, the packaged model's file)
TASKS: dict[str, tuple[Callable[[Model], Task], str]] = {
    "digits": (_digits, "digits.tflite"),
}


def default_model_path(task: str) -> Path:
    """The model file that comes with the package for `task`."""
    return Path(str(files("reflexarc.perception").joinpath("weights", _row(task)[1])))


def default_model(task: str) -> Model:
    """The packaged model of `task`, loaded."""
    return load_model(default_model_path(task))


def open_task(task: str, model: str | Path | None = None) -> Task:
    """Make a task ready to look, with its packaged model or another file.

    Raises:
        TaskError: no such task, or the model's card names another task.
        ModelFileError: the model file cannot be used.
    """
    make, _ = _row(task)
    return make(load_model(model) if model else default_model(task))


def _row(task: str) -> tuple[Callable[[Model], Task], str]:
    try:
        return TASKS[task]
    except KeyError:
        raise TaskError(
            expected=f"one of the tasks {', '.join(TASKS)}", found=repr(task), remedy="choose one"
        ) from None
