"""The verdict on one file: every operation, the cut, the memory, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reflexarc.export.edgetpu import words
from reflexarc.export.edgetpu.advice import advise
from reflexarc.export.edgetpu.graph import EdgeTpuError, Graph, Op, read_graph
from reflexarc.export.edgetpu.memory import Memory, leaving_tensors, memory
from reflexarc.export.edgetpu.partition import first_subgraph
from reflexarc.export.edgetpu.refusal import Refusal, refusal
from reflexarc.export.edgetpu.rules import EIGHT_BITS, judge


@dataclass(frozen=True)
class OpReport:
    """One operation: `target` is "edgetpu" or "cpu", `reason` is in the compiler's words."""

    index: int
    op: str
    version: int
    target: str
    reason: str


@dataclass(frozen=True)
class Cut:
    """The first operation that stays on the CPU for its own sake, and what the chip hands over.

    `why` is the limitation behind the reason; `tensors` are the names of the outputs
    of the Edge TPU part.
    """

    index: int
    op: str
    reason: str
    why: str
    tensors: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What compiler 16 would do with a model.

    `refused` is the compiler's error when it would compile nothing at all.
    """

    ops: tuple[OpReport, ...]
    memory: Memory
    cut: Cut | None
    advice: tuple[str, ...]
    refused: str | None

    @property
    def mapped(self) -> int:
        """Operations on the Edge TPU."""
        return sum(op.target == "edgetpu" for op in self.ops)

    @property
    def cpu(self) -> int:
        """Operations that stay on the CPU."""
        return len(self.ops) - self.mapped

    def as_dict(self) -> dict[str, Any]:
        """The report for machines; sizes in bytes."""
        return {
            "ops": [asdict(op) for op in self.ops],
            "mapped": self.mapped,
            "cpu": self.cpu,
            **asdict(self.memory),
            "fits_cache": self.memory.fits_cache,
            "cut": asdict(self.cut) if self.cut else None,
            "refused": self.refused,
            "advice": list(self.advice),
        }


def check(model: bytes | str | Path) -> Report:
    """Say what the Edge TPU compiler 16 would make of a TFLite model.

    Args:
        model: a .tflite file, or its bytes.

    Raises:
        EdgeTpuError: not a TFLite file, damaged, without operations, or compiled already.
    """
    graph = read_graph(model)
    try:
        return _judge(graph)
    except (IndexError, ValueError, OverflowError) as error:
        raise EdgeTpuError(
            expected="operations whose tensors fit them",
            found="tensors of impossible shapes or sizes",
            remedy="copy the file again, or export it again",
        ) from error


def _judge(graph: Graph) -> Report:
    refused = refusal(graph)
    own = {op.index: found for op in graph.ops if (found := judge(op))}
    supported = [op.index not in own for op in graph.ops]
    mapped = set() if refused else first_subgraph(graph, supported)
    ops = tuple(_report(op, mapped, own, refused) for op in graph.ops)
    stranded = 0 if refused else sum(supported) - len(mapped)
    need = memory(graph, mapped)
    message = refused.message if refused else None
    return Report(
        ops,
        need,
        None if refused else _cut(graph, mapped, own),
        advise(graph, own, stranded, need.streamed_bytes, message),
        message,
    )


def _report(
    op: Op, mapped: set[int], own: dict[int, tuple[str, str]], refused: Refusal | None
) -> OpReport:
    if op.index in mapped:
        return OpReport(op.index, op.kind, op.version, "edgetpu", words.MAPPED)
    if refused and op.index in refused.ops:
        reason = refused.ops[op.index]
    elif op.index in own:
        reason = own[op.index][0]
    elif refused:
        reason = refused.headline
    else:
        reason = words.UNSPECIFIED if _closes(op) else words.SUBGRAPH
    return OpReport(op.index, op.kind, op.version, "cpu", reason)


def _closes(op: Op) -> bool:
    """A QUANTIZE between int8 and uint8 behind the cut gets other words (#342, #187, #461)."""
    return op.kind == "QUANTIZE" and {t.dtype for t in (*op.activations, *op.outputs)} == set(
        EIGHT_BITS
    )


def _cut(graph: Graph, mapped: set[int], own: dict[int, tuple[str, str]]) -> Cut | None:
    leaving = set(leaving_tensors(graph, mapped))
    behind = [i for i in own if any(t.index in leaving for t in graph.ops[i].activations)]
    first = min(behind or own, default=None)
    if first is None:
        return None
    reason, why = own[first]
    names = tuple(graph.tensors[i].name for i in sorted(leaving))
    return Cut(first, graph.ops[first].kind, reason, why, names)
