"""A llama.cpp server as a process of its own: `python -m reflexarc.robot.planners.llama_server`.

Reads its orders as one line of JSON (model, threads, n_ctx) on standard input, says
as one line of JSON on standard output where it listens (or why not), and lives as long as its
standard input is open: it dies with the process that started it, however that dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

KEY_VARIABLE = "REFLEXARC_LLAMA_KEY"


def main() -> None:
    """Serve on 127.0.0.1, at a port that is free, for who knows the key in KEY_VARIABLE."""
    # What llama.cpp prints goes to stderr; the one line of ours to the real stdout.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders = json.loads(sys.stdin.buffer.readline())
    try:
        answer, server = _serve(orders)
    except Exception as error:  # the other side says it better
        answer, server = {"error": f"{type(error).__name__}: {error}"}, None
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
    if server is not None:
        sys.stdin.buffer.read()
    os._exit(0)  # its threads would be waited for


def _serve(orders: dict[str, Any]) -> tuple[dict[str, str], Any]:
    import xllamacpp

    # The robot's motors come first.
    with contextlib.suppress(OSError):
        os.nice(5)
    params = xllamacpp.CommonParams()
    params.model.path = orders["model"]
    params.n_ctx = orders["n_ctx"]
    params.n_parallel = 1
    # One thread: llama.cpp's threads wait for each other by spinning, so that two of them on
    # two cores that are busy otherwise were up to 40 times slower than one.
    params.cpuparams.n_threads = orders["threads"]
    params.cpuparams_batch.n_threads = orders["threads"]
    params.cache_ram_mib = 0  # one prompt is kept, in the context; not 8 GB of old ones
    params.ui = False
    params.verbosity = 0
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [os.environ.pop(KEY_VARIABLE)]
    server = xllamacpp.Server(params)
    return {"url": server.listening_address}, server


if __name__ == "__main__":
    main()
