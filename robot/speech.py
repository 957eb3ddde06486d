"""Speech through espeak-ng, where it is installed; text is told in any case."""

from __future__ import annotations

import contextlib
import queue
import shutil
import subprocess
import threading

from reflexarc.robot.words import language_of

_VOICES = {"en": "en", "zh": "cmn"}
_LONGEST_S = 30.0
_WAITING = 10


class Speaker:
    """Says texts one after the other, in a thread of its own; never holds anything up."""

    def __init__(self, program: str | None = None) -> None:
        """Find espeak-ng; `is_silent` tells if there is none."""
        self._program = program or shutil.which("espeak-ng")
        self._texts: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._now: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def is_silent(self) -> bool:
        """There is no espeak-ng here."""
        return self._program is None

    def say(self, text: str) -> None:
        """Queue a text; what does not fit any more is left unsaid."""
        if self._program is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="speech", daemon=True)
            self._thread.start()
        with contextlib.suppress(queue.Full):
            self._texts.put_nowait(text)

    def close(self) -> None:
        """Fall silent, in mid-word too. Twice is fine."""
        self._is_closed = True
        with contextlib.suppress(queue.Full):  # then it looks at the flag
            self._texts.put_nowait(None)
        if self._now is not None:
            self._now.kill()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while (text := self._texts.get()) is not None and not self._is_closed:
            assert self._program is not None
            # The text goes in by a pipe: it can be no option.
            command = [self._program, "-v", _VOICES[language_of(text)], "--stdin"]
            try:
                self._now = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                self._now.communicate(text.encode(), timeout=_LONGEST_S)
            except subprocess.TimeoutExpired:
                assert self._now is not None
                self._now.kill()
                self._now.wait()
            except OSError:
                self._program = None
                return
