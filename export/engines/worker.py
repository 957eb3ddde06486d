"""One engine in a process of its own, which works when it is told to.

Started by `reflexarc.export.bench` as ``python -m``: what is imported here counts
as the engine's memory and cold start, so this imports nothing that it can avoid.
One JSON object a line: the job on the command line, ``{"seconds": s}`` a turn on
stdin, the answers on stdout. The end of stdin ends it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

_AT_LEAST = 3  # calls a turn, however slow
_WARM_UP = 2  # calls that bring weights and code back into the caches; not counted


def main() -> None:
    """Load, answer once, say so; then take turns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it then ends us
    # Libraries write to stdout as they like: keep the channel apart from it.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    job = json.loads(sys.argv[1])
    try:
        call, times = _calibration() if job["engine"] == CALIBRATION else _engine(job)
    except Exception as error:
        _say(channel, {"error": _reason(error)})
        return
    _say(channel, {"ready": times})
    for line in sys.stdin:
        wall_ms, cpu_ms = turn(call, json.loads(line)["seconds"])
        _say(channel, {"wall_ms": wall_ms, "cpu_ms": cpu_ms, "rss": _rss()})


CALIBRATION = "calibration"
"""The name of the fixed loop that other figures are divided by."""


def turn(call: Callable[[], object], seconds: float) -> tuple[list[float], float]:
    """Work for about so many seconds.

    Returns:
        Milliseconds of each call, and the CPU time of this process (all its
        threads) in milliseconds a call.
    """
    for _ in range(_WARM_UP):
        call()
    spent: list[float] = []
    end = time.perf_counter() + seconds
    cpu = time.process_time()
    while len(spent) < _AT_LEAST or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        spent.append((time.perf_counter() - start) * 1e3)
    return spent, (time.process_time() - cpu) * 1e3 / len(spent)


def _engine(job: dict[str, Any]) -> tuple[Callable[[], object], dict[str, float]]:
    start = time.perf_counter()
    from pathlib import Path

    from reflexarc.export.engines.registry import engine_of, open_with
    from reflexarc.perception.card import Card

    card = Card.model_validate(job["card"])
    model = open_with(engine_of(job["engine"]), Path(job["path"]), card, job["threads"])
    loaded = time.perf_counter()
    sample = _sample(card)
    model.run(sample)
    answered = time.perf_counter()
    return lambda: model.run(sample), {
        "load_s": loaded - start,
        "first_answer_s": answered - loaded,
    }


def _sample(card: Any) -> Any:
    """Noise of the input's form: what a net computes with does not change its time."""
    import numpy as np

    from reflexarc.perception.card import InputSpec
    from reflexarc.perception.runtime import input_shape

    rng = np.random.default_rng(0)
    shape = input_shape(card.input)
    if isinstance(card.input, InputSpec):
        return rng.integers(0, 256, shape).astype(np.uint8)
    return rng.standard_normal(shape).astype(np.float32)


def _calibration() -> tuple[Callable[[], object], dict[str, float]]:
    """Fixed work, like a net's in kind: a float product (BLAS, one thread), and bytes summed."""
    import numpy as np

    rng = np.random.default_rng(0)
    left, right = rng.random((2, 256, 256), np.float32)
    codes, weights = rng.integers(-128, 128, (2, 128, 1024)).astype(np.int8)

    def call() -> None:
        left @ right
        (codes.astype(np.int32) * weights).sum(axis=1)

    call()
    return call, {}


def _rss() -> int:
    """Highest resident memory of this process, in bytes."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            return next(int(line.split()[1]) * 1024 for line in status if line[:6] == "VmHWM:")
    except (OSError, StopIteration):
        import resource

        # On Linux this one would count what the parent held when it started us.
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used * 1024


def _reason(error: Exception) -> dict[str, str]:
    from reflexarc.core import ReflexarcError

    if isinstance(error, ReflexarcError):
        return error.as_dict()
    return {"found": f"{type(error).__name__}: {error}"}


def _say(channel: TextIO, message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


if __name__ == "__main__":
    main()
