"""Keras -> TFLite flatbuffer: static batch of one, full-integer INT8 or float32."""

from __future__ import annotations

import warnings
from typing import Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reflexarc.core import quiet

Quantization = Literal["int8", "float32"]


def convert(
    model: keras.Model,
    quantization: Quantization,
    representative: npt.NDArray[np.float32],
) -> bytes:
    """Convert `model` for a batch of one.

    int8 is full-integer: per-channel INT8 weights, INT8 activations, uint8
    pixels in and uint8 scores out. Its input scale comes from `representative`,
    so these pictures must span the whole range of the normalised bytes.

    Args:
        model: image classifier (n, h, w, c) -> (n, classes).
        quantization: the number format of the file.
        representative: (n, h, w, c) normalised training pictures for calibration.

    Returns:
        The flatbuffer, without metadata.
    """
    # A dynamic batch would leave SHAPE, STRIDED_SLICE and PACK in the graph,
    # which delegates for static graphs (Edge TPU) refuse.
    static = keras.models.clone_model(
        model, input_tensors=keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    )
    static.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(static)
    if quantization == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    with quiet(), warnings.catch_warnings():
        # Said of every full-integer conversion, whose statistics are the calibration's.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        flatbuffer: bytes = converter.convert()
    return flatbuffer


def stratified(labels: npt.NDArray[np.int64], count: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Indices of about `count` samples with every class equally often."""
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    per_class = max(1, count // len(classes))
    chosen = [
        rng.permutation(np.flatnonzero(labels == which))[:per_class] for which in classes.tolist()
    ]
    return np.sort(np.concatenate(chosen))
