"""The one cut that the compiler makes.

The compiler is a TFLite delegate, and a graph is parted for a delegate by
`PartitionGraphIntoIndependentNodeSubsets` (tensorflow/lite/graph_info.cc): subsets
of one kind (delegated or not) alternate, and each takes every operation of its kind
whose inputs are ready, wherever that stands in the execution order. So a parallel
branch beside an unsupported operation is still mapped (a log of a tiny YOLOv3 in
google-coral/edgetpu#187: 11 of 13 convolutions), and unsupported operations at the
start (a float input's QUANTIZE) do not spoil what follows. Of the delegated subsets
the compiler keeps the first; in the others it says "More than one subgraph".
"""

from __future__ import annotations

from collections.abc import Sequence

from reflexarc.export.edgetpu.graph import Graph


def first_subgraph(graph: Graph, supported: Sequence[bool]) -> set[int]:
    """Indices of the operations that become the one `edgetpu-custom-op`.

    Args:
        graph: in execution order.
        supported: for each operation, whether the Edge TPU could run it by itself.

    Returns:
        The first supported subset; empty when nothing is supported.
    """
    produced = {tensor.index for op in graph.ops for tensor in op.outputs}
    needs = [{t.index for t in op.activations} & produced for op in graph.ops]
    ready: set[int] = set()
    left = list(range(len(graph.ops)))
    while left:
        kind: bool | None = None
        subset: set[int] = set()
        grew = True
        while grew:
            grew = False
            for index in left:
                if index in subset or not needs[index] <= ready:
                    continue
                if kind is None:
                    kind = supported[index]
                if supported[index] == kind:
                    subset.add(index)
                    ready.update(tensor.index for tensor in graph.ops[index].outputs)
                    grew = True
        if kind or not subset:  # the first supported subset, or a cycle in a broken graph
            return subset
        left = [index for index in left if index not in subset]
    return set()
