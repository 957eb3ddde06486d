"""Where the noise comes in: signal-to-quantisation-noise ratio, layer by layer.

For a layer's output x (float) and x^ (INT8, as real values), with channels c:

    SQNR = 10 log10( sum_c g_c E[x_c^2] / sum_c g_c E[(x_c - x^_c)^2] )  in dB

(Lin et al. 2016, "Fixed Point Quantization of Deep Convolutional Networks",
arXiv:1511.06393, equation 1, has it without g). g_c is the energy of the weights with
which the next layers take channel c, and 1 where they have none: without it one
channel of a thousand times the others' size would hide that these are lost.

A layer's contribution is its share of the noise that reaches the answer: from the
answer backwards, each op keeps the part of the noise that is its own, and hands the
rest on to the ops it comes from, in proportion to their noise.

TensorFlow's quantiser writes the reference into the graph (NumericVerify): in one
form each float op takes the float output of the one before (total noise), in the
other the INT8 output as real values (the noise that the op itself adds).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reflexarc.core import quiet
from reflexarc.export.calibration import Sample, run
from reflexarc.export.convert import quantizer
from reflexarc.export.flatbuffer import op_name, parse, serialize
from reflexarc.export.graph import Graph

# Less than a tenth of the noise in the answer is no layer to blame.
_LEAST_SHARE = 0.1
_SILENT_DB = 120.0  # no noise at all; float32 itself has 144

Powers = dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]


@dataclass(frozen=True)
class LayerNoise:
    """One op's output in the INT8 model.

    Attributes:
        layer: the Keras layer.
        op: "CONV_2D".
        tensor: the output's name in the float graph; what `kept_float` takes.
        total_db: SQNR of the output, with what came in.
        own_db: SQNR with only the noise that this op adds: its weights and output grid.
        contribution: share of the noise in the answer that this op has added, 0..1.
    """

    layer: str
    op: str
    tensor: str
    total_db: float
    own_db: float
    contribution: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def layer_noise(
    ranged: bytes, samples: Sequence[Sample], layers: dict[str, bool]
) -> tuple[LayerNoise, ...]:
    """SQNR of every op's output, in the order of computation.

    Args:
        ranged: as `reflexarc.export.calibration.calibrate` gives it.
        samples: real values, each without batch dimension.
        layers: as `reflexarc.export.flatbuffer.layer_names` gives it.
    """
    graph = Graph(ranged)
    total = _powers(ranged, samples, graph, whole=True)
    own = _powers(ranged, samples, graph, whole=False)
    ops = {
        op: name
        for op, tensor in graph.activations()
        if (name := graph.tensor_name(tensor)) in total and name in own
    }
    share: dict[int, float] = {}
    decibel: dict[int, tuple[float, float]] = {}
    for op, name in ops.items():
        gains = _gains(graph, graph.output(op))
        signal, noise = total[name]
        # Against the true signal: what came in may have been ruined before.
        decibel[op] = _decibel(signal, noise, gains), _decibel(signal, own[name][1], gains)
        share[op] = min(1.0, 10 ** ((decibel[op][0] - decibel[op][1]) / 10))
    power = {op: float(total[name][1].sum()) for op, name in ops.items()}
    contribution = _contributions(graph, share, power)
    return tuple(
        LayerNoise(
            layer=graph.layer(op, layers),
            op=graph.name(op),
            tensor=name,
            total_db=decibel[op][0],
            own_db=decibel[op][1],
            contribution=contribution[op],
        )
        for op, name in ops.items()
    )


def blamed(noise: Iterable[LayerNoise]) -> list[LayerNoise]:
    """Layers that add a tenth or more of the noise in the answer, the noisiest first."""
    return [n for n in noisiest(noise) if n.contribution >= _LEAST_SHARE]


def noisiest(noise: Iterable[LayerNoise]) -> list[LayerNoise]:
    """By contribution, the greatest first."""
    return sorted(noise, key=lambda n: -n.contribution)


def float_region(ranged: bytes, tensors: Iterable[str]) -> list[str]:
    """What has to stay in float for these tensors to be float: makers, takers, all between.

    Returns:
        Names of output tensors, for `reflexarc.export.convert.quantize`.
    """
    graph = Graph(ranged)
    index = {graph.tensor_name(tensor): (op, tensor) for op, tensor in graph.activations()}
    region: dict[str, None] = {}
    for name in tensors:
        op, tensor = index[name]
        reach = graph.reach(tensor)
        for part in (op, *reach.through, *reach.weighted):
            region[graph.tensor_name(graph.output(part))] = None
    return list(region)


def _contributions(
    graph: Graph, share: dict[int, float], power: dict[int, float]
) -> dict[int, float]:
    answers = graph.answers()
    flow = dict.fromkeys(range(len(graph.ops)), 0.0)
    own = dict.fromkeys(range(len(graph.ops)), 0.0)
    for op in reversed(range(len(graph.ops))):
        if graph.output(op) in answers:
            flow[op] += 1 / len(answers)
        # What has no reference of its own (it stayed in float, or moves bytes) adds nothing.
        own[op] = flow[op] * share.get(op, 0.0)
        before = graph.sources(op)
        whole = sum(power.get(source, 0.0) for source in before)
        for source in before:
            part = power.get(source, 0.0) / whole if whole else 1 / len(before)
            flow[source] += (flow[op] - own[op]) * part
    return own


def _powers(ranged: bytes, samples: Sequence[Sample], graph: Graph, *, whole: bool) -> Powers:
    """Tensor name -> power of signal and of noise in each channel, added up."""
    with quiet():
        debug = quantizer(ranged, enable_numeric_verify=True, enable_whole_model_verify=whole)
    parsed = parse(debug)
    (inside,) = parsed.subgraphs
    pairs: dict[str, tuple[int, int]] = {}
    names = {graph.tensor_name(tensor) for _, tensor in graph.activations()}
    for op in inside.operators:
        if op_name(parsed, op) == "NumericVerify":
            integer, reference = (int(i) for i in op.inputs[:2])
            name = _original(inside.tensors[integer].name.decode(), names)
            if name:
                pairs[name] = (integer, reference)
    # Only TensorFlow's own interpreter knows the op; its inputs are all we need.
    inside.operators = [op for op in inside.operators if op_name(parsed, op) != "NumericVerify"]
    powers: Powers = {}
    for interpreter in run(serialize(parsed), samples):
        details = {d["index"]: d["quantization"] for d in interpreter.get_tensor_details()}
        for name, (integer, reference) in pairs.items():
            scale, zero_point = details[integer]
            signal = interpreter.get_tensor(reference).astype(np.float64)
            seen = (interpreter.get_tensor(integer).astype(np.float64) - zero_point) * scale
            channels = signal.shape[-1] if signal.ndim else 1
            new = [
                np.square(part).reshape(-1, channels).sum(axis=0)
                for part in (signal, signal - seen)
            ]
            old = powers.get(name)
            powers[name] = (old[0] + new[0], old[1] + new[1]) if old else (new[0], new[1])
    return powers


def _original(name: str, names: set[str]) -> str | None:
    """The float graph's name for a tensor that the quantiser has numbered anew."""
    digits = re.search(r"\d*$", name)
    assert digits is not None
    for end in range(len(name), digits.start() - 1, -1):
        if name[:end] in names:
            return name[:end]
    return None


def _gains(graph: Graph, tensor: int) -> npt.NDArray[np.float64]:
    channels = graph.channels(tensor)
    gains = np.zeros(channels)
    for op in graph.reach(tensor).weighted:
        weights = graph.by_input(op, channels)
        assert weights is not None
        gains += np.square(weights.astype(np.float64)).sum(axis=(0, 1))
    return gains if gains.any() else np.ones(channels)


def _decibel(
    signal: npt.NDArray[np.float64],
    noise: npt.NDArray[np.float64],
    gains: npt.NDArray[np.float64],
) -> float:
    wanted, unwanted = float(signal @ gains), float(noise @ gains)
    if wanted == 0:
        return 0.0 if unwanted else _SILENT_DB
    if unwanted == 0:
        return _SILENT_DB
    return min(_SILENT_DB, 10 * float(np.log10(wanted / unwanted)))
