"""Engines side by side on the same files, in one run, in turns.

Every engine has its own process, so that memory and cold start are its own. In
each round every process works for a moment, in random order, and so does a
fixed calibration loop: what slows the machine down slows all of them, and a
ratio to the loop stays what it was. That ratio is of CPU times: with a load of
eight on two cores, eight runs of MobileNetV2 INT8 gave ratios within 3 % of each
other, where those of p50 were within 24 %. The clock goes on for others in the
middle of a long call, but seldom in a short one.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reflexarc.export.engines.process import Process
from reflexarc.export.engines.registry import ENGINES, Engine, EngineError, engine_of, engines_for
from reflexarc.export.engines.worker import CALIBRATION
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import read_card

Turn = tuple[list[float], float]
"""Milliseconds of each call of a turn, and of CPU time a call."""

TURN_S = 0.05
STARTS = 3  # cold starts; their median is reported
_STARTS_S = 5.0  # no further start of what has taken longer than this


@dataclass(frozen=True)
class Row:
    """One file on one engine.

    Attributes:
        threads: None where the engine chooses itself.
        p50_ms, p90_ms, p99_ms: of one sample from bytes to real values.
        cpu_ms: CPU time of one sample on all threads, median over the rounds.
        ratio: median over the rounds of that over the calibration loop's. Waiting
            is not in it.
        cold_start_s: start of a process, imports, load, first answer.
        load_s: of it, imports and load.
        rss_bytes: highest resident memory of that process.
    """

    file: str
    quantization: str
    engine: str
    version: str
    threads: int | None
    calls: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms: float
    ratio: float
    size_bytes: int
    rss_bytes: int
    cold_start_s: float
    load_s: float

    @property
    def key(self) -> str:
        """Its name in a reference file."""
        return row_key(self.file, self.engine, self.threads)


@dataclass(frozen=True)
class Failure:
    """A file that an installed engine could not run, and why."""

    file: str
    engine: str
    threads: int | None
    reason: str

    @property
    def key(self) -> str:
        """Its name in a reference file."""
        return row_key(self.file, self.engine, self.threads)


@dataclass(frozen=True)
class Bench:
    """What a run found.

    Attributes:
        absent: how to get each engine that takes one of the files but is not installed.
        calibration_ms: CPU time of the calibration loop, median over the rounds.
    """

    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    absent: dict[str, str]
    calibration_ms: float
    rounds: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def row_key(file: str, engine: str, threads: int | None) -> str:
    """How a reference file names a row."""
    return f"{file} {engine} {'own' if threads is None else threads}"


@dataclass(frozen=True)
class _Job:
    path: Path
    card: Card
    engine: Engine
    threads: int | None


def bench(
    files: Sequence[Path],
    engines: Sequence[str] = (),
    *,
    threads: int = 1,
    rounds: int = 30,
    starts: int = STARTS,
    turn_s: float = TURN_S,
    seed: int = 0,
    tell: Callable[[str, int, int], None] = lambda step, done, of: None,
) -> Bench:
    """Measure every file on every engine that takes it.

    Args:
        files: model files with cards.
        engines: names of `ENGINES`; all that are installed if left out.
        threads: CPU threads of each engine.
        rounds: turns of each engine.
        starts: how often each is started for its cold start.
        turn_s: seconds of a turn.
        seed: of the order in the rounds.
        tell: is called with each step, how many are done, and of how many.

    Raises:
        ModelFileError: a file that is absent, of no known kind, or without a card.
        EngineError: an engine that is unknown, not installed or takes none of the files;
            or nothing that runs at all.
    """
    jobs, absent = _plan(files, engines, threads)
    total = len(jobs) * starts + rounds
    failures: list[Failure] = []
    with contextlib.ExitStack() as stack:
        running: list[tuple[_Job, Process, float]] = []
        for number, job in enumerate(jobs):
            tell(f"start {job.engine.name} on {job.path.name}", number * starts, total)
            try:
                process, cold_start = _start(job, starts)
            except EngineError as error:
                failures.append(Failure(job.path.name, job.engine.name, job.threads, str(error)))
                continue
            running.append((job, stack.enter_context(process), cold_start))
        if not running:
            raise EngineError(
                expected="at least one engine that runs the file",
                found=failures[0].reason if failures else "no engine is installed",
                remedy="; ".join(absent.values()) or "choose another engine",
            )
        calibration = stack.enter_context(Process(CALIBRATION, None, None, 1))
        processes = [calibration, *(process for _, process, _ in running)]
        spent: dict[Process, list[Turn]] = {process: [] for process in processes}
        order = random.Random(seed)
        for done in range(rounds):
            tell(f"round {done + 1} of {rounds}", len(jobs) * starts + done, total)
            order.shuffle(processes)
            for process in processes:
                spent[process].append(process.turn(turn_s))
        tell("done", total, total)
        loop = [cpu_ms for _, cpu_ms in spent[calibration]]
        rows = [
            _row(job, process, cold_start, spent[process], loop)
            for job, process, cold_start in running
        ]
    return Bench(tuple(rows), tuple(failures), absent, float(np.median(loop)), rounds)


def _plan(
    files: Sequence[Path], names: Sequence[str], threads: int
) -> tuple[list[_Job], dict[str, str]]:
    """What to run, and the remedies of what is not installed."""
    wanted = [engine_of(name) for name in names] or list(ENGINES.values())
    jobs: list[_Job] = []
    absent: dict[str, str] = {}
    used: set[str] = set()
    for path in dict.fromkeys(files):
        takers = [engine for engine in engines_for(path) if engine in wanted]
        card = read_card(path)
        for engine in takers:
            used.add(engine.name)
            if engine.installed:
                jobs.append(_Job(path, card, engine, threads if engine.threads else None))
            elif names:
                raise EngineError(
                    expected=f"the engine {engine.name}",
                    found="it is not installed",
                    remedy=engine.remedy,
                )
            else:
                absent[engine.name] = engine.remedy
    for name in names:
        if name not in used:
            raise EngineError(
                expected=f"a file for {name} ({', '.join(engine_of(name).formats)})",
                found=", ".join(str(path) for path in files),
                remedy="leave the engine out, or add such a file",
            )
    return jobs, absent


def _start(job: _Job, starts: int) -> tuple[Process, float]:
    """Start a process several times; the last one stays."""
    times: list[float] = []
    while True:
        process = Process(job.engine.name, job.path, job.card, job.threads or 1)
        times.append(process.cold_start_s)
        if len(times) >= starts or sum(times) > _STARTS_S:
            return process, float(np.median(times))
        process.close()


def _row(
    job: _Job, process: Process, cold_start_s: float, turns: list[Turn], loop: list[float]
) -> Row:
    every = np.concatenate([wall_ms for wall_ms, _ in turns])
    p50, p90, p99 = (float(value) for value in np.percentile(every, (50, 90, 99)))
    cpu = [cpu_ms for _, cpu_ms in turns]
    return Row(
        file=job.path.name,
        quantization=job.card.quantization,
        engine=job.engine.name,
        version=job.engine.version,
        threads=job.threads,
        calls=len(every),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        cpu_ms=float(np.median(cpu)),
        ratio=ratio_to_loop(cpu, loop),
        size_bytes=job.path.stat().st_size,
        rss_bytes=process.rss_bytes,
        cold_start_s=cold_start_s,
        load_s=process.load_s,
    )


def ratio_to_loop(engine_ms: Sequence[float], loop_ms: Sequence[float]) -> float:
    """Median over the rounds of an engine's time over the loop's in the same round."""
    return float(np.median(np.array(engine_ms) / np.array(loop_ms)))
