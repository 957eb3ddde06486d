"""Keras to TFLite: every number format, and clear words for what cannot be converted."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import keras
import numpy as np
import pytest
import shapes
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from reflexarc.core import quiet
from reflexarc.export.calibration import calibrate
from reflexarc.export.convert import convert, float_graph
from reflexarc.export.errors import ExportError
from reflexarc.export.flatbuffer import layer_names, layer_of, op_name, parse
from reflexarc.models import training
from reflexarc.perception.card import InputSpec, Quantization

SPEC = shapes.FAMILY.input


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return shapes.trained()


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return training.real_values(SPEC, shapes.shapes(200, 0).inputs)


def opened(flatbuffer: bytes) -> Interpreter:
    interpreter = Interpreter(model_content=flatbuffer)
    interpreter.allocate_tensors()
    return interpreter


def run(interpreter: Interpreter, tensor: np.ndarray) -> np.ndarray:
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(entry["index"], tensor[None].astype(entry["dtype"]))
    interpreter.invoke()
    return interpreter.get_tensor(answer["index"])[0]


def test_int8_is_what_tensorflows_own_converter_makes(
    model: keras.Model, values: np.ndarray
) -> None:
    image = keras.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([value[None]] for value in values)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = opened(converter.convert())
    ours = opened(convert(model, "int8", values))
    for picture in shapes.shapes(100, 5).inputs:
        assert np.array_equal(run(ours, picture), run(theirs, picture))


@pytest.mark.parametrize("wanted", ["int8", "float32", "float16", "dynamic", "int16x8"])
def test_every_format_answers_as_keras_does(
    wanted: Quantization, model: keras.Model, values: np.ndarray
) -> None:
    flatbuffer = convert(model, wanted, values, SPEC)
    interpreter = opened(flatbuffer)
    outside = np.uint8 if wanted == "int8" else np.float32
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert entry["dtype"] == answer["dtype"] == outside
    assert entry["shape"].tolist() == [1, 16, 16, 1]
    test = shapes.shapes(100, 5)
    inputs = test.inputs if wanted == "int8" else training.real_values(SPEC, test.inputs)
    found = [int(run(interpreter, sample).argmax()) for sample in inputs]
    assert found == test.labels.tolist()
    ops = {op_name(parse(flatbuffer), op) for op in parse(flatbuffer).subgraphs[0].operators}
    # What a dynamic batch would leave behind.
    assert not ops & {"SHAPE", "STRIDED_SLICE", "PACK"}


def test_a_branch_has_its_own_range_before_the_residual_sum() -> None:
    """TensorFlow 2.21's calibrator gives it that of the sum: here 2,000 times as wide."""
    image = keras.Input((16, 16, 3))
    trunk = layers.Conv2D(8, 1)(layers.Conv2D(4, 3, padding="same", activation="relu")(image))
    wide = layers.Conv2D(16, 1, activation="relu")(trunk)
    branch = layers.Conv2D(8, 1, name="branch")(wide)
    net = keras.Model(image, layers.Conv2D(2, 1)(layers.Add()([trunk, branch])))
    net.get_layer("branch").set_weights([w / 1000 for w in net.get_layer("branch").get_weights()])
    samples = np.random.default_rng(0).random((10, 16, 16, 3), np.float32)
    expected = keras.Model(image, branch).predict_on_batch(samples)
    (graph,) = parse(calibrate(float_graph(net), samples)).subgraphs
    (op,) = (o for o in graph.operators if b"/branch_1/" in graph.tensors[o.outputs[0]].name)
    found = graph.tensors[op.outputs[0]].quantization
    assert found.min[0] == pytest.approx(expected.min(), rel=1e-3)
    assert found.max[0] == pytest.approx(expected.max(), rel=1e-3)


def test_int8_weights_have_a_scale_for_each_channel(model: keras.Model, values: np.ndarray) -> None:
    (graph,) = parse(convert(model, "int8", values, SPEC)).subgraphs
    kernels = [
        t
        for t in graph.tensors
        if len(t.shape) == 4 and t.type == schema.TensorType.INT8 and t.shape[0] > 1
    ]
    assert sorted(len(kernel.quantization.scale) for kernel in kernels) == [8, 16]


@pytest.mark.parametrize("spec", [SPEC, SPEC.model_copy(update={"mean": 127.5, "std": 127.5})])
def test_the_cameras_byte_is_the_input_tensor_even_if_calibration_is_dim(
    spec: InputSpec, model: keras.Model
) -> None:
    dim = training.real_values(spec, np.minimum(shapes.shapes(50, 0).inputs, 100))
    interpreter = opened(convert(model, "int8", dim, spec))
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    assert scale == pytest.approx(1 / spec.std, rel=1e-6)
    real = (np.arange(256) - spec.mean) / spec.std
    # A zero point is whole, 127.5 is not: half a code is what rounding may cost.
    assert np.abs(real / scale + zero_point - np.arange(256)).max() <= 0.5 + 1e-3


def test_several_outputs_keep_their_order() -> None:
    image = keras.Input((8, 8, 3))
    outputs = [layers.Conv2D(n, 3, name=f"head{n}")(image) for n in (5, 2, 4, 3)]
    several = keras.Model(image, outputs, name="several")
    samples = np.random.default_rng(0).random((10, 8, 8, 3), np.float32)
    for wanted in ("int8", "float32"):
        runner = opened(convert(several, wanted, samples)).get_signature_runner()
        details = runner.get_output_details()
        found = [int(details[f"output_{i}"]["shape"][-1]) for i in range(4)]
        assert found == [5, 2, 4, 3]


def test_a_series_goes_in_as_bytes_with_the_scale_of_the_data() -> None:
    series = keras.Input((20, 6))
    hidden = layers.Conv1D(8, 3, activation="relu")(series)
    net = keras.Model(series, layers.Dense(4, activation="softmax")(layers.Flatten()(hidden)))
    samples = np.random.default_rng(0).uniform(-2, 3, (50, 20, 6)).astype(np.float32)
    interpreter = opened(convert(net, "int8", samples))
    (entry,) = interpreter.get_input_details()
    assert entry["dtype"] == np.uint8
    scale, zero_point = entry["quantization"]
    assert (0 - zero_point) * scale == pytest.approx(-2, abs=0.05)
    assert (255 - zero_point) * scale == pytest.approx(3, abs=0.05)


def test_int8_of_a_recurrent_net_needs_it_unrolled() -> None:
    series = keras.Input((6, 3))
    samples = np.random.default_rng(0).random((10, 6, 3), np.float32)

    def net(unroll: bool) -> keras.Model:
        return keras.Model(series, layers.Dense(2)(layers.GRU(4, unroll=unroll)(series)))

    for wanted in ("int8", "int16x8"):
        with pytest.raises(ExportError, match="loop.*unroll=True"):
            convert(net(False), wanted, samples)
    assert opened(convert(net(True), "int8", samples)).get_input_details()[0]["dtype"] == np.uint8


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda v: v[:0], "no sample"),
        (lambda v: v[:, :8], r"shape \(8, 16, 1\)"),
        (lambda v: np.where(np.arange(len(v))[:, None, None, None] == 3, np.nan, v), "sample 3"),
        (lambda v: np.where(v > 0.5, np.inf, v), "infinity"),
        (lambda v: np.full_like(v, 0.25), "nothing but 0.25"),
    ],
    ids=["empty", "shape", "NaN", "infinite", "constant"],
)
def test_useless_calibration_data_is_refused(
    spoil: Callable[[np.ndarray], np.ndarray], words: str, model: keras.Model, values: np.ndarray
) -> None:
    with pytest.raises(ExportError, match=f"representative set.*{words}.*training samples"):
        convert(model, "int8", spoil(values).astype(np.float32))


IMAGE = keras.Input((8, 8, 3), name="image")


class Chosen(layers.Layer):
    """Its output's size depends on the values."""

    def call(self, values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(tf.boolean_mask(values, values > 0))[None, None]


def through_text(values: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_number(tf.strings.as_string(values))


UNSUPPORTED: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "strings": (
        lambda: keras.Model(
            IMAGE,
            layers.Lambda(through_text, output_shape=(8, 8, 3), name="spell")(
                layers.Conv2D(3, 3, name="before")(IMAGE)
            ),
        ),
        "tf.AsString in layer 'spell'",
    ),
    "no kernel": (
        lambda: keras.Model(
            IMAGE,
            layers.Lambda(
                lambda v: tf.linalg.cholesky(v[..., 0]), output_shape=(8, 8), name="root"
            )(IMAGE),
        ),
        "tf.Cholesky in layer 'root'",
    ),
    "size by value": (
        lambda: keras.Model(IMAGE, Chosen(name="chosen")(IMAGE)),
        "WHERE in layer 'chosen' changes its size",
    ),
    "any size": (
        lambda: keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)], name="free"),
        "free with .*None.*keras.Input",
    ),
    "two inputs": (
        lambda: keras.Model(
            [IMAGE, (other := keras.Input((8, 8, 3)))], layers.Add()([IMAGE, other])
        ),
        "one input",
    ),
    "dict of outputs": (
        lambda: keras.Model(IMAGE, {"a": layers.Flatten()(IMAGE)}, name="named"),
        "list of tensors.*named with a dict",
    ),
}


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_tflite_cannot_hold_is_named(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    make, words = UNSUPPORTED[case]
    unsupported = make()
    capfd.readouterr()
    with pytest.raises(ExportError, match=words):
        convert(unsupported, "float32", np.zeros((1, 8, 8, 3), np.float32))
    out, err = capfd.readouterr()
    assert "error" not in (out + err).lower()  # the converter's pages of MLIR


def test_tensors_are_traced_back_to_their_keras_layers() -> None:
    inner = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu")],
        name="inner",
    )
    names = layer_names(keras.Model(IMAGE, layers.Flatten(name="conv_1")(inner(IMAGE))))
    assert names == {"image": False, "inner": False, "conv": True, "relu": False, "conv_1": False}
    # The graph gives each scope a number: conv_1 is the layer conv, conv_1_1 the layer conv_1.
    assert layer_of("m_1/inner_1/relu_1/Relu;m_1/inner_1/conv_1/convolution", names) == "conv"
    assert layer_of("m_1/conv_1_1/Reshape", names) == "conv_1"
    assert layer_of("StatefulPartitionedCall:0", names) == "StatefulPartitionedCall:0"
