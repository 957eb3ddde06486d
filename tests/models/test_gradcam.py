"""Grad-CAM against a net small enough to know its heat map beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reflexarc.models import gradcam


@pytest.fixture(scope="module")
def colour_net() -> Any:
    """Class 0 is red, class 1 green: a map of 4 px tiles, pooled, then weighed."""
    import keras
    from keras import layers

    x = inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(2, 4, strides=4, use_bias=False, name="map")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    kernel = np.zeros((4, 4, 3, 2), np.float32)
    kernel[:, :, 0, 0] = kernel[:, :, 1, 1] = 1 / 16
    model.get_layer("map").set_weights([kernel])
    model.layers[-1].set_weights([np.float32([[1, -1], [-1, 1]]), np.zeros(2, np.float32)])
    model.trainable = False
    return model


def test_the_map_lights_up_where_the_class_is(colour_net: Any) -> None:
    values = np.zeros((2, 16, 16, 3), np.float32)
    values[:, :4, :4, 0] = 1  # red in the first tile
    values[:, 12:, 12:, 1] = 0.5  # half as green in the last one
    heat = gradcam.heat_maps(colour_net, values, np.array([0, 1]))
    assert heat.shape == (2, 4, 4)
    expected = np.zeros((2, 4, 4), np.float32)
    expected[0, 0, 0] = expected[1, 3, 3] = 1  # what speaks against the class is cut off
    np.testing.assert_allclose(heat, expected, atol=1e-6)


def test_where_nothing_speaks_for_the_class_it_stays_dark(colour_net: Any) -> None:
    red = np.zeros((1, 16, 16, 3), np.float32)
    red[..., 0] = 1
    assert gradcam.heat_maps(colour_net, red, np.array([1])).max() == 0


def test_an_overlay_changes_warm_places_only() -> None:
    photo = np.full((8, 8, 3), 100, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[2, 2] = 1
    lit = gradcam.overlay(photo, heat)
    assert np.array_equal(np.argwhere((lit != photo).any(axis=-1)), [[2, 2]])
    assert lit[2, 2, 0] > 100 > lit[2, 2, 2]  # warm is red


def test_a_layer_without_height_and_width_is_an_error(colour_net: Any) -> None:
    with pytest.raises(gradcam.GradCamError, match="a layer 'nothing'.*found layers .*map"):
        gradcam.heat_maps(
            colour_net, np.zeros((1, 16, 16, 3), np.float32), np.array([0]), layer="nothing"
        )
