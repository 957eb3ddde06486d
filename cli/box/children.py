"""Programs that are started for a run, talk in lines of JSON, and are gone after it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from reflexarc.core import ReflexarcError

_END_S = 20.0
"""`reflexarc launch` itself takes up to 19 s to end nodes that hang, and says which."""
_LOOK_S = 0.05
_LONGEST_COMPLAINT = 600


# A moment of Python that asks the kernel for SIGTERM at its parent's death (PR_SET_PDEATHSIG is
# 1), then becomes the program. Between fork and exec, in this process, other threads' locks
# would be held for ever.
_LEASH = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class ChildError(ReflexarcError):
    """A program of a run that did not start, or ended by itself."""


class Child:
    """A program with JSON lines on its stdin and stdout; what else it says is in a file.

    It is in a process group of its own: Ctrl-C at the terminal reaches us only, and we end
    everything in order. When we die without a word, it gets SIGTERM, and finds its stdin closed.
    Make it in a thread that lives as long as it: the kernel takes the thread for its parent.

    Attributes:
        lines: what it has said, in order, with our monotonic time of hearing it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            name: for messages, and of the file of its words.
            command: program and arguments.
            folder: where that file goes.
            environment: on top of ours.
        """
        self.name = name
        self.lines: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
        self.log = folder / f"{name}.log"
        self._writing = threading.Lock()
        self._last_words = ""
        with self.log.open("ab") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid()), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), name=f"{name} lines", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.poll()

    def wait_line(self, key: str, timeout_s: float) -> dict[str, Any]:
        """The first line that has this key; lines before it are dropped.

        Raises:
            ChildError: it has ended, or says nothing like that in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                _, line = self.lines.get(timeout=_LOOK_S)
            except queue.Empty:
                if self.exit_code is not None and not self._reader.is_alive():
                    raise self.ended() from None
                if time.monotonic() > deadline:
                    raise ChildError(
                        expected=f"{self.name}: {key} within {timeout_s:g} s",
                        found=self._complaint() or "nothing",
                        remedy=f"see {self.log}",
                    ) from None
                continue
            if key in line:
                return line
            if "failed" in line:
                self._last_words = str(line["failed"])

    def take(self) -> list[tuple[int, dict[str, Any]]]:
        """What it has said since the last time."""
        taken = []
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self.lines.get_nowait())
        return taken

    def tell(self, **line: Any) -> None:
        """Say something to it. One that has ended hears nothing."""
        stdin = self._process.stdin
        assert stdin is not None
        with self._writing, contextlib.suppress(OSError, ValueError):
            stdin.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            stdin.flush()

    def check(self) -> None:
        """Raise ChildError if it has ended."""
        if self.exit_code is not None:
            raise self.ended()

    def ended(self) -> ChildError:
        """That it has ended, with its last words."""
        code = self.exit_code
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return ChildError(
            expected=f"{self.name} to run on",
            found=f"{how}: {self._last_words or self._complaint() or 'without a word'}",
            remedy=f"see {self.log}",
        )

    def close(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it, and whatever is left of its group; give its exit code."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        with contextlib.suppress(ProcessLookupError):  # whoever of the group did not follow
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._reader.join(_END_S)
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert stream is not None
                stream.close()
        return code

    def _read(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError), self.log.open("ab") as words:  # closed meanwhile
            for line in stream:
                heard_ns = time.monotonic_ns()
                try:
                    said = json.loads(line)
                except ValueError:
                    said = None
                if isinstance(said, dict):
                    self.lines.put((heard_ns, said))
                else:
                    words.write(line)
                    words.flush()

    def _complaint(self) -> str:
        words = self.log.read_text("utf-8", "replace").split()
        return " ".join(words)[-_LONGEST_COMPLAINT:]
