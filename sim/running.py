"""Starting the robot in a box as a process of its own, and ending it."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from reflexarc.sim.control import BoxControl, BoxError
from reflexarc.sim.flight_reader import Flight

_START_S = 60.0
_END_S = 10.0


class RunningBox:
    """A simulation in another process; a context manager that ends it.

    Args:
        scenario: a packaged one's name, or a file.
        folder: as `Box`.
        options: further ones of ``python -m reflexarc.sim``: ``pace="fast"``,
            ``camera_fps=0``, ``pictures=folder``, ``seconds=5``, ``wait=True``.

    Attributes:
        port: of the serial link.
        camera: source for `open_camera`.
        ready: all of the line it printed.
        process: its own.

    Raises:
        BoxError: it did not start; says what it said.
    """

    def __init__(self, scenario: str | Path, folder: Path, **options: Any) -> None:
        command = [sys.executable, "-m", "reflexarc.sim", str(scenario), f"--folder={folder}"]
        for name, value in options.items():
            flag = f"--{name.replace('_', '-')}"
            if value is True:
                command.append(flag)
            elif value is not None and value is not False:
                command.append(f"{flag}={value}")
        self._errors: IO[bytes] = (_made(folder) / "errors.txt").open("w+b")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        try:
            self.ready: dict[str, Any] = self._wait_until_ready()
        except BaseException:
            self.close()
            raise
        self.port: str = self.ready["port"]
        self.camera: str = self.ready["camera"]

    def _wait_until_ready(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _START_S)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1.0)
            raise BoxError(
                expected="the simulation to start",
                found=self.errors() or f"nothing in {_START_S:g} s",
                remedy="correct that and start it again",
            )
        values: dict[str, Any] = json.loads(line)
        return values

    def errors(self) -> str:
        """What it said on its standard error."""
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        return " ".join(self._errors.read().decode(errors="replace").split())[-2000:]

    def control(self) -> BoxControl:
        """A connection to its control socket, to be closed."""
        return BoxControl(self.ready["control"])

    def flight(self) -> Flight:
        """Its flight log up to now."""
        return Flight.read(self.ready["flight"])

    def wait(self, timeout_s: float) -> int:
        """Wait for its end; gives the exit code.

        Raises:
            BoxError: it still runs.
        """
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise BoxError(
                expected=f"the simulation to end within {timeout_s:g} s",
                found="one that runs",
                remedy="give it more time, or --seconds",
            ) from error

    def close(self) -> None:
        """End it: kindly first. May be called again."""
        if self.process.poll() is None:
            self.process.terminate()
            begin = time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_S)
            if self.process.poll() is None and time.monotonic() - begin >= _END_S:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()

    def __enter__(self) -> RunningBox:
        """Itself, ready."""
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self.close()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoxError(
            expected=f"a folder to write to at {folder}",
            found=error.strerror or str(error),
            remedy="name another one",
        ) from error
    return folder
