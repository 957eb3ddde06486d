"""A trained Keras file -> model files with cards, and the parity between them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import keras
import numpy as np
import numpy.typing as npt

from reflexarc.core import atomic_write
from reflexarc.export import parity
from reflexarc.export.convert import ExportError, convert, stratified
from reflexarc.export.engines.registry import engines_for, open_with
from reflexarc.export.metadata import pack
from reflexarc.models.cards import today
from reflexarc.models.family import Dataset
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card, Quantization
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.runtime import input_shape

Format = Literal["int8", "float32", "float16", "dynamic", "int16x8", "onnx", "onnx-int8"]
"""What the user asks for: a TFLite file of a number format, or ONNX in float32 or int8."""

# TensorFlow's guide asks for "a few hundred"; more changes no digit's answer here.
CALIBRATION_SIZE = 500


@dataclass(frozen=True)
class Exported:
    """What an export made.

    Attributes:
        files: model file by number format.
        table: one line for the Keras model, then one for each file.
        answers: to the test set, of "keras" and of each format.
        confusion: (classes, classes) of the last file, rows are the truth; None for poses.
    """

    files: dict[Format, Path]
    table: tuple[parity.Parity, ...]
    answers: dict[str, parity.Answers]
    confusion: npt.NDArray[np.int64] | None


def load_keras(path: Path, adopted: Card | None = None) -> tuple[keras.Model, Card]:
    """Load a ``.keras`` file and its card.

    Args:
        path: what `reflexarc train` wrote, or any Keras model.
        adopted: the card of a model that carries none: someone else's.

    Raises:
        ExportError: absent, not a Keras file, or not of the card's shapes.
        ModelFileError: without a card, and none was given.
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
    card = adopted or read_card(path)
    stated = input_shape(card.input)
    if tuple(model.input_shape[1:]) != stated or (
        len(card.outputs) == 1 and model.output_shape[-1] != len(card.labels)
    ):
        raise ExportError(
            expected=f"a model of {stated} in and {len(card.labels)} scores out",
            found=f"{model.input_shape[1:]} in and {model.output_shape} out in {path}",
            remedy="choose the family and the data set that belong to the model",
        )
    return model, card


def parse_formats(text: str) -> tuple[Format, ...]:
    """Read "int8,onnx" as the user types it.

    Raises:
        ExportError: a name that is no format.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in get_args(Format):
            raise ExportError(
                expected=f"formats out of {', '.join(get_args(Format))}",
                found=repr(name),
                remedy="write them with commas between",
            )
    return tuple(dict.fromkeys(names))  # type: ignore[arg-type]


def export(
    source: Path,
    data: Dataset,
    formats: tuple[Format, ...],
    folder: Path,
    *,
    adopted: Card | None = None,
    tell: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Export `source` to `folder`/<name>-<format>.tflite (or .onnx) and measure each file.

    Args:
        source: the trained ``.keras`` file.
        data: calibration comes from ``data.train``, accuracy from ``data.test``.
        formats: what to write.
        folder: where the files go; each appears whole or not at all.
        adopted: the card of a source that carries none.
        tell: is called with the name of each step as it begins.
    """
    model, source_card = load_keras(source, adopted)
    card = source_card.model_copy(
        update={
            "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "created": today(),
        }
    )
    representative = calibration(card, data)
    tell("keras float32 on the test set")
    reference = parity.answer_keras(model, card, data.test)
    labels = data.test.labels
    table = [parity.compare("keras", card, reference, reference, labels, source.stat().st_size)]
    files: dict[Format, Path] = {}
    every = {"keras": reference}
    answers = reference
    for wanted in formats:
        tell(f"convert to {wanted}")
        write = _writer(model, wanted, representative, card)
        made = card.model_copy(update={"quantization": quantization_of(wanted)})
        suffix = "onnx" if wanted.startswith("onnx") else "tflite"
        target = folder / f"{card.name}-{made.quantization}.{suffix}"
        with atomic_write(target) as temporary:
            temporary.write_bytes(write(made))
            tell(f"{wanted} on the test set")
            answers = parity.answer(_open(temporary), data.test)
            row = parity.compare(wanted, made, answers, reference, labels, 0)
            measured = {
                "accuracy": row.accuracy,
                "accuracy_keras": table[0].accuracy,
                "agreement": row.agreement,
                **row.metrics,
            }
            whole = write(made.model_copy(update={"metrics": measured}))
            temporary.write_bytes(whole)
        table.append(parity.compare(wanted, made, answers, reference, labels, len(whole)))
        files[wanted] = target
        every[wanted] = answers
    confusion = None if parity.is_pose(card) else parity.confusion(answers, labels)
    return Exported(files, tuple(table), every, confusion)


def _open(path: Path) -> parity.Runnable:
    """The file in the engine that its kind is made for."""
    return open_with(engines_for(path)[0], path, read_card(path))


def quantization_of(wanted: Format) -> Quantization:
    """The number format of a file format."""
    if wanted == "onnx":
        return "float32"
    return "int8" if wanted == "onnx-int8" else wanted


def calibration(
    card: Card, data: Dataset, count: int = CALIBRATION_SIZE
) -> npt.NDArray[np.float32]:
    """Representative samples: normalised, stratified by class, never of the test set."""
    return real_values(card.input, data.train.inputs[stratified(data.train.labels, count)])


def _writer(
    model: keras.Model, wanted: Format, representative: npt.NDArray[np.float32], card: Card
) -> Callable[[Card], bytes]:
    """Convert once; the result puts a card into the file, as often as the card changes."""
    if wanted in ("onnx", "onnx-int8"):
        from reflexarc.export.onnx import convert_onnx, pack_onnx

        quantization: Literal["float32", "int8"] = "float32" if wanted == "onnx" else "int8"
        converted = convert_onnx(model, quantization, representative)
        return lambda card: pack_onnx(converted, card)
    flatbuffer = convert(model, quantization_of(wanted), representative, card.input)
    return lambda card: pack(flatbuffer, card)
