"""Which backend runs a file here, and with how many threads.

What is fastest is found by a short measurement and remembered, so that the same machine
with the same libraries always chooses the same: backends round differently, and a
recording must give the same numbers again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from reflexarc.core import ReflexarcError, atomic_write, cache_dir, load_plugin, plugins
from reflexarc.perception.backends.base import Backend, BackendError
from reflexarc.perception.card import Card

GROUP = "reflexarc.backends"
DEFAULTS = {".tflite": "litert", ".onnx": "onnxruntime"}
"""What "cpu" means for a file of that ending."""
_LIBRARIES = ("ai-edge-litert", "tflite-runtime", "onnxruntime", "openvino")

_CALLS = 15
_WORTH_WHILE = 0.9
"""More threads, or another backend than the default, must take less than this share of the
time: below, it is noise, and threads are wanted elsewhere."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend for a file.

    Attributes:
        backend: its name.
        threads: CPU threads.
        why: in words, with times where they were measured.
    """

    backend: str
    threads: int
    why: str

    def open(self, path: Path, card: Card | None) -> Any:
        """The network, ready to run; see `Backend.open_network`."""
        return _backend(self.backend).open_network(path, card, self.threads)


def choose(path: Path, card: Card, device: str, threads: int | None) -> Choice:
    """See `reflexarc.perception.load_model`.

    Raises:
        BackendError: no such device or backend, or it cannot run this file.
    """
    if device not in ("auto", "cpu"):
        return _told(path, card, device, threads)
    default = DEFAULTS.get(path.suffix, "litert")
    refusal = _backend(default).why_not(path)
    names = _candidates(path) if device == "auto" else [default] * (not refusal)
    if not names:
        raise BackendError(
            expected=f"a backend that runs {path.name} here",
            found=refusal,
            remedy="`reflexarc doctor` says what is installed; export the model again for it",
        )
    if "edgetpu" in names:
        return Choice("edgetpu", 1, "the file is compiled for it")
    if len(names) == 1 and threads is not None:
        return Choice(names[0], threads, "the only one that runs this file here")
    return _fastest(path, card, names, [threads] if threads is not None else _thread_counts())


def _told(path: Path, card: Card, device: str, threads: int | None) -> Choice:
    if device not in plugins(GROUP):
        raise BackendError(
            expected=f"a device: auto, cpu, {', '.join(plugins(GROUP))}",
            found=repr(device),
            remedy='use device="auto"',
        )
    if path.suffix not in _backend(device).FORMATS:
        raise BackendError(
            expected=f"a {' or '.join(_backend(device).FORMATS)} file for {device}",
            found=path.name,
            remedy='export the model for it, or use device="auto"',
        )
    if threads is not None:
        return Choice(device, threads, "as told")
    return _fastest(path, card, [device], _thread_counts())


def _candidates(path: Path) -> list[str]:
    """Backends that may run the file, the default one first."""
    default = DEFAULTS.get(path.suffix)
    names = sorted(plugins(GROUP), key=lambda name: (name != default, name))
    return [
        name
        for name in names
        if path.suffix in _backend(name).FORMATS and not _backend(name).why_not(path)
    ]


def _thread_counts() -> list[int]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [count for count in (1, 2, 4) if count <= (cores or 1)]


def _fastest(path: Path, card: Card, names: list[str], counts: list[int]) -> Choice:
    memory = cache_dir("backends") / f"{_key(path, names, counts)}.json"
    try:
        return Choice(**json.loads(memory.read_text()))
    except (OSError, ValueError, TypeError):
        pass
    times: dict[tuple[str, int], float] = {}
    failures: dict[str, Exception] = {}
    for name in names:
        for count in counts:
            try:
                times[name, count] = _milliseconds(path, card, name, count)
            except (ReflexarcError, RuntimeError, ValueError, OSError) as error:
                failures[name] = error
    if not times:
        raise next(iter(failures.values()))
    best = next(iter(times))
    for candidate, spent in times.items():
        if spent < _WORTH_WHILE * times[best]:
            best = candidate
    words = ", ".join(f"{name} x{count} {ms:.2f} ms" for (name, count), ms in times.items())
    failed = "".join(f"; {name} failed: {error}" for name, error in failures.items())
    choice = Choice(*best, f"measured: {words}{failed}")
    with atomic_write(memory) as temporary:
        temporary.write_text(
            json.dumps({"backend": best[0], "threads": best[1], "why": choice.why})
        )
    return choice


def _milliseconds(path: Path, card: Card, name: str, threads: int) -> float:
    """Median time of an inference on zeros."""
    network = _backend(name).open_network(path, card, threads)
    (details,) = network.get_input_details()
    zeros = np.zeros([int(n) for n in details["shape"]], details["dtype"])
    times = []
    for _ in range(_CALLS):
        start = time.perf_counter()
        network.set_tensor(details["index"], zeros)
        network.invoke()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def _key(path: Path, names: list[str], counts: list[int]) -> str:
    """The same for the same file, machine and libraries."""
    parts = [hashlib.sha256(path.read_bytes()).hexdigest(), platform.machine(), platform.node()]
    parts += [*names, *map(str, counts)]
    for library in _LIBRARIES:
        try:
            parts.append(version(library))
        except PackageNotFoundError:
            parts.append("-")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


def _backend(name: str) -> Backend:
    backend: Backend = load_plugin(GROUP, name, "backend")
    return backend
