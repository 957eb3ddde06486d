"""The packaged digit finder, from made-up scenes to its INT8 file.

Its answers are places, not classes, so it is measured by what it finds: whole pictures put
together from scenes of digits and photos that training never saw.

    python -m reflexarc.export.digit_finder OUT [PHOTOS]
"""

from __future__ import annotations

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reflexarc.core import atomic_write
from reflexarc.export.convert import convert
from reflexarc.export.metadata import pack
from reflexarc.models.cards import today
from reflexarc.models.digit_finder.data import Sources, sources
from reflexarc.models.digit_finder.scenes import SIDE, Mark, Scenes
from reflexarc.models.digit_finder.train import SCENES, train
from reflexarc.models.family import Options
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks.digits.finder import OUTPUTS, TASK, Candidate, Finder, FinderModel
from reflexarc.perception.tasks.digits.sheet import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    HEIGHT,
    MIN_SIDE,
    WIDTH,
    Sheet,
)

NAME = "digit_finder"
INPUT = InputSpec(width=WIDTH, height=HEIGHT, color="gray", mean=0.0, std=255.0)
CANDIDATE = 0.25
"""A lower score is not worth a closer look."""

_CALIBRATION, _TEST = 60, 60  # pictures
_ROWS, _COLUMNS = FRAME_HEIGHT // SIDE, FRAME_WIDTH // SIDE

Gray = npt.NDArray[np.uint8]


def build(
    folder: Path, photos: Path | None = None, options: Options | None = None, count: int = SCENES
) -> Path:
    """Train the finder and make ``digit_finder.tflite`` with its card; gives its path.

    Args:
        folder: where it goes.
        photos: a folder of further backgrounds, see `sources`.
        options: seed, epochs, console.
        count: scenes to train on.

    Raises:
        AssetError: what it is trained on cannot be fetched.
    """
    options = options or Options()
    data = sources(photos, options.seed)
    model, _ = train(data.train, options, count)
    flatbuffer = convert(model, "int8", real_values(INPUT, calibration(data.train)), INPUT)
    card = _card(data, count)
    test = pictures(data.test, np.random.default_rng(options.seed), _TEST)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{NAME}.tflite"
        file.write_bytes(pack(flatbuffer, card))
        measured = measure(load_model(file, "cpu"), test)
    reference = measure(_Keras(model, card), test)
    metrics = {**measured, **{f"{name}_keras": value for name, value in reference.items()}}
    target = folder / f"{NAME}.tflite"
    with atomic_write(target) as temporary:
        temporary.write_bytes(pack(flatbuffer, card.model_copy(update={"metrics": metrics})))
    return target


def calibration(scenes: Scenes) -> Gray:
    """Sheets to quantise with: uint8 (n, HEIGHT, WIDTH, 1)."""
    sheet, made = Sheet(), []
    for picture, _ in pictures(scenes, np.random.default_rng(1), _CALIBRATION):
        sheet.lay_out(picture)
        made.append(sheet.pixels.copy())
    return np.stack(made)[..., None]


def pictures(scenes: Scenes, rng: np.random.Generator, count: int) -> list[tuple[Gray, list[Mark]]]:
    """Scenes side by side, as large as a frame, and the digits in them."""
    made = []
    for _ in range(count):
        picture, marks = np.zeros((_ROWS * SIDE, _COLUMNS * SIDE), np.uint8), []
        for row, column in np.ndindex(_ROWS, _COLUMNS):
            top, left = row * SIDE, column * SIDE
            picture[top : top + SIDE, left : left + SIDE], here = scenes.draw(rng)
            marks += [
                Mark(m.x + left, m.y + top, m.width, m.height, m.light, m.clear) for m in here
            ]
        made.append((picture, marks))
    return made


def measure(model: FinderModel, test: list[tuple[Gray, list[Mark]]]) -> dict[str, float]:
    """Share of the clear digits that are found, and candidates in a picture that are none."""
    finder = Finder(model)
    clear = hits = others = 0
    for picture, marks in test:
        found = finder.find(picture)
        wanted = [m for m in marks if m.clear and max(m.width, m.height) >= MIN_SIDE]
        clear += len(wanted)
        hits += sum(any(_shared(m, c) > 0.5 for c in found) for m in wanted)
        others += sum(all(_shared(m, c) < 0.3 for m in marks) for c in found)
    return {"found": hits / max(1, clear), "invented": others / len(test)}


class _Keras:
    """The float model as the finder takes it."""

    def __init__(self, model: keras.Model, card: Card) -> None:
        self._model, self.card = model, card

    def run(self, sample: npt.NDArray[Any], /) -> tuple[npt.NDArray[np.float32], ...]:
        values = real_values(INPUT, sample[None, ..., None])
        return tuple(self._model.predict_on_batch(values))


def _shared(mark: Mark, found: Candidate) -> float:
    """Intersection over union."""
    width = min(mark.x + mark.width, found.x + found.width) - max(mark.x, found.x)
    height = min(mark.y + mark.height, found.y + found.height) - max(mark.y, found.y)
    both = max(0.0, width) * max(0.0, height)
    return both / (mark.width * mark.height + found.width * found.height - both)


def _card(data: Sources, count: int) -> Card:
    return Card(
        name="digit-finder",
        description="Where handwritten digits may be, on all octaves of a 640x480 frame",
        task=TASK,
        input=INPUT,
        outputs=OUTPUTS,
        labels=("digit",),
        thresholds={"candidate": CANDIDATE},
        quantization="int8",
        metrics={},
        data=data.source.model_copy(
            update={"train_size": count, "test_size": _TEST * _ROWS * _COLUMNS}
        ),
        tools={
            "tensorflow": tf.__version__,
            **{name: version(name) for name in ("reflexarc", "keras", "numpy")},
        },
        created=today(),
        licence="Apache-2.0",
    )


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
