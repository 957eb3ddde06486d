"""The model file: a TFLite flatbuffer with a zip appended that holds the card.

Read here, written by ``reflexarc.export``. A ``.tflite`` file is a flatbuffer
with the identifier ``TFL3`` at byte 4; a zip is found from its end, so both
fit in one file: interpreters read the front, ``unzip`` reads the back.
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
    """Check that `path` is a TFLite file and return the card in it.

    Raises:
        ModelFileError: no such file, not TFLite, truncated, or without a valid card.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelFileError(
            expected="a .tflite model file",
            found=f"{path}: {error.strerror}",
            remedy="check the path, or make one with `reflexarc export`",
        ) from error
    if head[4:8] != b"TFL3":
        raise ModelFileError(
            expected="a TFLite file (identifier TFL3 at byte 4)",
            found=f"{path} that starts with {head!r}",
            remedy="convert it with `reflexarc export`",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(CARD_NAME)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            expected=f"{CARD_NAME} in the zip at the end of the model file",
            found=f"none in {path} ({error})",
            remedy="export it with `reflexarc export`, which writes the card; "
            "if it had one, the file is truncated: copy it again",
        ) from error
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
