"""Grad-CAM: where in a photo a classifier found its answer (Selvaraju et al. 2017)."""

from __future__ import annotations

import cv2
import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from reflexarc.core import ReflexarcError

HeatMap = npt.NDArray[np.float32]


class GradCamError(ReflexarcError):
    """A model without a feature map to look at."""


def heat_maps(
    model: keras.Model,
    values: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    *,
    layer: str | None = None,
) -> HeatMap:
    """Show what spoke for a class in each picture.

    The channels of a feature map are summed with the mean gradient of the
    class's score as weights; what speaks against the class is cut off (equations
    1 and 2 of the paper). The score is taken before the softmax, as there.

    Args:
        model: classifier whose last layer is Dense.
        values: the model's real-valued input, (n, h, w, c).
        classes: the class to explain, (n,).
        layer: name of the feature map; the last one with height and width by default.

    Returns:
        float32 (n, map height, map width) in 0..1; all zero where nothing spoke for it.

    Raises:
        GradCamError: no such layer, or none with height and width.
    """
    chosen = _layer(model, layer)
    split = keras.Model(model.inputs, [chosen.output, model.layers[-1].input])
    kernel, bias = (tf.constant(np.asarray(w)) for w in model.layers[-1].get_weights())
    inputs = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(inputs)  # a frozen net has no variable that the tape would follow
        maps, features = split(inputs, training=False)
        logits = features @ kernel + bias
        score = tf.reduce_sum(tf.gather(logits, classes, batch_dims=1))
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat: HeatMap = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()
    highest = heat.max(axis=(1, 2), keepdims=True)
    scaled: HeatMap = (heat / np.where(highest > 0, highest, 1)).astype(np.float32)
    return scaled


def overlay(
    image: npt.NDArray[np.uint8], heat: HeatMap, *, strength: float = 0.45
) -> npt.NDArray[np.uint8]:
    """Lay a heat map (h', w') in 0..1 over a uint8 RGB picture (h, w, 3)."""
    height, width = image.shape[:2]
    large = cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC)
    level = (255 * np.clip(large, 0, 1)).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)
    # Cold places keep the photo as it is.
    alpha = strength * np.clip(large, 0, 1)[..., None]
    mixed: npt.NDArray[np.uint8] = (image * (1 - alpha) + colours * alpha).round().astype(np.uint8)
    return mixed


def _layer(model: keras.Model, name: str | None) -> keras.layers.Layer:
    maps = [layer for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    known = {layer.name: layer for layer in maps}
    if name in known:
        return known[name]
    if name is not None or not maps:
        raise GradCamError(
            expected=f"a layer {name!r} with height and width" if name else "a convolutional net",
            found=f"layers {', '.join(known) or 'without height and width only'}",
            remedy="name one of the model's feature maps",
        )
    return maps[-1]
