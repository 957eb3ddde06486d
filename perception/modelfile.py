"""The card inside a model file, whichever kind of file it is.

A ``.tflite`` file is a flatbuffer with the identifier ``TFL3`` at byte 4; a zip
is found from its end, so both fit in one file: interpreters read the front,
``unzip`` reads the back. A ``.keras`` file is a zip already. An ``.onnx`` file
has the card among its metadata properties. Read here, written by
``reflexarc.models`` and ``reflexarc.export``.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from pydantic import ValidationError

from reflexarc.core import ReflexarcError
from reflexarc.perception.card import Card

CARD_NAME = "card.json"
LABELS_NAME = "labels.txt"


class ModelFileError(ReflexarcError):
    """A model file that is absent, damaged or lacks what the runtime needs."""


def read_card(path: Path) -> Card:
    """Return the card in a .tflite, .keras or .onnx file.

    Raises:
        ModelFileError: no such file, another kind of file, truncated, or without a valid card.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelFileError(
            expected="a model file (.tflite, .keras or .onnx)",
            found=f"{path}: {error.strerror}",
            remedy="check the path, or make one with `reflexarc export`",
        ) from error
    if head[4:8] == b"TFL3" or head[:4] == b"PK\x03\x04":
        text = _from_zip(path)
    elif path.suffix == ".onnx":
        text = _from_onnx(path)
    else:
        raise ModelFileError(
            expected="a TFLite file (identifier TFL3 at byte 4), a .keras zip or an .onnx file",
            found=f"{path} that starts with {head!r}",
            remedy="convert it with `reflexarc export`",
        )
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "JSON"
        raise ModelFileError(
            expected="a card of version 1",
            found=f"{path}: {field}: {first['msg']}",
            remedy="export the model again with this version of reflexarc",
        ) from error


def _from_zip(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(CARD_NAME)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            expected=f"{CARD_NAME} in the zip of the model file",
            found=f"none in {path} ({error})",
            remedy="make it with `reflexarc train` or `reflexarc export`, which write the card; "
            "if it had one, the file is truncated: copy it again",
        ) from error


def _from_onnx(path: Path) -> bytes:
    try:
        import onnxruntime
    except ImportError:
        raise ModelFileError(
            expected="onnxruntime, which reads .onnx files",
            found="none installed",
            remedy="pip install onnxruntime",
        ) from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise ModelFileError(
            expected="a whole ONNX model",
            found=f"{path}: {str(error).strip().splitlines()[0]}",
            remedy="copy the file again, or export it again",
        ) from error
    try:
        text: str = session.get_modelmeta().custom_metadata_map[CARD_NAME]
    except KeyError:
        raise ModelFileError(
            expected=f"{CARD_NAME} among the metadata of the ONNX file",
            found=f"none in {path}",
            remedy="make it with `reflexarc export --to onnx`, which writes the card",
        ) from None
    return text.encode()
