"""The model card: the ``card.json`` inside every model file (.keras, .tflite, .onnx)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Quantization = Literal["int8", "float32", "float16", "dynamic", "int16x8"]
"""How a file's numbers are stored.

int8: full-integer, per-channel weights. dynamic: INT8 weights, float activations.
int16x8: INT16 activations, INT8 weights.
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSpec(_Part):
    """The picture that the model takes: real value = (byte - mean) / std."""

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    color: Literal["gray", "rgb"]
    mean: float
    std: Annotated[float, Field(gt=0)]
    fit: Literal["stretch", "pad"] = "stretch"
    """How a picture of another shape is brought to size (`reflexarc.perception.fit`)."""


class SequenceSpec(_Part):
    """The series that the model takes: float32, shape (steps, len(features))."""

    steps: Annotated[int, Field(gt=0)]
    features: tuple[str, ...]
    rate_hz: Annotated[float, Field(gt=0)]


def input_shape(spec: InputSpec | SequenceSpec) -> tuple[int, ...]:
    """The shape of one sample: (height, width, channels) or (steps, features)."""
    if isinstance(spec, InputSpec):
        return spec.height, spec.width, {"gray": 1, "rgb": 3}[spec.color]
    return spec.steps, len(spec.features)


class DataSource(_Part):
    """The data set a model was trained and tested on."""

    name: str
    version: str
    licence: str
    train_size: int
    test_size: int


class Card(_Part):
    """Everything about a model that a program or a person must know to use it.

    `thresholds` are the task's own decision limits by name (the digits task
    reads ``score``); `metrics` were measured on the test set (fractions in 0..1,
    pixels where the name ends with ``_px``). `outputs` names the model's output
    tensors: one, or as many as the task's decoder takes. `kept_float` lists layers
    of an INT8 file that stayed in float. `imported_from` is the package that the
    weights come from, empty where they were trained; then `data` is what they were
    trained on, otherwise what they were calibrated and measured on.
    """

    card_version: Literal[1] = 1
    name: str
    description: str
    task: str
    input: InputSpec | SequenceSpec
    outputs: tuple[str, ...] = ("score",)
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    quantization: Quantization
    kept_float: tuple[str, ...] = ()
    metrics: dict[str, float]
    data: DataSource
    imported_from: str = ""
    tools: dict[str, str]
    source_sha256: str = ""
    """Of the .keras file that a converted file was made from; empty in that file itself."""
    created: str
    licence: str
