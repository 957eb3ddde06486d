"""A net that needs no training: it says which of red, green and blue a picture is."""

from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from reflexarc.export.convert import convert
from reflexarc.export.metadata import pack
from reflexarc.export.onnx import convert_onnx, pack_onnx
from reflexarc.models.training import real_values
from reflexarc.perception.card import Card, DataSource, InputSpec

LABELS = ("red", "green", "blue")
SPEC = InputSpec(width=24, height=16, color="rgb", mean=127.5, std=127.5)

CARD = Card(
    name="transfer",
    description="Which colour a picture has",
    task="classify",
    input=SPEC,
    labels=LABELS,
    thresholds={"score": 0.5},
    quantization="float32",
    metrics={"accuracy": 0.875, "mean_distance_px": 1.25},
    data=DataSource(name="colours", version="1", licence="CC0-1.0", train_size=9, test_size=8),
    tools={"keras": keras.__version__},
    source_sha256="",
    created="2026-11-22",
    licence="Apache-2.0",
)


def net() -> keras.Model:
    """Scores grow with the mean of a channel."""
    image = keras.Input((16, 24, 3), name="image")
    x = layers.Conv2D(3, 1, use_bias=False, name="mix")(image)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    model = keras.Model(image, layers.Softmax(name="score")(x), name="transfer")
    model.get_layer("mix").set_weights([4 * np.eye(3, dtype=np.float32)[None, None]])
    return model


def picture(colour: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Noise, uint8 (16, 24, 3) RGB, with one channel brighter."""
    image = rng.integers(0, 120, (16, 24, 3))
    image[..., colour] += 100
    return image.astype(np.uint8)


def pictures(count: int = 30) -> npt.NDArray[np.uint8]:
    """Of each colour in turn."""
    rng = np.random.default_rng(0)
    return np.stack([picture(i % 3, rng) for i in range(count)])


def save_keras(model: keras.Model, card: Card, path: Path) -> Path:
    """A .keras file with a card, as `reflexarc train` writes it."""
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("card.json", card.model_dump_json())
    return path


def files(folder: Path) -> dict[str, Path]:
    """The net as "keras", "float32", "int8" (.tflite) and "onnx"."""
    model = net()
    representative = real_values(SPEC, pictures())
    made = {"keras": save_keras(model, CARD, folder / "colours.keras")}
    for quantization in ("float32", "int8"):
        made[quantization] = folder / f"colours-{quantization}.tflite"
        graph = convert(model, quantization, representative, SPEC)
        card = CARD.model_copy(update={"quantization": quantization})
        made[quantization].write_bytes(pack(graph, card))
    made["onnx"] = folder / "colours.onnx"
    made["onnx"].write_bytes(pack_onnx(convert_onnx(model, "float32", representative), CARD))
    return made


def write_folder(folder: Path, each: int = 4) -> Path:
    """One folder of photos a colour; two photos of red lie among the blue ones."""
    rng = np.random.default_rng(1)
    for index, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True)
        for number in range(each):
            _save(folder / label / f"{number}.png", picture(index, rng))
    for number in range(2):
        _save(folder / "blue" / f"really-red-{number}.png", picture(0, rng))
    return folder


def _save(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    # Larger than the input, so that they are fitted to it.
    large = cv2.resize(rgb, (48, 32), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(path), cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
