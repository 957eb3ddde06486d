"""OpenVINO on the CPU: reads ``.onnx`` and ``.tflite`` files as they are."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.backends.openvino import open_network
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` or ``.onnx`` file."""
    return Model(path, card, open_network(path, card, threads))
