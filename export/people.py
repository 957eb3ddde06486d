"""The packaged pedestrian detector, from published weights to its INT8 file.

Its answers are places, not classes, so it is measured by what it finds: the people whom
its own float model finds in packaged photos and a clip.

    python -m reflexarc.export.people OUT
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
from reflexarc.export.detector_metadata import describe
from reflexarc.export.metadata import pack
from reflexarc.models import assets
from reflexarc.models.cards import today
from reflexarc.models.people import photos
from reflexarc.models.people.network import ASSET, build
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks.people.detector import TASK, Detector, Net
from reflexarc.perception.tasks.people.metrics import compare
from reflexarc.perception.tasks.people.ssd import OUTPUTS, anchors

SCORE, UNSURE = 0.6, 0.06
"""Somebody is a person from the first, and may be the one who was there from the second on.
Chosen on the first 240 frames of PETS09-S2L1."""


def make(folder: Path) -> Path:
    """Convert the detector and write ``people.tflite`` with its card; gives its path.

    Raises:
        AssetError: weights or photos cannot be fetched.
        GraphError: the weights are others.
    """
    model = build(photos.INPUT.height, photos.INPUT.width)
    representative, test = photos.calibration(), photos.test()
    flatbuffer = convert(model, "int8", real_values(photos.INPUT, representative), photos.INPUT)
    card = _card(len(representative), len(test))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{TASK}.tflite"
        file.write_bytes(pack(flatbuffer, card))
        metrics = measure(Keras(model, card), load_model(file, "cpu"), test)
    target = folder / f"{TASK}.tflite"
    with atomic_write(target) as temporary:
        card = card.model_copy(update={"metrics": metrics})
        where = anchors(photos.INPUT.height, photos.INPUT.width)
        temporary.write_bytes(describe(pack(flatbuffer, card), card, where))
    return target


def measure(reference: Net, model: Net, pictures: list[npt.NDArray[np.uint8]]) -> dict[str, float]:
    """What `model` finds of what `reference` finds, both from the card's score on."""
    pairs = []
    for picture in pictures:
        wanted, found = (
            Detector(net).find(picture, net.card.thresholds["score"])[0]
            for net in (reference, model)
        )
        pairs.append((wanted, found))
    parity = compare(pairs)
    return {
        "recall": parity.recall,
        "precision": parity.precision,
        "mean_iou": parity.mean_iou,
        "people": float(parity.people),
    }


class Keras:
    """The float model as the detector takes it."""

    def __init__(self, model: keras.Model, card: Card) -> None:
        """Take both."""
        self.card = card
        self._call = tf.function(model, reduce_retracing=True)

    def run(self, sample: npt.NDArray[Any], /) -> tuple[npt.NDArray[np.float32], ...]:
        """See `reflexarc.perception.runtime.Model.run`."""
        values = real_values(photos.INPUT, sample[None])
        return tuple(np.asarray(output) for output in self._call(tf.constant(values)))


def _card(train_size: int, test_size: int) -> Card:
    row = assets.table()[ASSET]
    return Card(
        name=TASK,
        description="Pedestrians in a picture, SSDLite MobileNetV2, boxes from anchors",
        task=TASK,
        input=photos.INPUT,
        outputs=OUTPUTS,
        labels=("person",),
        thresholds={"score": SCORE, "unsure": UNSURE},
        quantization="int8",
        metrics={},
        data=photos.source(train_size, test_size),
        imported_from=f"{row.registry} {row.package} {row.version} ({row.licence})",
        tools={
            "tensorflow": tf.__version__,
            **{name: version(name) for name in ("reflexarc", "keras", "numpy")},
        },
        created=today(),
        licence=row.licence,
    )


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
