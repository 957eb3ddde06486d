"""Parameters against the on-chip cache.

The chip has 8 MB of SRAM. For parameters the compiler mostly leaves 6.9 to 7.7 MiB
(published logs); large activations take from it: 1.1 MiB was left in google-coral/edgetpu#572
and 1.9 in #427, so "fits" is an estimate, and the compiler has the last word. What does
not fit is sent again with every inference. Weights are padded on the chip. The padding
below was fitted to the PARAMETER_CACHING executables inside five of Coral's compiled
files (MobileNet v1 twice, DeepLab twice, PoseNet): the estimate is within 3 % of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reflexarc.export.edgetpu.graph import Graph, Op

CACHE_BYTES = 7 << 20
_OUT, _IN, _DEPTHWISE = 16, 32, 256  # channels are padded to multiples of these
_PER_OUT, _PER_DEPTHWISE = 8, 16  # bytes of bias and scale for each output channel


@dataclass(frozen=True)
class Memory:
    """Bytes: weights and biases in the file, on the chip, streamed and moved at each inference."""

    parameter_bytes: int
    chip_bytes: int
    streamed_bytes: int
    transfer_bytes: int

    @property
    def fits_cache(self) -> bool:
        """No parameter has to be sent again."""
        return self.streamed_bytes == 0


def memory(graph: Graph, mapped: Iterable[int]) -> Memory:
    """Count and estimate the memory of the operations that are mapped."""
    ops = [graph.ops[index] for index in sorted(mapped)]
    parameters = {t.index: t.nbytes for op in ops for t in op.constants}
    cached = streamed = 0
    for op in ops:  # layers are cached whole, in order, while there is room
        size = _chip_bytes(op)
        if cached + size <= CACHE_BYTES:
            cached += size
        else:
            streamed += size
    inside = {t.index for op in ops for t in op.outputs}
    entering = {t.index: t.nbytes for op in ops for t in op.activations if t.index not in inside}
    leaving = leaving_tensors(graph, {op.index for op in ops})
    transfer = sum(entering.values()) + sum(graph.tensors[i].nbytes for i in leaving)
    return Memory(sum(parameters.values()), cached + streamed, streamed, transfer)


def leaving_tensors(graph: Graph, mapped: set[int]) -> list[int]:
    """Indices of the tensors that the Edge TPU hands to the CPU or to the caller."""
    wanted = set(graph.outputs)
    wanted.update(t.index for op in graph.ops if op.index not in mapped for t in op.activations)
    return [t.index for i in sorted(mapped) for t in graph.ops[i].outputs if t.index in wanted]


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _chip_bytes(op: Op) -> int:
    weight = op.input(1)
    if weight is None or not weight.constant:
        return 0
    if op.kind == "DEPTHWISE_CONV_2D":
        channels = _up(weight.shape[-1], _DEPTHWISE)
        return channels * (weight.nbytes // max(1, weight.shape[-1]) + _PER_DEPTHWISE)
    if op.kind in ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        out, *kernel, depth = weight.shape
        positions = 1
        for side in kernel:
            positions *= side
        return _up(out, _OUT) * (positions * _up(depth, _IN) + _PER_OUT)
    return sum(t.nbytes for t in op.constants if t.dtype in ("INT8", "UINT8"))
