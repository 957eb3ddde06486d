"""One small graph for each limitation of the Edge TPU, beside one that keeps it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tflite_graph import TfliteGraph

from reflexarc.export.edgetpu import OpReport, check, words

Build = Callable[[TfliteGraph, int], int]

IMAGE = (1, 8, 8, 4)


def only(build: Build, *shape: int, dtype: str = "INT8") -> OpReport:
    """The verdict on the last operation of a graph with one input."""
    graph = TfliteGraph()
    source = graph.tensor(*(shape or IMAGE), dtype=dtype)
    return check(graph.pack([source], [build(graph, source)])).ops[-1]


def then(kind: str, *extra: int, to: tuple[int, ...] = IMAGE, **more: object) -> Build:
    """An operation whose further inputs are constant INT32 vectors of one value."""
    return lambda g, x: g.then(kind, x, *(g.ints(n) for n in extra), to=to, **more)


def vector(kind: str, *values: int, to: tuple[int, ...]) -> Build:
    """An operation whose second input is one constant INT32 vector."""
    return lambda g, x: g.then(kind, x, g.ints(*values), to=to)


def conv(**options: int) -> Build:
    return lambda g, x: g.conv(x, IMAGE, 4, table="Conv2DOptions", **options)


def dense(rows: int = 1, **options: object) -> Build:
    def build(g: TfliteGraph, x: int) -> int:
        w, b = g.weights(10, 4), g.ints(*[0] * 10)
        return g.then("FULLY_CONNECTED", x, w, b, to=(rows, 10), version=4, **options)

    return build


def concatenate(value: int, parts: int = 1, zero_point: int = 3, fused: int = 0) -> Build:
    def build(g: TfliteGraph, x: int) -> int:
        constant = g.tensor(1, 8, 8, 2, data=value, zero_point=zero_point)
        return g.then(
            "CONCATENATION",
            *[x] * parts,
            constant,
            to=(1, 8, 8, 4 * parts + 2),
            table="ConcatenationOptions",
            axis=3,
            fusedActivationFunction=fused,
        )

    return build


MAPPED: dict[str, tuple[Build, tuple[int, ...]]] = {
    "convolution": (conv(), IMAGE),
    "equal dilation": (conv(dilationWFactor=2, dilationHFactor=2), IMAGE),
    "dense": (dense(), (1, 4)),
    "zeros joined on": (concatenate(3), IMAGE),
    "average pool": (then("AVERAGE_POOL_2D"), IMAGE),
    "mean over the picture": (vector("MEAN", 1, 2, to=(1, 4)), IMAGE),
    "mean over a depth of 4": (vector("MEAN", 3, to=(1, 8, 8)), IMAGE),
    "mean over a negative axis": (vector("MEAN", -1, to=(1, 8, 8)), IMAGE),
    "mean over 64x128 (#461)": (vector("MEAN", 1, 2, to=(1, 3)), (1, 64, 128, 3)),
    "softmax of 16000": (then("SOFTMAX", to=(1, 16_000)), (1, 16_000)),
    "nearest to 64x64": (vector("RESIZE_NEAREST_NEIGHBOR", 64, 64, to=(1, 64, 64, 4)), IMAGE),
    "bilinear 64 to 128 (#31)": (
        vector("RESIZE_BILINEAR", 128, 128, to=(1, 128, 128, 32)),
        (1, 64, 64, 32),
    ),
    "bilinear to the same size": (vector("RESIZE_BILINEAR", 8, 8, to=IMAGE), IMAGE),
    "tile": (vector("TILE", 1, 8, 8, 1, to=IMAGE), (1, 1, 1, 4)),
    "squeeze of leading ones": (
        then("SQUEEZE", to=(1, 10), table="SqueezeOptions", squeezeDims=[1, 2]),
        (1, 1, 1, 10),
    ),
    "pad of the picture": (
        lambda g, x: g.then(
            "PAD",
            x,
            g.tensor(4, 2, dtype="INT32", data=[[0, 0], [1, 1], [1, 1], [0, 0]]),
            to=(1, 10, 10, 4),
        ),
        IMAGE,
    ),
    "alpha a channel": (lambda g, x: g.then("PRELU", x, g.weights(1, 1, 4), to=IMAGE), IMAGE),
    "int8 to uint8": (
        lambda g, x: (g.op("QUANTIZE", [x], [y := g.tensor(*IMAGE, dtype="UINT8")]), y)[1],
        IMAGE,
    ),
    "reshape of detections (EfficientDet)": (
        vector("RESHAPE", 1, 14_400, 90, to=(1, 14_400, 90)),
        (1, 40, 40, 810),
    ),
    "transpose of 196x3x85 (#512)": (
        vector("TRANSPOSE", 0, 2, 1, 3, to=(1, 3, 196, 85)),
        (1, 196, 3, 85),
    ),
    "multiply by a constant": (lambda g, x: g.then("MUL", x, g.weights(4), to=IMAGE), IMAGE),
}

NOT_MAPPED: dict[str, tuple[Build, tuple[int, ...], str]] = {
    "leaky relu": (then("LEAKY_RELU"), IMAGE, words.NOT_SUPPORTED),
    "gather": (then("GATHER", 0), IMAGE, words.NOT_SUPPORTED),
    "batch of two": (conv(), (2, 8, 8, 4), words.RANK),
    "four large dimensions": (then("ADD", to=(2, 8, 8, 4)), (2, 8, 8, 4), words.RANK),
    "unequal dilation": (conv(dilationWFactor=2, dilationHFactor=1), IMAGE, words.UNSPECIFIED),
    "grouped convolution": (
        lambda g, x: g.conv(x, IMAGE, 2, version=3),
        IMAGE,
        words.UNSPECIFIED,
    ),
    "weights from the graph": (
        lambda g, x: g.then("FULLY_CONNECTED", x, g.tensor(10, 4), to=(1, 10)),
        (1, 4),
        words.NOT_CONSTANT,
    ),
    "dense on five rows": (dense(5), (5, 4), words.TWO_D),
    "shuffled weights": (
        dense(table="FullyConnectedOptions", weightsFormat=1),
        (1, 4),
        words.UNSPECIFIED,
    ),
    "ones joined on": (concatenate(4), IMAGE, words.UNSPECIFIED),
    "zeros joined on two": (concatenate(3, parts=2), IMAGE, words.UNSPECIFIED),
    "fused concatenation": (concatenate(3, fused=1), IMAGE, words.UNSPECIFIED),
    "fused pool": (
        then("MAX_POOL_2D", table="Pool2DOptions", fusedActivationFunction=1),
        IMAGE,
        words.UNSPECIFIED,
    ),
    "mean over the batch": (vector("MEAN", 0, to=(8, 8, 4)), IMAGE, words.UNSPECIFIED),
    "mean over a depth of 3": (
        vector("MEAN", 3, to=(1, 8, 8)),
        (1, 8, 8, 3),
        words.UNSPECIFIED,
    ),
    "mean over 256x128 (#461)": (
        vector("MEAN", 1, 2, to=(1, 3)),
        (1, 256, 128, 3),
        words.UNSPECIFIED,
    ),
    "softmax of five rows": (then("SOFTMAX", to=(5, 10)), (5, 10), words.TWO_D),
    "softmax of 16001": (then("SOFTMAX", to=(1, 16_001)), (1, 16_001), words.UNSPECIFIED),
    "nearest to 1024x1024 (#597)": (
        vector("RESIZE_NEAREST_NEIGHBOR", 1024, 1024, to=(1, 1024, 1024, 3)),
        (1, 512, 512, 3),
        words.UNSPECIFIED,
    ),
    "bilinear from one pixel": (
        vector("RESIZE_BILINEAR", 8, 8, to=IMAGE),
        (1, 1, 1, 4),
        words.UNSPECIFIED,
    ),
    "squeeze behind a dimension": (
        then("SQUEEZE", to=(5, 10), table="SqueezeOptions", squeezeDims=[0, 2]),
        (1, 5, 1, 10),
        words.UNSPECIFIED,
    ),
    "pad of the batch": (
        lambda g, x: g.then(
            "PAD",
            x,
            g.tensor(3, 2, dtype="INT32", data=[[0, 1], [0, 0], [0, 0]]),
            to=(2, 8, 4),
        ),
        (1, 8, 4),
        words.UNSPECIFIED,
    ),
    "alpha a pixel": (
        lambda g, x: g.then("PRELU", x, g.weights(8, 8, 4), to=IMAGE),
        IMAGE,
        words.UNSPECIFIED,
    ),
    "pack along the batch": (
        then("PACK", to=(1, 8, 4), table="PackOptions", axis=0),
        (8, 4),
        words.UNSPECIFIED,
    ),
    "split of the batch": (
        lambda g, x: (
            g.op(
                "SPLIT", [g.tensor(dtype="INT32", data=0), x], [y := g.tensor(1, 8), g.tensor(1, 8)]
            ),
            y,
        )[1],
        (2, 8),
        words.UNSPECIFIED,
    ),
    "strides of 2": (
        lambda g, x: g.then(
            "STRIDED_SLICE",
            x,
            g.ints(0, 0, 0, 0),
            g.ints(1, 8, 8, 4),
            g.ints(1, 2, 2, 1),
            to=(1, 4, 4, 4),
        ),
        IMAGE,
        words.UNSPECIFIED,
    ),
    "huge reshape": (
        vector("RESHAPE", 1, 5_242_880, to=(1, 5_242_880)),
        (1, 80, 64, 1024),
        words.UNSPECIFIED,
    ),
    "transpose of 784x3x85 (#512)": (
        vector("TRANSPOSE", 0, 2, 1, 3, to=(1, 3, 784, 85)),
        (1, 784, 3, 85),
        words.UNSPECIFIED,
    ),
    "argmax": (
        lambda g, x: (
            g.op("ARG_MAX", [x, g.ints(3)], [y := g.tensor(1, 8, 8, dtype="INT32")]),
            y,
        )[1],
        IMAGE,
        words.DATA_TYPE,
    ),
    "dequantize": (
        lambda g, x: (g.op("DEQUANTIZE", [x], [y := g.tensor(*IMAGE, dtype="FLOAT32")]), y)[1],
        IMAGE,
        words.DATA_TYPE,
    ),
    "16-bit activations": (
        lambda g, x: (
            g.op("QUANTIZE", [x], [y := g.tensor(*IMAGE, dtype="INT16")]),
            g.then("RELU", y, to=IMAGE),
        )[1],
        IMAGE,
        words.DATA_TYPE,
    ),
}


@pytest.mark.parametrize("case", MAPPED)
def test_is_mapped(case: str) -> None:
    build, shape = MAPPED[case]
    verdict = only(build, *shape)
    assert (verdict.target, verdict.reason) == ("edgetpu", words.MAPPED)


@pytest.mark.parametrize("case", NOT_MAPPED)
def test_stays_on_the_cpu_with_the_compilers_words(case: str) -> None:
    build, shape, reason = NOT_MAPPED[case]
    verdict = only(build, *shape)
    assert (verdict.target, verdict.reason) == ("cpu", reason)
