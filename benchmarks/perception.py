"""eyes: each task on 640x480 frames, the net's share, all together, and MediaPipe and supervision

python -m benchmarks.perception [--no-peers] [--frames 10000]
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.peers.compare import compare
from benchmarks.row import Row, save, table
from benchmarks.scenes import going_on, scene
from benchmarks.timing import milliseconds, timed_invokes
from reflexarc.perception.tasks import open_task

_FRAMES = 300
_WARM_UP = 30
# task, its options, what is in the frames, most milliseconds
TASKS = (
    ("digits", {}, "one card", "3"),
    ("faces", {}, "one face", ""),
    ("mask", {}, "one face", "6"),
    ("pose", {}, "one body", ""),
    ("situps", {}, "one body", "8"),
    ("people", {}, "three people", "12"),
    ("classify", {}, "one body", ""),
)
MOST_OWN_SHARE = "25 %"


def measure(peers: bool = True, frames: int = 10_000) -> list[Row]:
    rows = [*each_task(), *together(frames)]
    return [*rows, *compare()] if peers else rows


def each_task() -> list[Row]:
    """One task at a time, one thread; faces is a part of mask, pose of sit-ups."""
    rows = []
    for name, options, what, most in TASKS:
        task = open_task(name, device="cpu", **options)
        frames = scene(what)
        turns = itertools.count()

        def look() -> None:
            task.process(going_on(frames, next(turns)))  # noqa: B023 - called here only

        for _ in range(_WARM_UP):
            look()
        looks, nets = _with_invokes(look)
        rows += [
            Row(f"{name}, {what}, p50", float(np.median(looks)), "ms", most and f"{most} ms"),
            Row(
                f"{name}, what is not invoke",
                100 * (1 - float(np.median(nets)) / float(np.median(looks))),
                "%",
                MOST_OWN_SHARE,
            ),
        ]
    return rows


def _with_invokes(look: Callable[[], object]) -> tuple[list[float], list[float]]:
    looks, nets = [], []
    with timed_invokes() as spent:
        for _ in range(_FRAMES):
            spent.take()
            looks.append(milliseconds(look))
            nets.append(spent.take())
    return looks, nets


_TOGETHER = """
import json, os, resource, sys, time
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
from benchmarks.scenes import going_on, scene
from reflexarc.perception.pipeline import Pipeline, Slot
from reflexarc.perception.tasks import open_task

def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

names = ("digits", "mask", "situps", "people")
slots = [Slot(name, open_task(name, device="cpu")) for name in names]
frames = scene("three people")
with Pipeline(slots, lambda frame, observation: None) as pipeline:
    # Live: ten frames a second, what is not looked at in time is dropped.
    for turn in range(20):
        pipeline.put(going_on(frames, turn)); pipeline.wait()
    before = {n: (s.seen, s.dropped) for n, s in pipeline.statistics().items()}
    start = time.monotonic()
    for turn in range(100):
        time.sleep(max(0.0, start + turn / 10 - time.monotonic()))
        pipeline.put(going_on(frames, 20 + turn))
    pipeline.wait()
    live_s = time.monotonic() - start
    seen = min(s.seen - before[n][0] for n, s in pipeline.statistics().items())
    # As fast as it goes: capacity, and memory over many frames.
    total = int(sys.argv[1])
    first = total // 10
    start = time.monotonic()
    for turn in range(first):
        pipeline.put(going_on(frames, 200 + turn)); pipeline.wait()
    capacity = first / (time.monotonic() - start)
    early = rss()
    for turn in range(first, total):
        pipeline.put(going_on(frames, 200 + turn)); pipeline.wait()
    late = rss()
print(json.dumps([seen / live_s, capacity, early, late]))
"""


def together(frames: int) -> list[Row]:
    """digits, mask, sit-ups and people on one core, in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", _TOGETHER, str(frames)], capture_output=True, text=True, check=True
    )
    live, capacity, early, late = json.loads(done.stdout.splitlines()[-1])
    return [
        Row("four tasks on one core, frames seen at 10 a second", live, "/s", "at least 9.9"),
        Row("four tasks on one core, as fast as it goes", capacity, "/s", "at least 10"),
        Row(f"memory (RSS) after {frames // 10:,} frames", early, "MB", "250 MB"),
        Row(f"growth from there to {frames:,} frames", late - early, "MB", "5 MB"),
    ]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--no-peers", action="store_true")
    options.add_argument("--frames", type=int, default=10_000)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    rows = measure(not asked.no_peers, asked.frames)
    Console().print(table("perception", (__doc__ or "").splitlines()[0], rows))
    if asked.json:
        save(asked.json, rows)


if __name__ == "__main__":
    main()
