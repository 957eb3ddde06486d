"""Opinions from examples: an order means what the sentences nearest to it mean.

Kernel ridge regression (one machine an intent) on points of the multilingual sentence
embedding. It is fitted to the tables by `python -m reflexarc.robot.planners.parser`.
Kernel, ridge and the curve of confidence were chosen by leaving one example out.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reflexarc.core import atomic_write
from reflexarc.robot.planners.parser.lexicon import LANGUAGES, read_table
from reflexarc.robot.planners.parser.opinion import Opinion

Points = npt.NDArray[np.float32]
Sentences = list[tuple[str, str]]
"""(label, sentence)."""

_WIDTH, _RIDGE = 2.0, 0.3
"""Kernel exp(width * (cosine - 1)) and its regularisation."""

_MIDDLE, _STEEPNESS = 0.2, 3.2
"""Margin at which an opinion is right as often as wrong, and how fast that changes."""

_BATCH = 64
_CODES = 127.0
TABLES = ("clauses", "events")


class Embeds(Protocol):
    """Makes points of sentences (`reflexarc.robot.embedding.Embedder`)."""

    def embed(self, texts: Sequence[str], /) -> Points:
        """float32 (n, d), rows of length 1."""
        ...


class Examples:
    """Opinions by nearness to examples.yaml and the lexicon's own phrases."""

    def __init__(self, embedder: Embeds) -> None:
        """The fitted machines are read at the first question."""
        self._embedder = embedder

    @cached_property
    def _machines(self) -> dict[str, Machine]:
        return read_machines()

    def load(self) -> None:
        """See `Guess`."""
        self.clause("get ready")

    def clause(self, words: str) -> Opinion:
        """See `Guess`."""
        return self._ask("clauses", words)

    def event(self, words: str) -> Opinion:
        """See `Guess`."""
        return self._ask("events", words)

    def _ask(self, table: str, words: str) -> Opinion:
        (point,) = self._embedder.embed([words])
        return self._machines[table].opinion(point)


@dataclass(frozen=True)
class Machine:
    """Kernel ridge regression, fitted.

    Attributes:
        labels: names of the intents (k).
        points: int8 (n, d), the examples' points times 127.
        weights: float32 (n, k).
    """

    labels: tuple[str, ...]
    points: npt.NDArray[np.int8]
    weights: npt.NDArray[np.float32]

    @cached_property
    def _real(self) -> Points:
        return self.points.astype(np.float32) / _CODES

    def opinion(self, point: npt.NDArray[np.float32]) -> Opinion:
        """The intent of a sentence's point; surer the farther the next intent is."""
        scores = np.exp(_WIDTH * (self._real @ point - 1)) @ self.weights
        best, second = np.argsort(scores)[::-1][:2]
        margin = float(scores[best] - scores[second])
        confidence = 1 / (1 + math.exp(-_STEEPNESS * (margin - _MIDDLE)))
        return Opinion(frozenset(self.labels[best].split()), confidence)


def fit(rows: Sentences, points: Points) -> Machine:
    """Fit to labelled sentences and their points (n, d)."""
    labels = tuple(sorted({label for label, _ in rows}))
    codes = np.round(points * _CODES).astype(np.int8)
    real = codes.astype(np.float32) / _CODES
    targets = -np.ones((len(rows), len(labels)), np.float32)
    for row, (label, _) in enumerate(rows):
        targets[row, labels.index(label)] = 1
    kernel = np.exp(_WIDTH * (real @ real.T - 1))
    kernel[np.diag_indices_from(kernel)] += _RIDGE
    return Machine(labels, codes, np.linalg.solve(kernel, targets).astype(np.float32))


def sentences() -> dict[str, Sentences]:
    """What the machines are fitted to, by table: "clauses" and "events"."""
    known, examples = labelled_clauses()
    return {"clauses": [*known, *examples], "events": _examples("events")}


def labelled_clauses() -> tuple[Sentences, Sentences]:
    """The lexicon's phrases that are whole clauses, and the examples."""
    examples = _examples("clauses")
    labels = {label for label, _ in examples}
    known = [
        (label, phrase)
        for language in LANGUAGES
        for label, items in read_table(language)["words"].items()
        if label in labels
        for item in items
        for phrase in item.split("|")
        if len(phrase) > 1
    ]
    return known, examples


def _examples(table: str) -> Sentences:
    return [
        (label, phrase)
        for label, items in read_table("examples")[table].items()
        for item in items
        for phrase in item.split("|")
    ]


def digest(rows: Sentences) -> str:
    """Tells whether machines belong to these sentences."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def read_machines() -> dict[str, Machine]:
    """The machines that are packaged (examples.npz)."""
    path = files("reflexarc.robot.planners.parser") / "examples.npz"
    with path.open("rb") as file, np.load(file) as stored:
        return {
            table: Machine(
                tuple(stored[f"{table}_labels"].tolist()),
                stored[f"{table}_points"],
                stored[f"{table}_weights"].astype(np.float32),
            )
            for table in TABLES
        }


def packaged_digests() -> dict[str, str]:
    """`digest` of the sentences that the packaged machines were fitted to."""
    path = files("reflexarc.robot.planners.parser") / "examples.npz"
    with path.open("rb") as file, np.load(file) as stored:
        return {table: str(stored[f"{table}_digest"]) for table in TABLES}


def write_machines(embedder: Embeds, path: Path) -> None:
    """Fit to the tables as they are now, and write examples.npz."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for table, rows in sentences().items():
        phrases = [phrase for _, phrase in rows]
        points = [embedder.embed(phrases[i : i + _BATCH]) for i in range(0, len(phrases), _BATCH)]
        machine = fit(rows, np.concatenate(points))
        arrays[f"{table}_labels"] = np.array(machine.labels)
        arrays[f"{table}_points"] = machine.points
        arrays[f"{table}_weights"] = machine.weights.astype(np.float16)
        arrays[f"{table}_digest"] = np.array(digest(rows))
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)  # type: ignore[arg-type]  # its stub takes one for a flag
    with atomic_write(path) as file:
        file.write_bytes(held.getvalue())
