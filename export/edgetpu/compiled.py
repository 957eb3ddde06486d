"""Which operations of a source model a compiled model has on the Edge TPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from reflexarc.export.edgetpu.graph import COMPILED_OP, EdgeTpuError, Op, read_graph


def mapped_ops(source: bytes | str | Path, compiled: bytes | str | Path) -> set[int]:
    """Compare a compiled file with its source by what each operation writes.

    The compiler keeps the names of tensors: an operation that is still there, with
    the same outputs, stayed on the CPU; every other one is in the custom op.

    Returns:
        Indices of the source's operations that are on the Edge TPU.

    Raises:
        EdgeTpuError: a file that cannot be read, or that is not compiled from this source.
    """
    before, after = read_graph(source), read_graph(compiled)
    left = Counter(_identity(op) for op in after.ops if op.custom != COMPILED_OP)
    mapped = set()
    for op in reversed(before.ops):  # of equals, the compiler leaves the later
        if left[_identity(op)]:
            left[_identity(op)] -= 1
        else:
            mapped.add(op.index)
    strange = next((identity for identity, count in left.items() if count), None)
    if strange:
        raise EdgeTpuError(
            expected="a file compiled from this source",
            found=f"{strange[0]} that writes {strange[1]}, which the source lacks",
            remedy="compare with the file that was compiled",
        )
    return mapped


def _identity(op: Op) -> tuple[str, tuple[str, ...]]:
    return op.custom or op.kind, tuple(tensor.name for tensor in op.outputs)
