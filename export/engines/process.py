"""The parent's side of `worker`: an engine in its own process, which takes turns."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any

from reflexarc.core import ReflexarcError
from reflexarc.export.engines.registry import EngineError
from reflexarc.export.engines.worker import CALIBRATION
from reflexarc.perception.card import Card

_PATIENCE_S = 180.0  # for one answer; importing TensorFlow on a slow card takes a tenth of it
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Process:
    """A started worker that has answered once.

    Attributes:
        cold_start_s: from the start of the process to its first answer.
        load_s, first_answer_s: of it, import and load; and the first answer.
        rss_bytes: highest resident memory so far.
    """

    def __init__(self, engine: str, path: Path | None, card: Card | None, threads: int) -> None:
        """Start it and wait for the first answer.

        Args:
            engine: a name of `ENGINES`, or `CALIBRATION` (then path and card are None).
            path, card: the model file and the card in it.
            threads: CPU threads.

        Raises:
            EngineError: the engine or the file does not work, or the process died or hung.
        """
        self.engine = engine
        self.rss_bytes = 0
        job = {
            "engine": engine,
            "path": str(path),
            "card": card.model_dump(mode="json") if card else None,
            "threads": threads,
        }
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONSAFEPATH": "1"}
        if engine == CALIBRATION:
            environment.update(dict.fromkeys(_ONE_THREAD, "1"))
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        start = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reflexarc.export.engines.worker", json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
            text=True,
        )
        try:
            times = self._answer()["ready"]
        except BaseException:
            self.close()
            raise
        self.cold_start_s = time.perf_counter() - start
        self.load_s: float = times.get("load_s", 0.0)
        self.first_answer_s: float = times.get("first_answer_s", 0.0)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def turn(self, seconds: float) -> tuple[list[float], float]:
        """Let it work for about so long; milliseconds of each call, and of CPU time a call."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"seconds": seconds}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        answer = self._answer()
        self.rss_bytes = answer["rss"]
        return answer["wall_ms"], answer["cpu_ms"]

    def _answer(self) -> dict[str, Any]:
        out = self._process.stdout
        assert out
        line = out.readline() if wait([out.fileno()], _PATIENCE_S) else None
        if line is None:
            raise EngineError(
                expected=f"an answer of {self.engine} within {_PATIENCE_S:.0f} s",
                found="none",
                remedy="leave this engine out with --engine",
            )
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            parts = {"expected": f"the engine {self.engine} to work", "remedy": "see its manual"}
            parts.update((k, v) for k, v in answer["error"].items() if k != "error")
            raise EngineError(**parts)
        return answer

    def _died(self) -> ReflexarcError:
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read().strip().splitlines() or ["without a word"]
        return EngineError(
            expected=f"the engine {self.engine} to go on",
            found=f"its process ended with {code}: {lines[-1]}",
            remedy="leave this engine out with --engine",
        )

    def close(self) -> None:
        """End the process: politely, then not."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()

    def __enter__(self) -> Process:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the process."""
        self.close()
