"""`reflexarc launch` in a process of its own, as a shell runs it, and what it tells."""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reflexarc.robot.launching import Launch

Write = Callable[..., Path]
"""A launch file's text, and its name: written."""
Install = Callable[[str, str, str], Path]
"""A package, an executable's name and text: installed."""
Resolve = Callable[..., Launch]
"""A launch file's text, and arguments: resolved."""

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_MARK = "REFLEXARC_TEST_RUN"
# Machines are shared; nothing is measured by it.
PATIENCE_S = 90.0


class Launched:
    """Its events, and the processes that it started: they carry a mark in their environment."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.mark = f"{_MARK}={uuid.uuid4().hex}"
        name, value = self.mark.split("=")
        self.told: list[dict[str, Any]] = []
        self._news: queue.Queue[dict[str, Any] | None] = queue.Queue()
        # PYTHON and ROS variables of ours: what the wheels need to find their libraries.
        inherited = {k: v for k, v in os.environ.items() if k.startswith(("LD_", "_ROS", "PYTHON"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reflexarc.cli", "launch", "--json", *arguments],
            env={**inherited, **environment, name: value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        self.err = ""
        self._threads = [
            threading.Thread(target=self._read),
            threading.Thread(target=self._read_err),
        ]
        for thread in self._threads:
            thread.start()

    def until(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event, from those not yet taken, that is so."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                event = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not told in time:\n{self.transcript()}") from None
            if event is None:
                raise AssertionError(f"it ended before that:\n{self.transcript()}")
            if what(event):
                return event

    def told_of(self, kind: str, process: str | None = None, text: str = "") -> dict[str, Any]:
        """The next event of a kind, of a process, with some text in it."""
        return self.until(
            lambda e: (
                e["kind"] == kind
                and (process is None or e["process"] == process)
                and text in e["text"]
            )
        )

    def line(self, text: str, process: str | None = None) -> str:
        """The next line of a process that has some text in it."""
        return str(self.told_of("line", process, text)["text"])

    def started(self, process: str) -> int:
        """The pid of a process that is told to start."""
        return int(self.told_of("started", process)["text"].split()[-1])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.transcript()}") from None
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return code

    def end(self) -> int:
        """Ctrl-C, and its exit code."""
        self.signal(signal.SIGINT)
        return self.wait()

    @property
    def summary(self) -> str:
        """Its last words, once it has ended."""
        assert self.told[-1]["kind"] == "end", self.transcript()
        return str(self.told[-1]["text"])

    def left(self) -> list[int]:
        """Processes that it started, directly or not, and that still run."""
        return [pid for pid in _pids() if self.mark in _environment(pid)]

    def left_in_the_end(self) -> list[int]:
        """The same, after a while for the kernel to end them."""
        end = time.monotonic() + 10
        while (left := self.left()) and time.monotonic() < end:
            time.sleep(0.02)
        return left

    def transcript(self) -> str:
        lines = [
            f"{e['kind']} {e.get('process') or ''} {e['text']}" for e in self.told if "kind" in e
        ]
        return "\n".join([*lines, self.err])

    def close(self) -> None:
        """Ends what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self.process.stdout is not None
        text = ""
        with self.process.stdout:
            for line in self.process.stdout:
                text += line
                try:
                    event = json.loads(text)
                except ValueError:  # an error is JSON of several lines
                    continue
                text = ""
                self.told.append(event)
                self._news.put(event)
        self._news.put(None)

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.err += line


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> list[str]:
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return []
    return data.decode(errors="replace").split("\0")
