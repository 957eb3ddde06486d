"""Bias correction: take back the shift that rounded weights give a layer's output.

Rounding a channel's weights does not average out: with inputs of mean m the output
moves by sum(rounded - weight) * m, the same for every sample. The bias can take
that back at no cost on the device (Nagel et al. 2019, arXiv:1906.04721, section 4.2,
with the means measured instead of derived).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from reflexarc.export.calibration import Sample, run
from reflexarc.export.flatbuffer import serialize
from reflexarc.export.graph import WEIGHTED, Floats, Graph

_OUTPUT_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}


def correct_biases(
    flatbuffer: bytes, samples: Iterable[Sample], kept_float: Collection[str] = ()
) -> bytes:
    """Change the biases of a float graph for the weights that INT8 will round.

    Args:
        flatbuffer: a float graph.
        samples: real values, each without batch dimension; a hundred are enough.
        kept_float: names of output tensors whose ops will stay in float.
    """
    graph = Graph(flatbuffer)
    ops = [
        op
        for op in range(len(graph.ops))
        if graph.name(op) in WEIGHTED
        and graph.constant(op, 1) is not None
        and graph.constant(op, 2) is not None
        and graph.tensor_name(graph.output(op)) not in kept_float
    ]
    means = _channel_means(graph, flatbuffer, ops, samples)
    for op in ops:
        weights, bias = graph.constant(op, 1), graph.constant(op, 2)
        assert weights is not None and bias is not None
        error = _rounding(weights, _OUTPUT_AXIS.get(graph.name(op)))
        mean = means[int(graph.ops[op].inputs[0])]
        if graph.name(op) == "DEPTHWISE_CONV_2D":
            shift = error.sum(axis=(0, 1, 2)) * np.repeat(mean, error.shape[3] // len(mean))
        else:
            flat = error.reshape(len(error), -1, len(mean))
            shift = flat.sum(axis=1) @ mean
        graph.set_constant(op, 2, (bias - shift).astype(np.float32))
    return serialize(graph.parsed)


def _channel_means(
    graph: Graph, flatbuffer: bytes, ops: Iterable[int], samples: Iterable[Sample]
) -> dict[int, npt.NDArray[np.float64]]:
    """Mean of each channel (last dimension) of the tensors that the ops take."""
    wanted = {int(graph.ops[op].inputs[0]) for op in ops}
    sums: dict[int, npt.NDArray[np.float64]] = {}
    count = 0
    for interpreter in run(flatbuffer, samples):
        count += 1
        for tensor in wanted:
            values = interpreter.get_tensor(tensor)
            mean = values.reshape(-1, values.shape[-1]).mean(axis=0, dtype=np.float64)
            sums[tensor] = sums.get(tensor, 0) + mean
    return {tensor: total / count for tensor, total in sums.items()}


def _rounding(weights: Floats, output_axis: int | None) -> npt.NDArray[np.float64]:
    """What INT8 changes: symmetric, 127 steps, a scale for each output channel or one for all."""
    axes = tuple(i for i in range(weights.ndim) if i != output_axis)
    most = np.abs(weights).max(axis=axes if output_axis is not None else None, keepdims=True)
    scale = np.where(most > 0, most, 1).astype(np.float64) / 127
    return np.rint(weights / scale) * scale - weights
