"""Cross-layer equalisation: give the channels of a tensor like ranges, at no cost.

Where a weighted op is followed by another and f(s x) = s f(x) lies between, the
first op's output channel can be divided by any s > 0 if the second one's weights for
it are multiplied by s (Nagel et al. 2019, "Data-Free Quantization Through Weight
Equalization and Bias Correction", arXiv:1906.04721, equations 7 to 11).

Nagel's s = sqrt(r1 / r2) balances the weight ranges r1 and r2 of both ops. With weights
quantised per channel r1 costs nothing; what is shared by the channels is the scale
of the tensor between. So r1 is the channel's greatest activation here, as in
SmoothQuant (Xiao et al. 2023, arXiv:2211.10438, equation 4), and r2 the weights for
it relative to each output's own range. A depthwise op has one range for each channel:
there s = r1 is free. s is rounded to a power of two, so the float graph stays the
same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from reflexarc.export.calibration import Sample
from reflexarc.export.check.activations import channel_maxima
from reflexarc.export.flatbuffer import serialize
from reflexarc.export.graph import WEIGHTED, Floats, Graph

_NONE, _RELU, _RELU6 = 0, 1, 3
_LARGEST = 20  # powers of two; beyond them float32 itself gets short
# ReLU6 is not homogeneous. Channels that no sample brings to the 6 may still be scaled as
# long as they stay below it, with a fifth to spare; the others are left alone.
_RELU6_ROOM = 4.8


def equalize(graph: bytes, samples: Iterable[Sample]) -> tuple[bytes, int]:
    """Equalise every pair of ops that allows it.

    Args:
        graph: a float flatbuffer, as `reflexarc.export.convert.float_graph` gives it.
        samples: real values, each without batch dimension; for the activations' ranges.

    Returns:
        The equalised float flatbuffer, and how many pairs were changed.
    """
    maxima = channel_maxima(graph, samples)
    changed = 0
    edited = Graph(graph)
    for op in range(len(edited.ops)):
        tensor = edited.output(op)
        if edited.name(op) not in WEIGHTED or edited.constant(op, 1) is None:
            continue
        reach = edited.reach(tensor)
        if reach.escapes or len(reach.weighted) != 1:
            continue
        activation = edited.ops[op].builtinOptions.fusedActivationFunction
        if activation not in (_NONE, _RELU, _RELU6):
            continue
        (consumer,) = reach.weighted
        factors = _factors(edited, consumer, maxima[tensor], activation == _RELU6)
        if (factors == 1).all():
            continue
        edited.scale_outputs(op, np.reciprocal(factors))
        edited.scale_inputs(consumer, factors)
        changed += 1
    return serialize(edited.parsed), changed


def _factors(graph: Graph, consumer: int, maxima: Floats, relu6: bool) -> Floats:
    weights = graph.by_input(consumer, len(maxima))
    assert weights is not None
    sizes = np.abs(weights)
    if graph.name(consumer) == "DEPTHWISE_CONV_2D":
        wanted = maxima
    else:
        whole = sizes.max(axis=(1, 2), keepdims=True)
        relative = (sizes / np.where(whole > 0, whole, 1)).max(axis=(0, 1))
        wanted = np.sqrt(maxima / np.where(relative > 0, relative, 1))
    usable = (maxima > 0) & (sizes.max(axis=(0, 1)) > 0)
    if relu6:
        usable &= maxima < 6
    if not usable.any():
        return np.ones_like(maxima)
    wanted = np.where(usable, wanted, 1)
    if relu6:
        room = _RELU6_ROOM / (maxima / wanted)[usable].max()
        powers = np.ceil(np.log2(wanted / room))
    else:
        # Only the differences matter: keep the tensor's middle where it is.
        powers = np.rint(np.log2(wanted))
        powers -= np.rint(np.median(powers[usable]))
    powers = np.where(usable, np.clip(powers, -_LARGEST, _LARGEST), 0)
    factors: Floats = np.exp2(powers).astype(np.float32)
    return factors
