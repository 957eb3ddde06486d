"""A running robot takes orders from other programs of the same user, over a socket.

One line of JSON in, lines of JSON out. A request is ``{"say": text}``, ``{"stop": reason}``,
or ``{"arm": true}``; answers are ``{"reply": ...}``, ``{"event": ...}``, then ``{"done": ...}``
or ``{"error": ...}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError

_MAX_LINE = 65_536
_ENDING = ".sock"
_LONGEST_NAME = 40  # a socket's whole path may have 107 bytes
_PROBE_S = 1.0


class ControlError(ReflexarcError):
    """No robot to talk to, or one that has ended."""


def folder() -> Path:
    """Where the sockets of running robots are: readable by this user only."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(base or tempfile.gettempdir()) / f"reflexarc-{os.getuid()}"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = path.stat()
    except OSError as error:
        raise ControlError(
            expected=f"a folder of our own at {path}",
            found=error.strerror or str(error),
            remedy="set XDG_RUNTIME_DIR to a folder of yours",
        ) from error
    if state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise ControlError(
            expected=f"a folder of our own at {path}",
            found="somebody else's" if state.st_uid != os.getuid() else "one open to others",
            remedy="set XDG_RUNTIME_DIR to a folder of yours",
        )
    return path


def path_of(name: str) -> Path:
    """The socket of a robot of that name."""
    safe = "".join(char if char.isalnum() else "-" for char in name)[:_LONGEST_NAME] or "robot"
    while len(safe.encode()) > _LONGEST_NAME:
        safe = safe[:-1]
    return folder() / f"{safe}{_ENDING}"


def running() -> list[Path]:
    """Sockets of the robots that run now; those left behind are cleared away."""
    alive = []
    for path in sorted(folder().glob(f"*{_ENDING}")):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            probe.settimeout(_PROBE_S)
            try:
                probe.connect(str(path))
            except TimeoutError:  # somebody is there, and busy
                pass
            except OSError:
                path.unlink(missing_ok=True)
                continue
        alive.append(path)
    return alive


Handler = Callable[[dict[str, Any]], Iterator[dict[str, Any]]]


class ControlServer:
    """Serves while the with statement lasts; each caller has a thread."""

    def __init__(self, name: str, handler: Handler) -> None:
        """Listen under a robot's name.

        Raises:
            ControlError: a robot of that name runs already.
        """
        self._path = path_of(name)
        if self._path in running():
            raise ControlError(
                expected=f"no other robot called {name!r}",
                found="one that runs",
                remedy="end it, or give this one another name in robot.yaml",
            )
        self._handler = handler
        self._socket = socket.socket(socket.AF_UNIX)
        # It gets its name when it can answer: one that does not is cleared away by others.
        unnamed = self._path.with_suffix(f".{os.getpid()}")
        try:
            unnamed.unlink(missing_ok=True)
            self._socket.bind(str(unnamed))
            unnamed.chmod(0o600)
            self._socket.listen(4)
            unnamed.replace(self._path)
        except OSError as error:
            self._socket.close()
            raise ControlError(
                expected=f"to listen at {self._path}",
                found=error.strerror or str(error),
                remedy="set XDG_RUNTIME_DIR to a folder of yours with a short path",
            ) from error
        self._thread = threading.Thread(target=self._accept, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)
        self._thread.join(timeout=2.0)

    def __enter__(self) -> ControlServer:
        """Itself, listening."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, contextlib.suppress(OSError), caller.makefile("rwb") as lines:
            while line := lines.readline(_MAX_LINE):
                for answer in self._answers(line):
                    lines.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                    lines.flush()

    def _answers(self, line: bytes) -> Iterator[dict[str, Any]]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError) as error:
            yield {"error": f"expected one line of JSON; found {error}"}
            return
        try:
            yield from self._handler(request)
        except ReflexarcError as error:
            yield {"error": str(error)}


class ControlClient:
    """Talks to a running robot."""

    def __init__(self, path: Path, timeout_s: float | None = None) -> None:
        """Call it.

        Args:
            path: its socket.
            timeout_s: to wait for each answer; None for ever: an order may take long.

        Raises:
            ControlError: nobody answers there.
        """
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise ControlError(
                expected=f"a running robot at {path.name}",
                found=error.strerror or str(error),
                remedy="start one with `reflexarc run robot.yaml`",
            ) from error
        self._lines = self._socket.makefile("rwb")

    def ask(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Answers until the robot is done with the request.

        Raises:
            ControlError: the robot refused, or ended meanwhile.
        """
        try:
            self._lines.write(json.dumps(request).encode() + b"\n")
            self._lines.flush()
            while line := self._lines.readline():
                answer = json.loads(line)
                if "error" in answer:
                    raise ControlError(
                        expected="an answer", found=answer["error"], remedy="see above"
                    )
                yield answer
                if "done" in answer:
                    return
        except OSError as error:
            raise _ended(error.strerror or str(error)) from error
        raise _ended("the end of its answers")

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._lines.close()
        self._socket.close()


def _ended(found: str) -> ControlError:
    return ControlError(
        expected="the robot to go on", found=found, remedy="start it again with `reflexarc run`"
    )
