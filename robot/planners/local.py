"""The planner `local`: a GGUF file and llama.cpp on this machine, in a process of its own.

A small model understands few orders, and cannot know which: its plans carry a low
confidence, and it is the last link of a chain. It can say nothing outside the schema and
its limits: decoding is constrained to them.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from reflexarc.core import cache_dir
from reflexarc.robot.plan import Plan
from reflexarc.robot.planners import prompt
from reflexarc.robot.planners.base import PlannerError
from reflexarc.robot.planners.chat import ChatServer
from reflexarc.robot.planners.llama_server import KEY_VARIABLE
from reflexarc.robot.planners.options import Seconds, read_options

ASSET = "smollm2"
MODEL_VARIABLE = "REFLEXARC_LOCAL_MODEL"
CONFIDENCE = 0.3
_MAX_TOKENS = 160
_CONTEXT = 4096


def default_model() -> Path:
    """The GGUF file that REFLEXARC_LOCAL_MODEL names, or the fetched SmolLM2-135M.

    Raises:
        PlannerError: neither is there.
    """
    if named := os.environ.get(MODEL_VARIABLE):
        return Path(named)
    fetched = sorted(cache_dir("assets").glob(f"{ASSET}-*/*.gguf"))
    if not fetched:
        raise PlannerError(
            expected="a language model",
            found=f"no {ASSET} in the cache",
            remedy=f"run `reflexarc assets fetch {ASSET}` (93 MB), or set {MODEL_VARIABLE} "
            "to a GGUF file",
        )
    return fetched[-1]


class LocalOptions(BaseModel):
    """What robot.yaml may say of it, under `language.local`."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = None
    timeout_s: Seconds = 10.0
    load_timeout_s: Seconds = 60.0
    threads: Annotated[int, Field(ge=1, le=64)] = 1


def open_local(**options: Any) -> LocalPlanner:
    """The planner, as robot.yaml has it.

    Raises:
        PlannerError: an unknown option or value, xllamacpp is not installed, or no model.
    """
    return LocalPlanner(**dict(read_options(LocalOptions, options)))


class LocalPlanner:
    """Plans with llama.cpp in a child process. Safe to share between threads.

    The process starts with the first order and ends with `close()`, with this process,
    or when it does not answer in time; the next order starts another.

    Args:
        model: a GGUF file; None is `default_model()`.
        timeout_s: for one plan.
        load_timeout_s: for starting the process, loading the file and reading the prompt.
        threads: of llama.cpp.
    """

    name = "local"

    def __init__(
        self,
        model: Path | None = None,
        *,
        timeout_s: float = 10.0,
        load_timeout_s: float = 60.0,
        threads: int = 1,
    ) -> None:
        """Starts nothing yet.

        Raises:
            PlannerError: xllamacpp is not installed, or the model is no GGUF file.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise PlannerError(
                expected="llama.cpp", found="no xllamacpp", remedy="pip install 'reflexarc[llm]'"
            )
        self._model = default_model() if model is None else model
        _check_gguf(self._model)
        self._timeout_s = timeout_s
        self._load_timeout_s = load_timeout_s
        self._threads = threads
        self._child: _Child | None = None
        self._lock = threading.Lock()
        atexit.register(self.close)

    def plan(self, text: str) -> Plan:
        """Ask the model.

        Raises:
            PlannerError: the process does not start, or gives no plan in time.
        """
        known = prompt.without_asking(text, self.name)
        if known is not None:
            return known
        order = prompt.as_order(text)
        with self._lock:
            child = self._running()
            try:
                answer = child.complete(order, self._timeout_s)
            except PlannerError:
                self._end()  # it hangs or is broken; the next order gets a fresh one
                raise
        try:
            return _with_our_words(answer, order)
        except prompt.AnswerError as error:
            # Cut off at the limit of tokens, or what a schema cannot say ("digit_seen" alone
            # has a value).
            raise PlannerError(
                expected="a valid plan",
                found=f"{error} in {answer[:100]!r}",
                remedy="say it in other, fewer words",
            ) from error

    def close(self) -> None:
        """End the process. It may be used again."""
        with self._lock:
            self._end()
        atexit.unregister(self.close)

    def __enter__(self) -> LocalPlanner:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def _running(self) -> _Child:
        if self._child is not None and not self._child.alive:
            self._end()
        if self._child is None:
            self._child = _Child(self._model, self._threads, self._load_timeout_s)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


@cache
def _grammar() -> str:
    """The schema of answers as a grammar of llguidance, which xllamacpp brings."""
    return f"%llguidance {{}}\nstart: %json {json.dumps(prompt.bounded_schema())}"


def _with_our_words(answer: str, order: str) -> Plan:
    whole: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        whole = json.loads(answer)
    if whole.get("status") in ("clarify", "refuse"):
        return Plan(
            status=whole["status"],
            message=prompt.own_message(order, whole["status"]),
            planner=LocalPlanner.name,
            confidence=CONFIDENCE,
        )
    return prompt.read_answer(answer, planner=LocalPlanner.name, confidence=CONFIDENCE)


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise _no_gguf(path, error.strerror or str(error)) from error
    if start != b"GGUF":
        raise _no_gguf(path, f"one that starts with {start!r}" if start else "an empty one")


def _no_gguf(path: Path, found: str) -> PlannerError:
    return PlannerError(
        expected=f"a GGUF file at {path}",
        found=found,
        remedy=f"give one that llama.cpp can load, or none for {ASSET}",
    )


class _Child:
    """The running llama.cpp server: started, loaded, and the prompt read."""

    def __init__(self, model: Path, threads: int, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        key = secrets.token_urlsafe(32)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reflexarc.robot.planners.llama_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, KEY_VARIABLE: key},
            start_new_session=True,  # Ctrl-C is for us, not for it
        )
        try:
            orders = {"model": str(model), "threads": threads, "n_ctx": _CONTEXT}
            said = self._hello(json.dumps(orders).encode() + b"\n", end)
            if "url" not in said:
                raise _no_gguf(model, said.get("error", "nothing from llama.cpp"))
            self._server = ChatServer(f"{said['url']}/v1", key)
            self.complete("turn left", end - time.monotonic())  # reads the prompt
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def complete(self, order: str, timeout_s: float) -> str:
        request = {
            "messages": prompt.short_messages(order),
            "temperature": 0,
            "max_tokens": _MAX_TOKENS,
            "cache_prompt": True,
            # Not as response_format: there llama.cpp leaves limits of numbers out.
            "grammar": _grammar(),
        }
        return self._server.complete(request, max(0.0, timeout_s))

    def end(self) -> None:
        self._process.kill()  # it has nothing to save
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _hello(self, orders: bytes, end: float) -> dict[str, str]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin and stdout
        with contextlib.suppress(OSError):
            stdin.write(orders)
            stdin.flush()
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(
            target=lambda: lines.put(stdout.readline()), name="llama", daemon=True
        ).start()
        try:
            line = lines.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise PlannerError(
                expected="llama.cpp to load the model in its time",
                found="nothing",
                remedy="use a smaller model, or raise the time limit for loading",
            ) from None
        with contextlib.suppress(ValueError):
            said: dict[str, str] = json.loads(line)
            return said
        return {}
