"""The model card: what the appended ``card.json`` of a model file holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSpec(_Part):
    """The picture that the model takes: real value = (byte - mean) / std."""

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    color: Literal["gray", "rgb"]
    mean: float
    std: Annotated[float, Field(gt=0)]


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
    reads ``score``); `metrics` are fractions in 0..1 measured on the test set.
    """

    card_version: Literal[1] = 1
    name: str
    description: str
    task: str
    input: InputSpec
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    quantization: Literal["int8", "float32"]
    metrics: dict[str, float]
    data: DataSource
    tools: dict[str, str]
    source_sha256: str
    created: str
    licence: str
