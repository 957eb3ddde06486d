"""TensorFlow.js graph models into Keras: the convolutional part, layer by layer.

A graph model is a JSON file with the nodes of a frozen TensorFlow graph and a
manifest of the weights, which lie one after the other in a binary file. The
browser's converter has fused what belongs together (convolution, bias,
activation), and Keras layers are just that, so a node becomes a layer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import layers

from reflexarc.core import ReflexarcError

Array = npt.NDArray[Any]

_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6"}


class GraphError(ReflexarcError):
    """A tfjs graph model that is damaged or holds what has no translation."""


@dataclass(frozen=True)
class Node:
    """One operation of the graph: its inputs are names of nodes or of weights."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def integers(self, name: str) -> list[int]:
        """A list attribute of numbers, such as the strides of all four axes."""
        return [int(value) for value in self.attributes[name]["list"]["i"]]

    def text(self, name: str) -> str:
        """A string attribute; JSON carries them in base64."""
        return base64.b64decode(self.attributes[name]["s"]).decode()

    def flag(self, name: str) -> bool:
        """A boolean attribute; absent means false."""
        return bool(self.attributes.get(name, {}).get("b", False))

    @property
    def fused(self) -> tuple[str, ...]:
        """What was fused onto the operation, in order: ("BiasAdd", "Relu6")."""
        texts = self.attributes.get("fused_ops", {}).get("list", {}).get("s", [])
        return tuple(base64.b64decode(text).decode() for text in texts)


@dataclass(frozen=True)
class Graph:
    """A whole model as it was read: nodes and weights by name."""

    nodes: Mapping[str, Node]
    weights: Mapping[str, Array]


def read_graph(path: Path) -> Graph:
    """Read a graph model (``.json`` beside its weights).

    Weights stored in float16 or with a linear scale are given as float32.

    Raises:
        GraphError: not a graph model, or the weights are short.
    """
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
        weights: dict[str, Array] = {}
        for group in model["weightsManifest"]:
            data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            weights |= _read_weights(group["weights"], data)
        nodes = {
            row["name"]: Node(
                row["name"], row["op"], tuple(row.get("input", ())), row.get("attr", {})
            )
            for row in model["modelTopology"]["node"]
            if row["op"] != "Const"
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GraphError(
            expected="a tfjs graph model with all its weights",
            found=f"{path}: {type(error).__name__}: {error}",
            remedy="fetch the asset again",
        ) from error
    return Graph(nodes, weights)


def _read_weights(manifest: list[dict[str, Any]], data: bytes) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    offset = 0
    for row in manifest:
        quantization = row.get("quantization", {})
        stored = np.dtype(quantization.get("dtype", row["dtype"])).newbyteorder("<")
        count = int(np.prod(row["shape"], dtype=np.int64))
        values = np.frombuffer(data, stored, count, offset)
        offset += values.nbytes
        if "scale" in quantization:
            values = values * np.float32(quantization["scale"]) + np.float32(quantization["min"])
        weights[row["name"]] = values.astype(row["dtype"]).reshape(row["shape"])
    return weights


def translate(
    graph: Graph,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    layer_name: Callable[[str], str],
) -> list[Any]:
    """Build the Keras layers that lead from `inputs` to `outputs`.

    Args:
        graph: what `read_graph` gave.
        inputs: Keras tensor by the name of the node that it stands for; nothing
            before these nodes is looked at.
        outputs: name of the Keras layer -> name of the node whose value is wanted.
        layer_name: gives every other layer its name from its node's.

    Returns:
        The Keras tensors of `outputs`, in their order.

    Raises:
        GraphError: a node on the way has no translation.
    """
    tensors: dict[str, Any] = dict(inputs)
    named = {node: name for name, node in outputs.items()}

    def tensor(name: str) -> Any:
        if name not in tensors:
            node = graph.nodes[name]
            build = _BUILDERS.get(node.op)
            if build is None:
                raise GraphError(
                    expected=f"one of the operations {', '.join(_BUILDERS)}",
                    found=f"{node.op} ({name})",
                    remedy="choose outputs before it",
                )
            weights = [graph.weights[i] for i in node.inputs if i in graph.weights]
            values = [tensor(i) for i in node.inputs if i not in graph.weights]
            tensors[name] = build(node, values, weights, named.get(name) or layer_name(name))
        return tensors[name]

    return [tensor(node) for node in outputs.values()]


def _convolution(node: Node, values: list[Any], weights: list[Array], name: str) -> Any:
    kernel, *bias = weights
    settings = {
        "kernel_size": kernel.shape[:2],
        "strides": node.integers("strides")[1:3],
        "padding": node.text("padding").lower(),
        "use_bias": bool(bias),
        "name": name,
    }
    activation = [_ACTIVATIONS[op] for op in node.fused if op != "BiasAdd"]
    if activation:
        (settings["activation"],) = activation
    if "Depthwise" in node.op:
        layer = layers.DepthwiseConv2D(depth_multiplier=kernel.shape[3], **settings)
    else:
        layer = layers.Conv2D(filters=kernel.shape[3], **settings)
    result = layer(values[0])
    layer.set_weights(weights)
    return result


def _add(node: Node, values: list[Any], weights: list[Array], name: str) -> Any:
    return layers.Add(name=name)(values)


def _resize(node: Node, values: list[Any], weights: list[Array], name: str) -> Any:
    (value,), (size,) = values, weights
    factor = tuple(int(new) // old for new, old in zip(size, value.shape[1:3], strict=True))
    if not node.flag("half_pixel_centers") or node.flag("align_corners"):
        raise GraphError(
            expected="bilinear resizing with half-pixel centres, as Keras does it",
            found=f"another kind ({node.name})",
            remedy="choose outputs before it",
        )
    return layers.UpSampling2D(factor, interpolation="bilinear", name=name)(value)


_BUILDERS: dict[str, Callable[[Node, list[Any], list[Array], str], Any]] = {
    "_FusedConv2D": _convolution,
    "Conv2D": _convolution,
    "FusedDepthwiseConv2dNative": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "AddV2": _add,
    "ResizeBilinear": _resize,
}
