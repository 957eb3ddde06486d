"""One started program: its lines, its end, and that it never outlives us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from reflexarc.robot.launching.tasks import first_of

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_CHUNK = 65_536
_LONGEST_LINE = 65_536
_LAST_WORDS_S = 1.0


class Child:
    """A program in a session of its own, so that Ctrl-C in our terminal is ours alone.

    The kernel kills it when we die. What it started itself and left in its process group is
    killed when it ends. Needs a running event loop, in the main thread: the kernel takes the
    death of the thread that started a program for the death of its parent.

    Attributes:
        pid: of the program.
        ended: done when the program has ended; its result is 0 or more, or minus a signal.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        *,
        cwd: Path | None = None,
        pipe: bool = False,
        errors: Callable[[str], None] | None = None,
    ) -> None:
        """Start it.

        Args:
            command: program and arguments.
            environment: all of it.
            on_line: called with every line that it writes, without the line's end.
            cwd: folder to run in.
            pipe: whether `write` is wanted; else it reads nothing from stdin.
            errors: takes the lines of stderr; with those of stdout where left out.

        Raises:
            OSError: it cannot be started.
        """
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        parent = os.getpid()

        def last_words() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)
            # A shell that started us in the background may have us ignore it.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors is None else subprocess.PIPE,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=last_words,
        )
        self.pid = self._process.pid
        self._streams = [_Lines(self._loop, self._process.stdout, on_line)]
        if errors is not None:
            self._streams.append(_Lines(self._loop, self._process.stderr, errors))
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._has_ended)

    def signal(self, number: int) -> None:
        """Send a signal to it; any but SIGINT to what it started, too.

        It hears SIGINT alone, as from ROS 2's launch, so that it can end what it started in
        its own order. Nothing happens if it has ended.
        """
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                (os.kill if number == signal.SIGINT else os.killpg)(self.pid, number)

    def write(self, text: str) -> None:
        """Write a line to its stdin. Lines to a program that has ended are lost."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()

    def close_input(self) -> None:
        """Let its stdin end."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    async def end(
        self, steps: Sequence[tuple[int, float]], hurry: asyncio.Event | None = None
    ) -> int | None:
        """Send the signals in turn, each with its time (s) to end in, then SIGKILL.

        SIGABRT goes before SIGKILL: a node of ours, and whatever else is told to (Python's
        faulthandler), shows where it hangs.

        Args:
            steps: signals and times.
            hurry: SIGKILL as soon as it is set.

        Returns:
            The signal after which it ended; None if it had ended before.
        """
        if self.ended.done():
            return None
        hurried = asyncio.ensure_future((hurry or asyncio.Event()).wait())
        try:
            for number, seconds in steps:
                self.signal(number)
                await first_of(self.ended, hurried, seconds=seconds)
                if self.ended.done():
                    return number
                if hurried.done():
                    break
            else:
                self.signal(signal.SIGABRT)
                await first_of(self.ended, hurried, seconds=_LAST_WORDS_S)
        finally:
            hurried.cancel()
        self.signal(signal.SIGKILL)
        await first_of(self.ended)
        return signal.SIGKILL

    def kill(self) -> None:
        """At once and without the event loop, for the way out after a bug."""
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)

    def _has_ended(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        # Not reaped yet, so the number of the group is still its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        code = self._process.wait()
        self.close_input()
        for stream in self._streams:
            stream.finish()
        if not self.ended.done():
            self.ended.set_result(code)


class _Lines:
    """Reads a pipe line by line without ever waiting for it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipe: IO[bytes] | None,
        on_line: Callable[[str], None],
    ) -> None:
        assert pipe is not None
        self._loop = loop
        self._pipe: IO[bytes] | None = pipe
        self._fd = pipe.fileno()
        self._on_line = on_line
        self._rest = b""
        os.set_blocking(self._fd, False)
        loop.add_reader(self._fd, self._read)

    def finish(self) -> None:
        """Take what is still in the pipe, and let it go; somebody may hold its other end."""
        while self._pipe is not None and self._read():
            pass
        self._close()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close()
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(line)
        while len(self._rest) > _LONGEST_LINE:
            self._say(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]
        return True

    def _say(self, line: bytes) -> None:
        self._on_line(line.decode("utf-8", errors="replace").rstrip("\r"))

    def _close(self) -> None:
        if self._pipe is None:
            return
        self._loop.remove_reader(self._fd)
        self._pipe.close()
        self._pipe = None
        if self._rest:
            self._say(self._rest)
            self._rest = b""
