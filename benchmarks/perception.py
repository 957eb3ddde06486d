"""runtime and eyes, side by side in one run"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks.row import Row
from reflexarc.perception import Frame
from reflexarc.perception.tasks import default_model, default_model_path, open_task

_ROUNDS, _CALLS = 30, 200


def measure() -> list[Row]:
    return [*overhead(), *digits(), *cold_start()]


def overhead() -> list[Row]:
    """`Model.predict` against a bare `invoke` on the same file, in turns."""
    ours = default_model("digits")
    bare = Interpreter(model_path=str(default_model_path("digits")), num_threads=1)
    bare.allocate_tensors()
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    pairs = [
        (_milliseconds(lambda: ours.predict(image)), _milliseconds(bare.invoke))
        for _ in range(_ROUNDS)
    ]
    mine, theirs = (float(np.median(column)) for column in zip(*pairs, strict=True))
    return [
        Row("Model.predict, p50", mine, "ms"),
        Row("bare Interpreter.invoke, p50", theirs, "ms"),
        Row("overhead of predict over invoke", mine - theirs, "ms", "0.1 ms"),
    ]


def digits() -> list[Row]:
    """The digits task on 640x480: a textured frame with one card."""
    rng = np.random.default_rng(0)
    rows = []
    for name, cards, smallest in (
        ("no card", 0, 12),
        ("one card", 1, 12),
        ("one card, digits from 24 px", 1, 24),
    ):
        task = open_task("digits", smallest_px=smallest)
        image = rng.normal(120, 12, (480, 640, 3)).clip(0, 255).astype(np.uint8)
        if cards:
            image[200:312, 300:412] = 0
            image[220:290, 350:362] = 230
        frame = Frame(image, 0, 0, "benchmark")
        look = functools.partial(task.process, frame)
        times = [_milliseconds(look, 1) for _ in range(200)]
        rows.append(Row(f"digits, 640x480, {name}, p50", float(np.median(times)), "ms"))
    return rows


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


def _milliseconds(call: Callable[[], object], calls: int = _CALLS) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e3
