"""The Keras model and our decoding say what the published graph says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import graph_pb2

from reflexarc.core import ReflexarcError
from reflexarc.models.family import Dataset
from reflexarc.models.movenet.network import SIZE
from reflexarc.models.movenet.tfjs import GraphError, read_graph, translate
from reflexarc.perception.tasks.pose.movenet import OUTPUTS, decode

Image = npt.NDArray[np.uint8]
Graph = Callable[[Image], npt.NDArray[np.float32]]

# What TensorFlow calls the browser's fused operations, before they were fused.
PLAIN = {
    "_FusedConv2D": "Conv2D",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}


@pytest.fixture(scope="module")
def people(data: Dataset) -> list[Image]:
    """A dozen pictures: whole bodies that walk, half bodies, faces."""
    return [*data.test.inputs[11:23:2], *data.train.inputs[::9]]


@pytest.fixture(scope="module")
def published(asset: Path) -> Graph:
    """The whole published graph, decoding and all, run by TensorFlow itself."""
    rows = json.loads(asset.read_text(encoding="utf-8"))["modelTopology"]["node"]
    weights = read_graph(asset).weights
    source = json_format.ParseDict({"node": rows}, graph_pb2.GraphDef(), ignore_unknown_fields=True)
    graph = graph_pb2.GraphDef()
    graph.versions.producer = 1000
    for node in source.node:
        if node.op == "Const":
            constant = graph.node.add(name=node.name, op="Const")
            tensor = tf.make_tensor_proto(weights[node.name])
            constant.attr["value"].tensor.CopyFrom(tensor)
            constant.attr["dtype"].type = tensor.dtype
        elif node.op in PLAIN:
            unfuse(node, graph)
        else:
            graph.node.add().CopyFrom(node)
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
    pruned = whole.prune(
        whole.graph.as_graph_element("input:0"), whole.graph.as_graph_element("Identity:0")
    )
    return lambda image: np.asarray(pruned(tf.constant(image[None], tf.int32)))[0, 0]


def unfuse(node: Any, graph: Any) -> None:
    """Write convolution, bias and activation as operations of their own."""
    ops = [PLAIN[node.op], *(op.decode() for op in node.attr["fused_ops"].list.s)]
    extra = list(node.input[2:])
    before = ""
    for i, op in enumerate(ops):
        last = i == len(ops) - 1
        step = graph.node.add(name=node.name if last else f"{node.name}/step_{i}", op=op)
        step.attr["T"].type = tf.float32.as_datatype_enum
        step.input.extend(node.input[:2] if i == 0 else [before])
        if i == 0:
            for name in ("strides", "padding", "data_format", "dilations"):
                if name in node.attr:
                    step.attr[name].CopyFrom(node.attr[name])
        if op == "BiasAdd":
            step.input.append(extra.pop(0))
        before = step.name


def real(images: list[Image]) -> npt.NDArray[np.float32]:
    return (np.stack(images).astype(np.float32) - 127.5) / 127.5


def test_poses_equal_those_of_the_published_graph(
    model: keras.Model, published: Graph, people: list[Image]
) -> None:
    maps = model.predict(real(people), verbose=0)
    for i, image in enumerate(people):
        ours = decode(tuple(values[i : i + 1] for values in maps))
        theirs = published(image)  # y, x, score; places as parts of the input's side
        np.testing.assert_allclose(ours[:, :2] / SIZE, theirs[:, 1::-1], atol=1e-3)
        np.testing.assert_allclose(ours[:, 2], theirs[:, 2], atol=1e-3)


def test_the_four_maps_are_named_and_shaped_for_the_decoder(model: keras.Model) -> None:
    assert model.name == "movenet"
    assert tuple(model.output_names) == OUTPUTS
    shapes = [tuple(tensor.shape[1:]) for tensor in model.outputs]
    assert shapes == [(48, 48, channels) for channels in (1, 17, 34, 34)]


def test_every_layer_says_where_it_is(model: keras.Model) -> None:
    names = [layer.name for layer in model.layers]
    assert not [name for name in names if "StatefulPartitionedCall" in name or "model_1" in name]
    assert {"stem", "block_16_project", "features", "lateral_4", "merge_8", "smooth_4"} <= set(
        names
    )


def test_the_saved_model_loads_with_the_same_weights(model: keras.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert tuple(again.output_names) == OUTPUTS


def test_what_has_no_translation_is_named(asset: Path) -> None:
    outputs = {"peak": "StatefulPartitionedCall/ArgMax"}
    image = keras.Input((SIZE, SIZE, 3))
    with pytest.raises(GraphError, match="ArgMax"):
        translate(read_graph(asset), {"StatefulPartitionedCall/sub_1": image}, outputs, str)


def test_short_weights_are_an_error(asset: Path, tmp_path: Path) -> None:
    (tmp_path / asset.name).write_bytes(asset.read_bytes())
    whole = asset.with_suffix(".bin").read_bytes()
    (tmp_path / asset.with_suffix(".bin").name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(GraphError, match="all its weights"):
        read_graph(tmp_path / asset.name)


def test_a_file_that_is_no_graph_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"format": "layers-model"}')
    with pytest.raises(ReflexarcError, match="a tfjs graph model"):
        read_graph(tmp_path / "model.json")
