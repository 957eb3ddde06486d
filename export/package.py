"""A trained Keras file -> model files with cards, and the parity between them."""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.export import parity
from reflexarc.export.convert import Quantization, convert, stratified
from reflexarc.export.metadata import pack
from reflexarc.models.family import Dataset, Family
from reflexarc.models.registry import family_of
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import load_model

# TensorFlow's guide asks for "a few hundred"; more changes no digit's answer here.
CALIBRATION_SIZE = 500


class ExportError(ReflexarcError):
    """A source model that cannot be exported."""


@dataclass(frozen=True)
class Exported:
    """What an export made.

    Attributes:
        files: model file by number format.
        table: one line for the Keras model, then one for each file.
        confusion: (classes, classes) of the last file, rows are the truth.
    """

    files: dict[Quantization, Path]
    table: tuple[parity.Parity, ...]
    confusion: npt.NDArray[np.int64]


def load_keras(path: Path) -> tuple[keras.Model, Family]:
    """Load a ``.keras`` file that `reflexarc train` wrote.

    Raises:
        ExportError: absent, not a Keras file, or of no family we know.
    """
    if not path.is_file():
        raise ExportError(
            expected="a .keras file", found=f"nothing at {path}", remedy="run `reflexarc train`"
        )
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ExportError(
            expected="a whole .keras file",
            found=f"{path}: {str(error).strip().splitlines()[0]}",
            remedy="train it again with `reflexarc train`",
        ) from error
    return model, family_of(model.name)


def export(
    source: Path,
    data: Dataset,
    formats: tuple[Quantization, ...],
    folder: Path,
    *,
    tell: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Export `source` to `folder`/<family>-<format>.tflite and measure each file.

    Args:
        source: the trained ``.keras`` file.
        data: calibration comes from ``data.train``, accuracy from ``data.test``.
        formats: number formats to write.
        folder: where the files go; each appears whole or not at all.
        tell: is called with the name of each step as it begins.
    """
    model, family = load_keras(source)
    chosen = stratified(data.train.labels, CALIBRATION_SIZE)
    representative = real_values(family, data.train.images[chosen])
    tell("keras float32 on the test set")
    reference = parity.answer_keras(model, real_values(family, data.test.images))
    labels = data.test.labels
    table = [parity.compare("keras", reference, reference, labels, source.stat().st_size)]
    files: dict[Quantization, Path] = {}
    answers = reference
    for quantization in formats:
        tell(f"convert to {quantization}")
        flatbuffer = convert(model, quantization, representative)
        target = folder / f"{family.name}-{quantization}.tflite"
        card = _card(family, data, quantization, source)
        with atomic_write(target) as temporary:
            temporary.write_bytes(pack(flatbuffer, card))
            tell(f"{quantization} on the test set")
            answers = parity.answer(load_model(temporary), data.test)
            row = parity.compare(quantization, answers, reference, labels, 0)
            measured = {
                "accuracy": row.accuracy,
                "accuracy_keras": table[0].accuracy,
                "agreement": row.agreement,
            }
            whole = pack(flatbuffer, card.model_copy(update={"metrics": measured}))
            temporary.write_bytes(whole)
        table.append(parity.compare(quantization, answers, reference, labels, len(whole)))
        files[quantization] = target
    return Exported(files, tuple(table), parity.confusion(answers, labels))


def _card(family: Family, data: Dataset, quantization: Quantization, source: Path) -> Card:
    return Card(
        name=family.name,
        description=family.description,
        task=family.task,
        input=family.input,
        labels=family.labels,
        thresholds=family.thresholds,
        quantization=quantization,
        metrics={},
        data=data.source,
        # TensorFlow's distribution is tensorflow or tensorflow-cpu: ask the module.
        tools={
            "tensorflow": tf.__version__,
            **{name: version(name) for name in ("reflexarc", "keras", "numpy")},
        },
        source_sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        created=_today(),
        licence=family.licence,
    )


def _today() -> str:
    """The date, or that of SOURCE_DATE_EPOCH for builds that must repeat."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.timezone.utc)
    if epoch:
        now = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    return now.date().isoformat()
