"""ai-edge-litert: what our own runtime uses on the device."""

from __future__ import annotations

from pathlib import Path

from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model, load_model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` file; the card is read from it again, as on the device."""
    return load_model(path, "cpu", threads=threads)
