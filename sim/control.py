"""A running simulation takes requests from other programs of the same user, over a socket.

One line of JSON in, one line of JSON out. Requests:

- ``{"status": true}``: where everything is now.
- ``{"begin": true}``: the scenario begins, if it waits.
- ``{"do": {"unplug": true}}``: something happens, as in a scenario's events.
- ``{"place": [x, y, yaw_deg]}``: lift the robot and set it down there.
- ``{"wait": t}``: answers when simulated time has come so far.
- ``{"end": true}``: the simulation ends.

An answer is ``{"t": simulated seconds, ...}``, or ``{"error": {expected, found, remedy}}``.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError
from reflexarc.sim.sockets import connect, listen

_MAX_LINE = 65_536
_ANSWER_S = 30.0

Answer = dict[str, Any]


class BoxError(ReflexarcError):
    """A simulation that did not start, is gone, or does not understand."""


class Request:
    """What somebody asks; answered by the simulation's own thread."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self._answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def answer(self, answer: Answer) -> None:
        """Give the answer, once."""
        self._answer.put(answer)

    def refuse(self, error: ReflexarcError) -> None:
        """Give an error for an answer."""
        self._answer.put({"error": error.as_dict()})

    def wait(self, ended: threading.Event) -> Answer | None:
        """The answer; None when the simulation has ended without one."""
        while True:
            try:
                return self._answer.get(timeout=0.1)
            except queue.Empty:
                if ended.is_set():
                    return None


class ControlServer:
    """Takes requests in threads of its own; the simulation asks for them with `take`.

    Raises:
        BoxError: it cannot listen there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._ended = threading.Event()
        try:
            self._socket = listen(path)
        except OSError as error:
            raise BoxError(
                expected=f"to listen at {path}",
                found=error.strerror or str(error),
                remedy="check the folder's rights, or name another one",
            ) from error
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def take(self) -> Request | None:
        """The next request that waits; None if none does."""
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Hang up."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(caller,), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        with caller, caller.makefile("rwb") as stream, contextlib.suppress(OSError):
            while line := stream.readline(_MAX_LINE):
                answer = self._ask(line)
                if answer is None:
                    return
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()

    def _ask(self, line: bytes) -> Answer | None:
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            error = BoxError(
                expected="a JSON object on one line",
                found=repr(line[:60]),
                remedy='such as {"status": true}',
            )
            return {"error": error.as_dict()}
        request = Request(values)
        self._requests.put(request)
        return request.wait(self._ended)


class BoxControl:
    """Asks a running simulation; a context manager. One thread uses it.

    Raises:
        BoxError: there is none.
    """

    def __init__(self, path: Path | str, timeout_s: float = _ANSWER_S) -> None:
        self._path = Path(path)
        try:
            self._socket = connect(self._path, timeout_s)
        except OSError as error:
            raise self._gone(error) from error
        self._stream = self._socket.makefile("rwb")

    def ask(self, **request: Any) -> Answer:
        """Ask, and wait for the answer: ``ask(do={"unplug": True})``.

        Raises:
            BoxError: it is gone, or it refuses.
        """
        try:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError as error:
            raise self._gone(error) from error
        if not line:
            raise self._gone(ConnectionResetError("it has ended"))
        answer: Answer = json.loads(line)
        if "error" in answer:
            parts = answer["error"]
            raise BoxError(expected=parts["expected"], found=parts["found"], remedy=parts["remedy"])
        return answer

    def status(self) -> Answer:
        """Where everything is now."""
        return self.ask(status=True)

    def wait(self, seconds: float) -> Answer:
        """Let simulated time pass."""
        return self.ask(wait=self.status()["t"] + seconds)

    def _gone(self, error: OSError) -> BoxError:
        return BoxError(
            expected=f"a simulation at {self._path}",
            found=error.strerror or str(error),
            remedy="start it: python -m reflexarc.sim courier --folder FOLDER",
        )

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._socket.close()

    def __enter__(self) -> BoxControl:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Hang up."""
        self.close()
