"""What the supervisor tells of a launch, for whoever shows it."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import Literal

_ROS_TIME = re.compile(r"^(\[[A-Z]+\] )\[\d+\.\d+\] ")
_ROS_PREFIX = re.compile(r"^\[[A-Z]+\] (\[\d+\.\d+\] )?\[[^\]]*\]: ")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Told:
    """One thing to know.

    Attributes:
        kind: message: a `log` tag. line: written by a process. started, ended, respawn: of a
            process. state: a lifecycle node reached it. waiting: a transition failed, and is
            tried again. up: all lifecycle nodes are active. stopping: all are being ended.
            warning: something did not go as it should.
        label: of the process; empty where it concerns all.
        text: for people.
    """

    kind: Literal[
        "message",
        "line",
        "started",
        "ended",
        "respawn",
        "state",
        "waiting",
        "up",
        "stopping",
        "warning",
    ]
    label: str = ""
    text: str = ""


def ended_by(code: int | None) -> str:
    """A process's end in words; `code` as Python's subprocess has it."""
    if code is None:
        return "did not start"
    if code >= 0:
        return f"failed with exit code {code}" if code else "ended"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}"


def shell_code(code: int | None) -> int:
    """A process's end as a shell has it: 128 and the signal's number after a signal."""
    if code is None:
        return 1
    return code if code >= 0 else 128 - code


def without_time(line: str) -> str:
    """A line of a ROS log by which it is known again."""
    return _ROS_TIME.sub(r"\1", _COLOURS.sub("", line))


def words_of(line: str) -> str:
    """What a line of a ROS log says, without time, level and node."""
    return _ROS_PREFIX.sub("", _COLOURS.sub("", line)).strip()
