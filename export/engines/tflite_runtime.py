"""tflite-runtime: the older package, for systems that still have it (numpy 1.x)."""

from __future__ import annotations

from pathlib import Path

from tflite_runtime.interpreter import Interpreter

from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` file."""
    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return Model(path, card, interpreter)
