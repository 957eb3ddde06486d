"""The whole check: every format held against the Keras model, and a diagnosis where INT8 fell."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reflexarc.core import atomic_write
from reflexarc.export import package
from reflexarc.export.calibration import byte_range, calibrate
from reflexarc.export.check.noise import LayerNoise, blamed, layer_noise
from reflexarc.export.check.remedies import (
    MOST_DROP,
    Tried,
    edgetpu_note,
    recommend,
    try_all,
)
from reflexarc.export.check.trial import Samples, Subject
from reflexarc.export.check.worst import Worst, worst
from reflexarc.export.convert import float_graph, prepare, quantize, stratified
from reflexarc.export.flatbuffer import layer_names
from reflexarc.export.metadata import pack
from reflexarc.export.parity import Parity
from reflexarc.models.family import Dataset, Split
from reflexarc.perception.card import Card

# Enough for a mean power; each sample reads every tensor of the model.
_NOISE_SAMPLES = 32


@dataclass(frozen=True)
class Diagnosis:
    """Why INT8 fell, and what helps.

    Attributes:
        noise: every op's SQNR, in the order of computation.
        blamed: the layers whose own noise it is, the noisiest first.
        plain: the plain INT8 file on the validation split, which the choice is made by.
        keras: the Keras model on that split.
        tried: the remedies.
        recommended: one of `tried`; None where none helps.
    """

    noise: tuple[LayerNoise, ...]
    blamed: tuple[str, ...]
    plain: Parity
    keras: Parity
    tried: tuple[Tried, ...]
    recommended: Tried | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "noise": [n.as_dict() for n in self.noise],
            "blamed": self.blamed,
            "validation": {"keras": self.keras.as_dict(), "int8": self.plain.as_dict()},
            "remedies": [t.as_dict() for t in self.tried],
            "recommended": None
            if self.recommended is None
            else {"remedy": self.recommended.remedy, "detail": self.recommended.detail},
        }


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        rows: the parity table, the Keras model first.
        worst: by format, the samples with the largest disagreement.
        files: the model files by format.
        edgetpu: by TFLite format, how much of it a Coral would run.
        diagnosis: None where INT8 kept its accuracy and nobody asked.
    """

    card: Card
    rows: tuple[Parity, ...]
    worst: dict[str, tuple[Worst, ...]]
    files: dict[str, Path]
    edgetpu: dict[str, str]
    diagnosis: Diagnosis | None

    @property
    def fallen(self) -> tuple[str, ...]:
        """Formats that lost more accuracy than MOST_DROP."""
        return tuple(
            row.name for row in self.rows if self.rows[0].accuracy - row.accuracy > MOST_DROP
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "card": self.card.model_dump(mode="json"),
            "parity": [row.as_dict() for row in self.rows],
            "fallen": self.fallen,
            "files": {name: str(path) for name, path in self.files.items()},
            "edgetpu": self.edgetpu,
            "worst": {name: [w.as_dict() for w in some] for name, some in self.worst.items()},
            "diagnosis": None if self.diagnosis is None else self.diagnosis.as_dict(),
        }


def check(
    source: Path,
    data: Dataset,
    formats: tuple[package.Format, ...],
    folder: Path,
    *,
    adopted: Card | None = None,
    limit: int | None = None,
    always_diagnose: bool = False,
    tell: Callable[[str], None] = lambda step: None,
) -> Checked:
    """Export `source` in every format and hold each against the Keras model.

    Args:
        source: the trained ``.keras`` file.
        data: calibration comes from ``data.train``, remedies are chosen on
            ``data.validation``, and everything is reported on ``data.test``.
        formats: what to check.
        folder: where the model files go.
        adopted: the card of a source that carries none.
        limit: at most so many samples of each split, every class equally often.
        always_diagnose: even where INT8 did not fall by more than MOST_DROP.
        tell: is called with the name of each step as it begins.

    Raises:
        ReflexarcError: the source cannot be loaded or exported.
    """
    model, card = package.load_keras(source, adopted)
    if limit is not None:
        data = replace(data, test=_part(data.test, limit), validation=_part(data.validation, limit))
    done = package.export(source, data, formats, folder, adopted=adopted, tell=tell)
    rows = done.table
    samples: dict[str, tuple[Worst, ...]] = {}
    notes: dict[str, str] = {}
    for name, path in done.files.items():
        samples[name] = worst(card, data.test, done.answers[name], done.answers["keras"])
        if path.suffix == ".tflite":
            notes[name] = edgetpu_note(path.read_bytes())
    drops = {row.name: rows[0].accuracy - row.accuracy for row in rows}
    wanted = "int8" in drops and (always_diagnose or drops["int8"] > MOST_DROP)
    diagnosis = None
    if wanted:
        tell("keras on the validation set")
        diagnosis = diagnose(Subject.of(model, card, data, source.stat().st_size), tell=tell)
    return Checked(
        card=card,
        rows=rows,
        worst=samples,
        files={str(name): path for name, path in done.files.items()},
        edgetpu=notes,
        diagnosis=diagnosis,
    )


def diagnose(
    subject: Subject,
    samples: Samples | None = None,
    *,
    tell: Callable[[str], None] = lambda step: None,
) -> Diagnosis:
    """Find the layers that ruin INT8, and try what could help.

    Args:
        subject: the float model and its answers.
        samples: calibration of the plain INT8 file; by default that of the export.
        tell: is called with the name of each step as it begins.
    """
    samples = subject.samples(package.CALIBRATION_SIZE) if samples is None else samples
    tell("layer-by-layer noise")
    graph = float_graph(subject.model)
    ranged = prepare(graph, samples, subject.card.input)
    # Not the calibration's own samples: those cannot show what its ranges clip. Nor
    # corrected biases: what they take back would count as noise.
    noise = layer_noise(
        calibrate(graph, samples, byte_range(subject.card.input)),
        subject.samples(_NOISE_SAMPLES, "validation"),
        layer_names(subject.model),
    )
    plain_card = subject.card.model_copy(update={"quantization": "int8"})
    plain, _ = subject.measure_bytes("int8", quantize(ranged), plain_card)
    keras_row = subject.keras_row("validation")
    tried = try_all(subject, graph, ranged, samples, noise, tell)
    return Diagnosis(
        noise=noise,
        blamed=tuple(dict.fromkeys(n.layer for n in blamed(noise))),
        plain=plain.row,
        keras=keras_row,
        tried=tuple(tried),
        recommended=recommend(tried, keras_row.accuracy - plain.row.accuracy),
    )


def write_recommended(checked: Checked, source: Path, folder: Path) -> Path | None:
    """Write the recommended remedy as the model's INT8 (or int16x8) file; None without one."""
    if checked.diagnosis is None or checked.diagnosis.recommended is None:
        return None
    best = checked.diagnosis.recommended
    card = best.card.model_copy(
        update={
            "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "metrics": {
                "accuracy": best.test.accuracy,
                "accuracy_keras": checked.rows[0].accuracy,
                "agreement": best.test.agreement,
                **best.test.metrics,
            },
        }
    )
    target = folder / f"{card.name}-{card.quantization}.tflite"
    with atomic_write(target) as temporary:
        temporary.write_bytes(pack(best.flatbuffer, card))
    return target


def _part(split: Split, limit: int) -> Split:
    if len(split) <= limit:
        return split
    chosen = stratified(split.labels, limit)
    return Split(np.asarray(split.inputs[chosen]), split.labels[chosen])
