"""What flows through a graph: every tensor's values, and ranges other than the extremes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from reflexarc.export.calibration import Sample, run
from reflexarc.export.flatbuffer import parse, serialize, set_range
from reflexarc.export.graph import Floats, Graph

# Values kept of each tensor and sample: 2,000 of 100 samples give the 99.99th percentile
# from 20 values beyond it, and take 0.8 MB a tensor.
_KEPT = 2000


def channel_maxima(graph: bytes, samples: Iterable[Sample]) -> dict[int, Floats]:
    """Greatest magnitude in each channel (last dimension) of each float tensor, by index."""
    wanted = [tensor for _, tensor in Graph(graph).activations()]
    maxima: dict[int, Floats] = {}
    for interpreter in run(graph, samples):
        for tensor in wanted:
            values = np.abs(interpreter.get_tensor(tensor))
            seen = values.reshape(-1, values.shape[-1] if values.ndim else 1).max(axis=0)
            maxima[tensor] = np.maximum(maxima[tensor], seen) if tensor in maxima else seen
    return maxima


def clip_ranges(ranged: bytes, samples: Iterable[Sample], percentile: float) -> bytes:
    """Percentile calibration: let the ranges of a calibrated graph leave out outliers.

    A range then ends at the percentile of the values seen, instead of at the
    greatest (Wu et al. 2020, "Integer Quantization for Deep Learning Inference",
    arXiv:2004.09602, section 4: 99.9 to 99.9999). Inputs keep their range, and so
    do the tensors that the answer is read from, where clipping would make ties.

    Args:
        ranged: as `reflexarc.export.calibration.calibrate` gives it.
        samples: real values, each without batch dimension.
        percentile: e.g. 99.99; as much is cut off at the lower end of signed values.
    """
    graph = Graph(ranged)
    answers = graph.answers() | graph.outputs
    wanted = [tensor for _, tensor in graph.activations() if tensor not in answers]
    rng = np.random.default_rng(0)
    kept: dict[int, list[npt.NDArray[np.float32]]] = {tensor: [] for tensor in wanted}
    for interpreter in run(ranged, samples):
        for tensor in wanted:
            values = interpreter.get_tensor(tensor).ravel()
            if values.size > _KEPT:
                values = values[rng.integers(values.size, size=_KEPT)]
            kept[tensor].append(values)
    parsed = parse(ranged)
    for tensor, parts in kept.items():
        low, high = np.percentile(np.concatenate(parts), (100 - percentile, percentile))
        low, high = min(0.0, float(low)), max(0.0, float(high))
        if high > low:
            set_range(parsed.subgraphs[0].tensors[tensor], (low, high))
    return serialize(parsed)
