from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from subprocess import PIPE, Popen

import pytest

Start = Callable[..., "Popen[str]"]


@pytest.fixture
def reflexarc_process() -> Iterator[Start]:
    """Start the command as a process of its own; it ends with the test."""
    started: list[Popen[str]] = []

    def start(*arguments: object) -> Popen[str]:
        command = [sys.executable, "-m", "reflexarc.cli", *map(str, arguments)]
        environment = os.environ | {"COLUMNS": "100", "PYTHONUNBUFFERED": "1"}
        process = Popen(command, stdout=PIPE, stderr=PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
