"""Tasks by name: each looks at frames with one model or several and gives observations.

A task is a callable, most simply a class, named by an entry point of the group
``reflexarc.tasks``. It takes ``model`` (a path, or None for the packaged one) and
``device``, and its options as keyword arguments with defaults; it gives a `Task`.
"""

from __future__ import annotations

import difflib
import inspect
from importlib.resources import files
from pathlib import Path
from typing import Any

from reflexarc.core import load_plugin, plugins
from reflexarc.perception.runtime import Model, load_model
from reflexarc.perception.tasks.base import Task, TaskError

__all__ = [
    "Task",
    "TaskError",
    "default_model",
    "default_model_path",
    "open_task",
    "task_options",
    "tasks",
]

GROUP = "reflexarc.tasks"
_COMMON = ("model", "device")


def tasks() -> tuple[str, ...]:
    """Names of the installed tasks, in alphabetical order. Imports none of them."""
    return plugins(GROUP)


def open_task(
    task: str, model: str | Path | None = None, device: str = "auto", **options: Any
) -> Task:
    """Make a task ready to look.

    Args:
        task: its name.
        model: a model file instead of the packaged one.
        device: where nets run, see `reflexarc.perception.load_model`.
        options: the task's own, see `task_options`.

    Raises:
        PluginError: no such task, or it needs something that is not installed.
        TaskError: an option that it does not have; the model's card names another task.
        ModelFileError: the model file cannot be used.
    """
    make = load_plugin(GROUP, task, "task")
    known = _options(make)
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            raise TaskError(
                expected=f"an option of the task {task}: {', '.join(known) or 'it has none'}",
                found=name,
                remedy=f"did you mean {near[0]}?" if near else "leave it out",
            )
    opened: Task = make(model=model, device=device, **options)
    return opened


def task_options(task: str) -> dict[str, Any]:
    """The options of a task and their defaults.

    Raises:
        PluginError: no such task, or it needs something that is not installed.
    """
    return _options(load_plugin(GROUP, task, "task"))


def _options(make: Any) -> dict[str, Any]:
    parameters = inspect.signature(make).parameters
    return {name: p.default for name, p in parameters.items() if name not in _COMMON}


def default_model_path(name: str) -> Path:
    """The model file ``NAME.tflite`` that comes with the package."""
    return Path(str(files("reflexarc.perception").joinpath("weights", f"{name}.tflite")))


def default_model(name: str) -> Model:
    """The packaged model of that name, loaded."""
    return load_model(default_model_path(name))
