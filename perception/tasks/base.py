"""What every task is."""

from __future__ import annotations

from typing import Protocol

from reflexarc.core import ReflexarcError
from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation


class TaskError(ReflexarcError):
    """A task that was given another task's model, or options that it does not have."""


class Task(Protocol):
    """Looks at the frames of one source, in their order."""

    def process(self, frame: Frame) -> Observation:
        """Say what is in the frame; nothing found is an answer, not an error."""
        ...
