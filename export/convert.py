"""Keras -> TFLite flatbuffer: static batch of one, in every number format.

Full-integer INT8 takes the converter's three steps apart (float graph, calibration,
quantisation), so that the ranges between them can be looked at and changed.
"""

from __future__ import annotations

import functools
import re
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize

from reflexarc.core import quiet
from reflexarc.export.bias import correct_biases
from reflexarc.export.calibration import (
    Sample,
    byte_range,
    calibrate,
    check_representative,
    refuse_loops,
)
from reflexarc.export.errors import ExportError
from reflexarc.export.flatbuffer import layer_names, layer_of, op_name, parse
from reflexarc.perception.card import InputSpec, Quantization, SequenceSpec

__all__ = [
    "ExportError",
    "check_input",
    "convert",
    "float_graph",
    "prepare",
    "quantize",
    "quantizer",
    "stratified",
]

_MEANS = 100  # samples whose channel means correct the biases

# One scale for a dense layer: more is younger than the Edge TPU's compiler, and bought
# nothing (MNIST 99.44 %, sit-up phases 96.1 % either way). The diagnosis quantises with
# the same call: it has to look at the model that is exported.
quantizer = functools.partial(mlir_quantize, disable_per_channel_for_dense_layers=True)


def convert(
    model: keras.Model,
    quantization: Quantization,
    representative: npt.NDArray[np.float32],
    spec: InputSpec | SequenceSpec | None = None,
) -> bytes:
    """Convert `model` for a batch of one.

    int8 is full-integer: INT8 weights (a scale for each channel of a convolution, one
    for a dense layer), INT8 activations, uint8 in and
    uint8 scores out. int16x8 (INT16 activations, INT8 weights), float16 and
    dynamic (INT8 weights, float activations) keep float32 inputs and outputs.

    Args:
        model: one input (n, ...), one or more outputs; the file's signature calls
            them output_0, output_1, ... in the order of ``model.outputs``.
        quantization: the number format of the file.
        representative: (n, ...) real values, training samples for calibration.
        spec: the card's input. For a picture, the INT8 input takes the camera's
            bytes as they are (scale 1/std), whatever bytes `representative` holds;
            without it, and for a series, the scale comes from `representative`.

    Returns:
        The flatbuffer, without metadata.

    Raises:
        ExportError: dynamic shapes, ops that TFLite lacks, or a useless representative set.
    """
    if quantization == "int8":
        check_representative(model, representative)
        return quantize(prepare(float_graph(model), representative, spec))
    if quantization == "int16x8":
        check_representative(model, representative)
        # The converter, calibrating for itself, would end the whole process on a loop.
        refuse_loops(float_graph(model))
    return _convert(model, quantization, representative)


def float_graph(model: keras.Model) -> bytes:
    """The float32 flatbuffer: BatchNorm folded, activations fused, static shapes."""
    return _convert(model, "float32", None)


def prepare(
    graph: bytes,
    samples: Sequence[Sample] | npt.NDArray[np.float32],
    spec: InputSpec | SequenceSpec | None,
    kept_float: Collection[str] = (),
) -> bytes:
    """Make a float graph ready for `quantize`: biases corrected, ranges noted.

    Args:
        graph: by `float_graph`.
        samples: real values, each without batch dimension.
        spec: as for `convert`.
        kept_float: names of output tensors whose ops will stay in float.
    """
    refuse_loops(graph)
    few = samples[:: max(1, len(samples) // _MEANS)]
    return calibrate(correct_biases(graph, few, kept_float), samples, byte_range(spec))


def quantize(ranged: bytes, kept_float: Iterable[str] = (), *, whole: bool = True) -> bytes:
    """Quantise a calibrated flatbuffer: INT8 inside, uint8 in and out.

    Args:
        ranged: as `calibrate` gives it.
        kept_float: names of output tensors whose ops stay in float32.
        whole: uint8 in and out; else float32 in and out around an INT8 inside.
    """
    outside = tf.uint8 if whole else tf.float32
    with quiet():
        done: bytes = quantizer(
            ranged,
            input_data_type=outside,
            output_data_type=outside,
            denylisted_nodes=list(kept_float),
        )
    return done


def stratified(labels: npt.NDArray[np.int64], count: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Indices of about `count` samples with every class equally often."""
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    per_class = max(1, count // len(classes))
    chosen = [
        rng.permutation(np.flatnonzero(labels == which))[:per_class] for which in classes.tolist()
    ]
    return np.sort(np.concatenate(chosen))


def _convert(
    model: keras.Model, quantization: Quantization, representative: Iterable[Sample] | None
) -> bytes:
    check_input(model)
    failure: Exception | None = None
    with tempfile.TemporaryDirectory() as folder, quiet(), warnings.catch_warnings():
        # Said of every full-integer conversion, whose statistics are the calibration's.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        try:
            _save_static(model, folder)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            _OPTIONS[quantization](converter, representative)
            flatbuffer: bytes = converter.convert()
        except Exception as error:  # they share no base class; raised here it would end the quiet
            failure = error
    if failure is not None:
        raise _unsupported(str(failure), model) from failure
    _check_graph(parse(flatbuffer), model)
    return flatbuffer


def _save_static(model: keras.Model, folder: str) -> None:
    # A dynamic batch would leave SHAPE, STRIDED_SLICE and PACK in the graph,
    # which delegates for static graphs (Edge TPU) refuse.
    source = model.inputs[0]
    signature = tf.TensorSpec((1, *source.shape[1:]), source.dtype, name="image")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", functools.partial(model.__call__, training=False), [signature])
    archive.write_out(folder, verbose=False)


def _int16x8(converter: Any, representative: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in representative)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ]


def _float16(converter: Any, representative: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any, representative: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


_OPTIONS: dict[str, Callable[[Any, Any], None]] = {
    "float32": lambda converter, representative: None,
    "float16": _float16,
    "dynamic": _dynamic,
    "int16x8": _int16x8,
}


def check_input(model: keras.Model) -> None:
    """Refuse what has more than one input, an input of unknown size, or outputs by name."""
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if len(shapes) != 1 or None in shapes[0]:
        raise ExportError(
            expected="a model with one input whose size is constant (but for the batch)",
            found=f"{model.name} with "
            + ", ".join(f"{t.name} {tuple(t.shape)}" for t in model.inputs),
            remedy="build it with keras.Input((height, width, channels))",
        )
    if not isinstance(model, keras.Sequential) and isinstance(model.output, dict):
        raise ExportError(
            expected="a model whose outputs are a tensor or a list of tensors",
            found=f"{model.name} with a dict of outputs ({', '.join(model.output)})",
            remedy="give keras.Model a list, in the order of the card's outputs",
        )


def _check_graph(parsed: Any, model: keras.Model) -> None:
    """Refuse what a static interpreter without extra op libraries cannot run."""
    layers = layer_names(model)
    for graph in parsed.subgraphs:
        for operator in graph.operators:
            outputs = [graph.tensors[i] for i in operator.outputs]
            where = layer_of(outputs[0].name.decode(), layers)
            name = op_name(parsed, operator)
            if parsed.operatorCodes[operator.opcodeIndex].customCode:
                raise _unsupported_op(name, where)
            if any(-1 in _signature(tensor) for tensor in outputs):
                raise ExportError(
                    expected="sizes that are known when the model is converted",
                    found=f"the output of {name} in layer {where!r} changes its size with the data",
                    remedy="move what depends on the values (boolean masks, tf.where, NMS) "
                    "behind the model, into the host's code",
                )


def _signature(tensor: Any) -> list[int]:
    return [] if tensor.shapeSignature is None else list(tensor.shapeSignature)


def _unsupported(message: str, model: keras.Model) -> ExportError:
    """Read the converter's message: 'loc(... "scope/layer_1/Op@..."): 'tf.Op' op is ...'."""
    ops = re.findall(r"'tf\.(\w+)' op", message)
    layers = layer_names(model)
    places = (layer_of(place, layers) for place in re.findall(r'"([^"@]+)@', message))
    if ops:
        return _unsupported_op(
            f"tf.{ops[0]}", next((name for name in places if name in layers), model.name)
        )
    lines = [line for line in re.sub(r"\x1b\[\d*m", "", message).splitlines() if line.strip()]
    return ExportError(
        expected="a model that TFLite can hold",
        found=" ".join(lines[:2]) or f"an error without words in {model.name}",
        remedy="build the model of standard Keras layers",
    )


def _unsupported_op(name: str, where: str) -> ExportError:
    return ExportError(
        expected="ops that TFLite has",
        found=f"{name} in layer {where!r}",
        remedy="replace the layer with standard Keras layers, or do its work on the host",
    )
