"""onnxruntime on the CPU, for ``.onnx`` files."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.backends.onnxruntime import open_network
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load an ``.onnx`` file."""
    return Model(path, card, open_network(path, card, threads))
