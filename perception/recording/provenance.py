"""What made an observation: which task, which options, which model files, which libraries."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reflexarc.perception.opened import watch_opened
from reflexarc.perception.tasks import open_task
from reflexarc.perception.tasks.base import Task

LIBRARIES = (
    "reflexarc",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "ai-edge-litert",
    "tflite-runtime",
    "onnxruntime",
    "openvino",
)


@dataclass(frozen=True)
class ModelFile:
    """A model file that a task uses: its name, the sha256 of its bytes, what runs it."""

    name: str
    sha256: str
    backend: str


@dataclass(frozen=True)
class TaskRun:
    """A task as it ran.

    Attributes:
        task: its name.
        model, device, options: what it was opened with.
        files: the model files that it opened, by name.
    """

    task: str
    model: str | None = None
    device: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[ModelFile, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TaskRun:
        """What `as_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            str(data["task"]),
            None if data["model"] is None else str(data["model"]),
            str(data["device"]),
            dict(data["options"]),
            tuple(ModelFile(**file) for file in data["files"]),
        )


def open_run(
    task: str,
    model: str | Path | None = None,
    device: str = "auto",
    options: Mapping[str, Any] | None = None,
) -> tuple[Task, TaskRun]:
    """`open_task`, and how to do it again.

    Raises:
        ReflexarcError: see `reflexarc.perception.tasks.open_task`.
    """
    options = dict(options or {})
    with watch_opened() as opened:
        ready = open_task(task, model, device, **options)
    files = sorted(
        (
            ModelFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), backend)
            for path, backend in opened.items()
        ),
        key=lambda file: (file.name, file.sha256),
    )
    plain = {name: str(v) if isinstance(v, Path) else v for name, v in options.items()}
    given = None if model is None else str(model)
    return ready, TaskRun(task, given, device, plain, tuple(files))


def tools() -> dict[str, str]:
    """Versions of what computes, and the kind of machine."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
