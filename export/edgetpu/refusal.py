"""Models of which the compiler compiles nothing: it cannot read, prepare or delegate them."""

from __future__ import annotations

from dataclasses import dataclass

from reflexarc.export.edgetpu import words
from reflexarc.export.edgetpu.graph import COMPILED_OP, EdgeTpuError, Graph, Op
from reflexarc.export.edgetpu.rules import EIGHT_BITS
from reflexarc.export.edgetpu.versions import MAX_VERSION

# Custom operations that the compiler's interpreter knows, so that they may stay on the CPU.
KNOWN_CUSTOM = frozenset(
    {"TFLite_Detection_PostProcess", "PosenetDecoderOp", "Mfcc", "AudioSpectrogram"}
)
# Inputs that decide the shape of the output.
_SHAPE_INPUTS = {
    "BROADCAST_TO": (1,),
    "EXPAND_DIMS": (1,),
    "FILL": (0,),
    "MEAN": (1,),
    "PAD": (1,),
    "PADV2": (1,),
    "RANGE": (0, 1, 2),
    "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SLICE": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "SUM": (1,),
    "TILE": (1,),
    "TRANSPOSE": (1,),
    "TRANSPOSE_CONV": (0,),
}
_ALWAYS_DYNAMIC = frozenset({"WHERE", "UNIQUE"})


@dataclass(frozen=True)
class Refusal:
    """`headline` is said of the model, `message` is the compiler's error; `ops` are to blame."""

    headline: str
    message: str
    ops: dict[int, str]


def refusal(graph: Graph) -> Refusal | None:
    """Say why the compiler would refuse the whole model, or None.

    Raises:
        EdgeTpuError: the model is compiled already.
    """
    if any(op.custom == COMPILED_OP for op in graph.ops):
        raise EdgeTpuError(
            expected="a model that is not compiled yet",
            found=f"one with an {COMPILED_OP}: the Edge TPU compiler's output",
            remedy="check the file that it was compiled from (the name without _edgetpu)",
        )
    return _unparsed(graph) or _float(graph) or _unresolved(graph) or _dynamic(graph)


def _unparsed(graph: Graph) -> Refusal | None:
    new = [op for op in graph.ops if op.version > MAX_VERSION.get(op.kind, 0)]
    if not new:
        return None
    message = words.NO_OP.format(op=new[0].kind, version=new[0].version)
    return Refusal(words.NOT_PARSED, message, {op.index: words.VERSION for op in new})


def _float(graph: Graph) -> Refusal | None:
    quantized = (t.dtype in EIGHT_BITS and t.scales for t in graph.tensors)
    return None if any(quantized) else Refusal(words.NOT_QUANTIZED, words.NOT_QUANTIZED, {})


def _unresolved(graph: Graph) -> Refusal | None:
    custom = [op for op in graph.ops if op.kind == "CUSTOM" and op.custom not in KNOWN_CUSTOM]
    if not custom:
        return None
    name = custom[0].custom
    message = words.FLEX if name.startswith("Flex") else words.CUSTOM.format(op=name)
    return Refusal(words.FAILED, message, {op.index: words.NOT_SUPPORTED for op in custom})


def _dynamic(graph: Graph) -> Refusal | None:
    ops = [op for op in graph.ops if _is_dynamic(op)]
    if not ops:
        return None
    return Refusal(words.FAILED, words.DYNAMIC, {op.index: words.NOT_CONSTANT for op in ops})


def _is_dynamic(op: Op) -> bool:
    if op.kind in _ALWAYS_DYNAMIC or any(n < 0 for t in (*op.activations,) for n in t.shape):
        return True
    decisive = (op.input(position) for position in _SHAPE_INPUTS.get(op.kind, ()))
    return any(tensor is not None and not tensor.constant for tensor in decisive)
