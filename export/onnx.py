"""Keras -> ONNX: the same graph for runtimes other than TFLite.

The file takes what Keras takes: float32 real values with a batch of one, pictures
as (1, height, width, channels). ONNX's convolutions want channels first; the
transposes this costs are inside the graph, where onnxruntime moves them away.
"""

from __future__ import annotations

import functools
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
import tf2onnx.convert
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from reflexarc.core import quiet
from reflexarc.export.calibration import check_representative
from reflexarc.export.convert import check_input
from reflexarc.export.errors import ExportError
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import CARD_NAME

# The newest that onnxruntime 1.14 (2023) and OpenVINO 2023 read, and tf2onnx writes.
_OPSET = 17


def convert_onnx(
    model: keras.Model,
    quantization: Literal["float32", "int8"],
    representative: npt.NDArray[np.float32],
) -> onnx.ModelProto:
    """Convert `model` for a batch of one.

    int8 is static quantisation in QDQ form: weights INT8 per channel, activations
    UINT8; float32 in and out.

    Args:
        model: one input (n, ...), one or more outputs.
        quantization: the number format.
        representative: (n, ...) real values, training samples for calibration.

    Raises:
        ExportError: dynamic shapes, ops that ONNX lacks, or a useless representative set.
    """
    check_input(model)
    signature = [tf.TensorSpec((1, *model.inputs[0].shape[1:]), model.inputs[0].dtype, "image")]
    call = tf.function(functools.partial(model.__call__, training=False), signature)
    failure: Exception | None = None
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx speaks of numpy's and protobuf's deprecations
        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        try:
            proto, _ = tf2onnx.convert.from_function(call, signature, opset=_OPSET)
            onnx.checker.check_model(proto)
        except Exception as error:  # they share no base class
            failure = error
    if failure is not None:
        raise ExportError(
            expected="a model of ops that ONNX has",
            found=f"{model.name}: {str(failure).strip().splitlines()[0]}",
            remedy="replace the layer with standard Keras layers, or do its work on the host",
        ) from failure
    if quantization == "float32":
        return proto
    check_representative(model, representative)
    return _quantize(proto, representative)


def pack_onnx(converted: onnx.ModelProto, card: Card) -> bytes:
    """Put the card among the metadata properties, and give the outputs their names.

    Returns:
        The whole file; `reflexarc.perception.modelfile.read_card` reads the card back.
    """
    proto = onnx.ModelProto()
    proto.CopyFrom(converted)
    proto.doc_string = card.description
    proto.graph.name = card.name
    onnx.helper.set_model_props(proto, {CARD_NAME: card.model_dump_json()})
    for output, name in zip(proto.graph.output, card.outputs, strict=True):
        for node in proto.graph.node:
            for names in (node.input, node.output):
                for i, old in enumerate(names):
                    if old == output.name:
                        names[i] = name
        output.name = name
    whole: bytes = proto.SerializeToString(deterministic=True)
    return whole


def _quantize(proto: onnx.ModelProto, representative: npt.NDArray[np.float32]) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as name, quiet():
        source, prepared, done = (Path(name, part) for part in ("a.onnx", "b.onnx", "c.onnx"))
        source.write_bytes(proto.SerializeToString())
        # Folds BatchNorm and infers shapes; the symbolic inference is for dynamic ones.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(done),
            _Reader(representative, proto.graph.input[0].name),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(str(done))


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Calibration samples, one at a time."""

    def __init__(self, samples: npt.NDArray[np.float32], name: str) -> None:
        self._name = name
        self._samples: Iterator[npt.NDArray[np.float32]] = iter(samples)

    def get_next(self) -> dict[str, Any] | None:
        sample = next(self._samples, None)
        return None if sample is None else {self._name: sample[None]}
