"""What to change in a model so that more of it runs on the Edge TPU."""

from __future__ import annotations

from reflexarc.export.edgetpu import words
from reflexarc.export.edgetpu.graph import Graph, Op
from reflexarc.export.edgetpu.versions import MAX_VERSION

# Operation -> what to do when it stays on the CPU.
_FOR_OP = {
    "ARG_MAX": "leave ARG_MAX out of the model and take the maximum on the host",
    "ARG_MIN": "leave ARG_MIN out of the model and take the minimum on the host",
    "DEPTH_TO_SPACE": "replace DEPTH_TO_SPACE with RESIZE_NEAREST_NEIGHBOR and a convolution",
    "ELU": "replace ELU with RELU",
    "GATHER": "replace GATHER with SLICE or STRIDED_SLICE of constant bounds",
    "HARD_SWISH": "replace HARD_SWISH with RELU6 (MobileNetV3 has a minimalistic variant)",
    "LEAKY_RELU": "replace LEAKY_RELU with RELU, or with PRELU of one alpha a channel",
    "MIRROR_PAD": "pad with zeros (PAD)",
    "PADV2": "pad with zeros (PAD)",
    "SPLIT_V": "split into equal parts (SPLIT), or use SLICE",
    "TRANSPOSE": "keep NHWC throughout, so that no TRANSPOSE is needed",
    "UNPACK": "replace UNPACK with SLICE",
}
_FOR_REASON = {
    words.RANK: "keep batch 1 and at most three dimensions larger than 1",
    words.TWO_D: "keep one row: batch 1, and a 1x1 CONV_2D in place of a dense layer on a sequence",
    words.NOT_CONSTANT: "make its weights, axes and sizes constants",
}
_FOR_REFUSAL = {
    words.DYNAMIC: "static batch: export with keras.Input(batch_shape=(1, ...)), or with an "
    "InputSpec without None",
    words.NOT_QUANTIZED: "quantise to full INT8 with representative data: "
    "`reflexarc export MODEL --to int8`",
}
_FLOAT_ENDS = "uint8 in and out: set inference_input_type and inference_output_type"
# TensorFlow converts so since 2024 (tflite-micro#2602), under the old version number. Coral's
# table neither allows nor forbids it; TFLite's specification of 2021 had one scale here.
_PER_CHANNEL = (
    "FULLY_CONNECTED with a scale for each channel is younger than compiler 16: export it with one "
    "(converter._experimental_disable_per_channel_quantization_for_dense_layers = True), or "
    "compare its results on the device"
)
_RESIZE = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")


def advise(
    graph: Graph,
    own: dict[int, tuple[str, str]],
    stranded: int,
    streamed_bytes: int,
    refused: str | None,
) -> tuple[str, ...]:
    """Return remedies, the most urgent first.

    Args:
        graph: the model.
        own: the compiler's words and the limitation behind them, for each operation that
            the Edge TPU cannot run.
        stranded: how many operations stay on the CPU only for being behind the cut.
        streamed_bytes: parameters that the cache has no room for.
        refused: the compiler's error, if it refuses the whole model.
    """
    found = [_for_refusal(graph, refused)] if refused else []
    if refused != words.NOT_QUANTIZED:
        found += [
            text
            for i, (reason, why) in own.items()
            for text in _for(graph, graph.ops[i], reason, why)
        ]
    if stranded:
        found.append(
            f"{stranded} supported operations are stranded behind the cut: mend what cuts, or "
            "leave what follows to the host"
        )
    found += [_PER_CHANNEL for op in graph.ops if not refused and _dense_per_channel(op)]
    if streamed_bytes:
        found.append(
            f"{streamed_bytes / 1e6:.1f} MB of parameters are sent at every inference: take a "
            "narrower or shallower model, or spread it over several Edge TPUs (compiler option -n)"
        )
    if not refused and any(n < 0 for i in graph.inputs for n in graph.tensors[i].signature):
        found.append(_FOR_REFUSAL[words.DYNAMIC])
    return tuple(dict.fromkeys(found))


def _dense_per_channel(op: Op) -> bool:
    weights = op.input(1)
    return op.kind == "FULLY_CONNECTED" and weights is not None and weights.scales > 1


def _for_refusal(graph: Graph, message: str) -> str:
    if message in _FOR_REFUSAL:
        return _FOR_REFUSAL[message]
    new = sorted(
        {f"{op.kind} {op.version}" for op in graph.ops if op.version > MAX_VERSION.get(op.kind, 0)}
    )
    if new:
        return (
            f"compiler 16 cannot read {', '.join(new)}: leave the newer feature out (grouped "
            "convolution, 16 bits, activation fused into TRANSPOSE_CONV), or convert with "
            "TensorFlow 2.8"
        )
    return "replace custom and Flex operations with builtin ones, or run them on the host"


def _for(graph: Graph, op: Op, reason: str, why: str) -> list[str]:
    where = f"{op.kind} (op {op.index})"
    tensors = (*op.activations, *op.outputs)
    if op.kind in ("QUANTIZE", "DEQUANTIZE") and any(t.dtype == "FLOAT32" for t in tensors):
        # Inside the model it is the float operation beside it that is to blame.
        at_an_end = {t.index for t in tensors} & {*graph.inputs, *graph.outputs}
        return [_FLOAT_ENDS] if at_an_end else []
    if op.kind == "CUSTOM":
        return [f"{op.custom} can only run on the CPU: keep it at the end of the model"]
    if op.kind in _RESIZE and reason == words.UNSPECIFIED:
        if op.activations[0].shape[1:3] == (1, 1):
            return [f"replace {where} from 1x1 with TILE, which the Edge TPU has"]
        return [f"move {where} before the cut by making it smaller ({why}), or resize on the host"]
    if op.kind in _FOR_OP:
        return [_FOR_OP[op.kind]]
    if reason == words.DATA_TYPE:
        return [f"{op.kind}: {why}; quantise it, or leave it to the host"]
    if reason == words.NOT_SUPPORTED:
        return [f"{op.kind} is in no version of the compiler: replace it, or put it last"]
    return [f"{where}: {_FOR_REASON.get(reason, why)}"]
