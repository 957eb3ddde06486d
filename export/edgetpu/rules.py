"""What the Edge TPU can run: Coral's table of supported operations, as data.

Sources: the table at coral.ai/docs/edgetpu/models-intro/#supported-operations (its
"known limitations" are the texts below), and for sizes that the table leaves open,
logs of compiler 16 in the issues of google-coral/edgetpu. TILE is in no table, but
Coral's compiled DeepLab (slim, Cityscapes) has it on the Edge TPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from reflexarc.export.edgetpu import words
from reflexarc.export.edgetpu.graph import Op, Tensor

EIGHT_BITS = frozenset({"INT8", "UINT8"})

# Elements. Where no source gives the limit it is put between the largest that is known to
# be mapped and the smallest that is known not to be.
RESIZE_MAX = 2 << 20  # 64x64x32 -> 128x128x32 is (0.5 M, #31); 1024x1024x3 is not (3.1 M, #597)
TRANSPOSE_MAX = 1 << 17  # 196x3x85 is (50 k); 784x3x85 is not (200 k; YOLOv5 at 224, #512)
RESHAPE_MAX = 4 << 20  # 40x40x810 is (1.3 M, EfficientDet-Lite0); "large ones may fail" (table)
MEAN_MAX = 1 << 15  # 64x128 is, 256x128 is not (#461)
SOFTMAX_MAX = 16_000  # table


@dataclass(frozen=True)
class Limit:
    """A limitation: `breaks` tells an operation that has it; then the compiler says `reason`."""

    text: str
    breaks: Callable[[Op], bool]
    reason: str = words.UNSPECIFIED


def _fused(op: Op) -> bool:
    return bool(op.option("fusedActivationFunction"))


def _outer(tensor: Tensor, inner: int) -> int:
    """Product of all dimensions before the last `inner`."""
    return prod(tensor.shape[: max(0, len(tensor.shape) - inner)])


def _first(op: Op) -> Tensor:
    return (op.activations or op.outputs)[0]


def _parameter(test: Callable[[Op, Tensor], bool]) -> Callable[[Op], bool]:
    """A test of the weights or alpha, which must be there."""

    def breaks(op: Op) -> bool:
        tensor = op.input(1)
        return tensor is None or test(op, tensor)

    return breaks


def _axes(op: Op, position: int) -> list[int]:
    tensor, rank = op.input(position), len(_first(op).shape)
    return [axis + rank if axis < 0 else axis for axis in (tensor.integers() if tensor else [])]


def _batch(op: Op, axes: list[int]) -> bool:
    # The compiler counts from the innermost: a vector's only dimension is its depth.
    return len(_first(op).shape) > 1 and 0 in axes


def _params_change(*positions: int) -> Callable[[Op], bool]:
    def breaks(op: Op) -> bool:
        present = [op.input(position) for position in positions]
        return any(t is not None and not t.constant and not t.variable for t in present)

    return breaks


def _constant(*positions: int) -> Limit:
    return Limit(
        "weights, biases, axes and sizes must be constants",
        _params_change(*positions),
        words.NOT_CONSTANT,
    )


def _concatenated_constant(op: Op) -> bool:
    return bool(op.constants) and (
        len(op.inputs) != 2
        or any(t.data is None or (t.data != t.zero_point % 256).any() for t in op.constants)
    )


def _pads_batch(op: Op) -> bool:
    paddings = op.input(1)
    values = paddings.integers() if paddings else []
    return len(_first(op).shape) > 1 and any(values[:2])


def _z_not_four(op: Op) -> bool:
    shape = _first(op).shape
    return len(shape) - 1 in _axes(op, 1) and shape[-1] % 4 != 0


def _mean_large(op: Op) -> bool:
    shape = _first(op).shape
    return prod(shape[axis] for axis in _axes(op, 1) if axis < len(shape) - 1) >= MEAN_MAX


def _squeezes_inner(op: Op) -> bool:
    shape = _first(op).shape
    leading = next((i for i, n in enumerate(shape) if n > 1), len(shape))
    listed = op.option("squeezeDims", None)
    axes = [] if listed is None else [a + len(shape) if a < 0 else a for a in map(int, listed)]
    # Without a list every 1 goes.
    return any(axis > leading for axis in axes or [i for i, n in enumerate(shape) if n == 1])


def _strides(op: Op) -> bool:
    strides = op.input(3)
    return bool(strides and any(step != 1 for step in strides.integers()))


def _resize_from_one(op: Op) -> bool:
    (_, *source, _), (_, *target, _) = _first(op).shape, op.outputs[0].shape
    return any(a == 1 and b > 1 for a, b in zip(source, target, strict=False))


def _larger(most: int) -> Callable[[Op], bool]:
    return lambda op: max(prod(t.shape) for t in (_first(op), op.outputs[0])) > most


_NO_FUSED = Limit("no fused activation function", _fused)
_NO_BATCH = Limit("not along the batch dimension", lambda op: _batch(op, _axes(op, 1)))
_DILATION = Limit(
    "the same dilation in x and y",
    lambda op: op.option("dilationWFactor", 1) != op.option("dilationHFactor", 1),
)
_ONE_ROW = Limit(
    "the output is one-dimensional", lambda op: _outer(op.outputs[0], 1) > 1, words.TWO_D
)
_RESIZE = (
    _constant(1),
    Limit("input and output have three dimensions", lambda op: len(_first(op).shape) != 4),
    Limit(f"at most {RESIZE_MAX} elements in and out", _larger(RESIZE_MAX)),
)
_WEIGHTS = _constant(1, 2)

SUPPORTED: dict[str, tuple[Limit, ...]] = {
    "ADD": (),
    "AVERAGE_POOL_2D": (_NO_FUSED,),
    "CONCATENATION": (
        _NO_FUSED,
        Limit("a constant only beside one other input, and all zero", _concatenated_constant),
    ),
    "CONV_2D": (
        _WEIGHTS,
        _DILATION,
        Limit("no groups", _parameter(lambda op, w: w.shape[-1] != _first(op).shape[-1])),
    ),
    "DEPTHWISE_CONV_2D": (_WEIGHTS, _DILATION),
    "EXPAND_DIMS": (_constant(1),),
    "FULLY_CONNECTED": (
        _WEIGHTS,
        Limit("the default format of weights", lambda op: bool(op.option("weightsFormat"))),
        _ONE_ROW,
    ),
    "L2_NORMALIZATION": (),
    "LOGISTIC": (),
    "LSTM": (_constant(2, 3),),
    "MAXIMUM": (),
    "MAX_POOL_2D": (_NO_FUSED,),
    "MEAN": (
        _constant(1),
        _NO_BATCH,
        Limit("a depth that is reduced is a multiple of 4", _z_not_four),
        Limit(f"fewer than {MEAN_MAX} positions are reduced", _mean_large),
    ),
    "MINIMUM": (),
    "MUL": (),
    "PACK": (Limit("not along the batch dimension", lambda op: op.option("axis") == 0),),
    "PAD": (_constant(1), Limit("not along the batch dimension", _pads_batch)),
    "PRELU": (
        _constant(1),
        Limit("alpha is one-dimensional", _parameter(lambda _, alpha: _outer(alpha, 1) > 1)),
    ),
    "QUANTIZE": (),
    "REDUCE_MAX": (_constant(1), _NO_BATCH),
    "REDUCE_MIN": (_constant(1), _NO_BATCH),
    "RELU": (),
    "RELU6": (),
    "RELU_N1_TO_1": (),
    "RESHAPE": (_constant(1), Limit(f"at most {RESHAPE_MAX} elements", _larger(RESHAPE_MAX))),
    "RESIZE_BILINEAR": (
        *_RESIZE,
        Limit("one pixel cannot be interpolated", _resize_from_one),
    ),
    "RESIZE_NEAREST_NEIGHBOR": _RESIZE,
    "RSQRT": (),
    "SLICE": (_constant(1, 2),),
    "SOFTMAX": (
        Limit("the input is one-dimensional", lambda op: _outer(_first(op), 1) > 1, words.TWO_D),
        Limit(f"at most {SOFTMAX_MAX} elements", _larger(SOFTMAX_MAX)),
    ),
    "SPACE_TO_DEPTH": (),
    "SPLIT": (
        _constant(0),
        Limit("not along the batch dimension", lambda op: _batch(op, _axes(op, 0))),
    ),
    "SQUARED_DIFFERENCE": (),
    "SQUEEZE": (Limit("only leading dimensions", _squeezes_inner),),
    "STRIDED_SLICE": (
        _constant(1, 2, 3),
        Limit("all strides are 1", _strides),
        Limit(
            "no ellipsis and no new axis",
            lambda op: bool(op.option("ellipsisMask") or op.option("newAxisMask")),
        ),
    ),
    "SUB": (),
    "SUM": (_constant(1), _NO_BATCH),
    "TANH": (),
    "TILE": (_constant(1),),
    "TRANSPOSE": (_constant(1), Limit(f"at most {TRANSPOSE_MAX} elements", _larger(TRANSPOSE_MAX))),
    "TRANSPOSE_CONV": (_constant(0, 1, 3),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (_constant(1, 2, 3, 4, 5, 6, 7, 8),),
}

# Inputs that are weights: their type counts as much as the activations'.
WEIGHT_INPUT = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 1}


def judge(op: Op) -> tuple[str, str] | None:
    """Say why the Edge TPU cannot run an operation by itself.

    The order is the compiler's: an operation that it does not know, with float
    output, is reported for its type (CUSTOM, DEQUANTIZE), and one with too many
    dimensions for its rank (google-coral/edgetpu#708).

    Returns:
        The compiler's words and the limitation behind them; None if it can.
    """
    if not op.outputs or (op.kind in SUPPORTED and not op.activations):
        return words.UNSPECIFIED, "an input that changes and an output"
    tensors = (*op.activations, *op.outputs)
    if any(_outer(tensor, 3) > 1 for tensor in tensors):
        return words.RANK, "only the three innermost dimensions may be larger than 1"
    weight = op.input(WEIGHT_INPUT.get(op.kind, len(op.inputs)))
    types = {tensor.dtype for tensor in (*tensors, *((weight,) if weight else ()))}
    if types - EIGHT_BITS:
        # Only of a QUANTIZE the compiler says this: a float input at the start (#490, #342).
        reason = words.UNSPECIFIED if op.kind == "QUANTIZE" else words.DATA_TYPE
        return reason, f"8-bit tensors, not {', '.join(sorted(types - EIGHT_BITS)).lower()}"
    if op.kind not in SUPPORTED:
        return words.NOT_SUPPORTED, "not in the table of supported operations"
    for limit in SUPPORTED[op.kind]:
        if limit.breaks(op):
            return limit.reason, limit.text
    return None
