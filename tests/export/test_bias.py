"""Bias correction: what rounded weights shift, the bias takes back."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from reflexarc.export.bias import correct_biases
from reflexarc.export.calibration import run
from reflexarc.export.convert import float_graph, prepare, quantize


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Convolution, depthwise and dense, on inputs whose mean is far from zero."""
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 12, 3), name="image")
    x = layers.Conv2D(16, 3, activation="relu", name="conv")(image)
    x = layers.DepthwiseConv2D(3, activation="relu", name="depthwise")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    net = keras.Model(image, layers.Dense(8, name="score")(x))
    # A few large weights in each channel: the steps are coarse for all the others.
    rng = np.random.default_rng(1)
    for layer in net.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            heavy = rng.standard_t(1.5, kernel.shape).clip(-40, 40) / np.sqrt(kernel[..., 0].size)
            layer.set_weights([heavy.astype(np.float32), bias + 0.5])
    return net


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.6 + 0.2 * rng.standard_normal((80, 12, 12, 3))).astype(np.float32)


def answers(flatbuffer: bytes, samples: np.ndarray) -> np.ndarray:
    found = []
    for interpreter in run(flatbuffer, samples):
        (entry,) = interpreter.get_output_details()
        found.append(interpreter.get_tensor(entry["index"])[0])
    return np.stack(found)


def test_the_mean_answer_of_int8_comes_nearer_to_the_float_one(
    model: keras.Model, samples: np.ndarray
) -> None:
    from reflexarc.export.calibration import calibrate

    graph = float_graph(model)
    wanted = answers(graph, samples[40:])
    plain = quantize(calibrate(graph, samples[:40]), whole=False)
    corrected = quantize(prepare(graph, samples[:40], None), whole=False)

    def shift(flatbuffer: bytes) -> float:
        return float(np.abs(answers(flatbuffer, samples[40:]).mean(0) - wanted.mean(0)).mean())

    assert shift(corrected) < 0.6 * shift(plain)


def test_ops_that_stay_in_float_keep_their_biases(model: keras.Model, samples: np.ndarray) -> None:
    from reflexarc.export.graph import Graph

    graph = float_graph(model)
    inside = Graph(graph)
    weighted = [op for op in range(len(inside.ops)) if inside.constant(op, 2) is not None]
    kept = inside.tensor_name(inside.output(weighted[0]))
    changed = Graph(correct_biases(graph, samples[:8], {kept}))
    same = [
        np.array_equal(inside.constant(op, 2), changed.constant(op, 2))  # type: ignore[arg-type]
        for op in weighted
    ]
    assert same == [True] + [False] * (len(weighted) - 1)
    # The weights are the converter's to round.
    assert all(
        np.array_equal(inside.constant(op, 1), changed.constant(op, 1))  # type: ignore[arg-type]
        for op in weighted
    )
