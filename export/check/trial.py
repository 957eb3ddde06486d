"""One converted model, measured as the device would run it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.export import parity
from reflexarc.export.calibration import Sample
from reflexarc.export.convert import stratified
from reflexarc.export.engines.registry import engines_for, open_with
from reflexarc.export.metadata import pack
from reflexarc.models.family import Dataset, Split
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import read_card


@dataclass(frozen=True)
class Subject:
    """The float model that others are held against.

    Attributes:
        model, card, data: as trained.
        test, validation: the Keras model's answers to these splits.
        size_bytes: of the .keras file.
    """

    model: keras.Model
    card: Card
    data: Dataset
    test: parity.Answers
    validation: parity.Answers
    size_bytes: int

    @classmethod
    def of(cls, model: keras.Model, card: Card, data: Dataset, size_bytes: int) -> Subject:
        """Run the Keras model over both splits."""
        test, validation = (
            parity.answer_keras(model, card, split) for split in (data.test, data.validation)
        )
        return cls(model, card, data, test, validation, size_bytes)

    def keras_row(self, split: str = "test") -> parity.Parity:
        """The Keras model's own line of the parity table."""
        answers: parity.Answers = getattr(self, split)
        labels = getattr(self.data, split).labels
        return parity.compare("keras", self.card, answers, answers, labels, self.size_bytes)

    def samples(self, count: int, split: str = "train") -> Samples:
        """About `count` samples of a split, every class equally often."""
        part: Split = getattr(self.data, split)
        return Samples(self.card, part, stratified(part.labels, count))

    def measure(self, name: str, path: Path, split: str = "test") -> Measured:
        """Run a model file over a split, sample by sample, in its default engine."""
        card = read_card(path)
        answers = parity.answer(
            open_with(engines_for(path)[0], path, card), getattr(self.data, split)
        )
        row = parity.compare(
            name,
            card,
            answers,
            getattr(self, split),
            getattr(self.data, split).labels,
            path.stat().st_size,
        )
        return Measured(row, answers)

    def measure_bytes(self, name: str, flatbuffer: bytes, card: Card) -> tuple[Measured, Measured]:
        """Pack a flatbuffer and measure it: on the validation and on the test split."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trial.tflite")
            path.write_bytes(pack(flatbuffer, card))
            return self.measure(name, path, "validation"), self.measure(name, path, "test")


@dataclass(frozen=True)
class Measured:
    """A line of the parity table, and the answers behind it."""

    row: parity.Parity
    answers: parity.Answers


class Samples(Sequence[Sample]):
    """Normalised samples made one at a time: two thousand photos in float32 are 1.2 GB."""

    def __init__(self, card: Card, split: Split, indices: npt.NDArray[np.int64]) -> None:
        self._card, self._split, self._indices = card, split, indices

    def __len__(self) -> int:
        """How many."""
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Samples: ...

    def __getitem__(self, index: int | slice) -> Sample | Samples:
        """One sample without batch dimension, or fewer samples."""
        if isinstance(index, slice):
            return Samples(self._card, self._split, self._indices[index])
        return real_values(self._card.input, self._split.inputs[self._indices[index]])

    def __iter__(self) -> Iterator[Sample]:
        """One after the other."""
        return (self[i] for i in range(len(self)))
