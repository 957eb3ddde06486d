"""The Keras model itself, one sample a call, as a compiled TensorFlow function."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reflexarc.models.training import real_values
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.runtime import input_shape

Scores = npt.NDArray[np.float32]


class KerasModel:
    """A ``.keras`` file with the training's own normalisation before it."""

    def __init__(self, path: Path, card: Card, model: keras.Model) -> None:
        """Use `open_model`."""
        self.card = card
        stated = input_shape(card.input)
        if tuple(model.input_shape[1:]) != stated or len(model.outputs) != len(card.outputs):
            raise ModelFileError(
                expected=f"tensors as the card says: {stated} in, {len(card.outputs)} out",
                found=f"{model.input_shape[1:]} in, {len(model.outputs)} out in {path}",
                remedy="train the model again; card and model do not belong together",
            )
        signature = tf.TensorSpec((1, *stated), tf.float32)
        self._call = tf.function(
            lambda batch: model(batch, training=False), input_signature=[signature]
        )

    def run(self, sample: npt.NDArray[Any]) -> tuple[Scores, ...]:
        """All outputs for one sample, as `reflexarc.perception.Model.run`."""
        batch = real_values(self.card.input, sample.reshape(1, *input_shape(self.card.input)))
        outputs = self._call(tf.constant(batch))
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return tuple(output.numpy() for output in outputs)


def open_model(path: Path, card: Card, threads: int) -> KerasModel:
    """Load a ``.keras`` file."""
    with contextlib.suppress(RuntimeError):  # only before TensorFlow has computed anything
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return KerasModel(path, card, keras.models.load_model(path, compile=False))
