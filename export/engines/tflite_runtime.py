"""tflite-runtime: the older package, for systems that still have it (numpy 1.x)."""

from __future__ import annotations

from pathlib import Path

from tflite_runtime.interpreter import Interpreter

from reflexarc.export.engines.interpreter import open_interpreter
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` file."""
    return open_interpreter(Interpreter, path, card, threads)
