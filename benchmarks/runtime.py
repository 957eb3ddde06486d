"""model runtime: what `predict` adds to a bare invoke, and a cold start"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.row import Row
from benchmarks.timing import milliseconds
from reflexarc.perception.tasks import default_model, default_model_path

_ROUNDS, _CALLS = 30, 200


def measure() -> list[Row]:
    return [*overhead(), *cold_start()]


def overhead() -> list[Row]:
    """`Model.predict` against a bare `invoke` on the same file, in turns."""
    ours = default_model("digits")
    bare = Interpreter(model_path=str(default_model_path("digits")), num_threads=1)
    bare.allocate_tensors()
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    pairs = [
        (milliseconds(lambda: ours.predict(image), _CALLS), milliseconds(bare.invoke, _CALLS))
        for _ in range(_ROUNDS)
    ]
    mine, theirs = (float(np.median(column)) for column in zip(*pairs, strict=True))
    return [
        Row("Model.predict, p50", mine, "ms"),
        Row("bare Interpreter.invoke, p50", theirs, "ms"),
        Row("overhead of predict over invoke", mine - theirs, "ms", "0.1 ms"),
    ]


_COLD = """
import json, resource, time
start = time.perf_counter()
import reflexarc.perception
imported = time.perf_counter() - start
from reflexarc.perception.tasks import default_model
import numpy as np
default_model("digits").predict(np.zeros((28, 28), np.uint8))
answered = time.perf_counter() - start
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([imported, answered, rss]))
"""


def cold_start() -> list[Row]:
    """Import and first answer in a fresh process."""
    runs = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", _COLD], capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
    imported, answered, rss = np.median(runs, axis=0)
    return [
        Row("import reflexarc.perception", float(imported), "s", "1 s"),
        Row("import and first answer", float(answered), "s"),
        Row("memory (RSS) up to the first answer", float(rss), "MB", "150 MB"),
    ]
