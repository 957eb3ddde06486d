"""tf.lite.Interpreter: the one inside TensorFlow."""

from __future__ import annotations

import warnings
from pathlib import Path

import tensorflow as tf

from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` file."""
    with warnings.catch_warnings():
        # It says that it will move to LiteRT; that is what the comparison is for.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_path=str(path), num_threads=threads)
    interpreter.allocate_tensors()
    return Model(path, card, interpreter)
