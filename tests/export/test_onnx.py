from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import shapes
from keras import layers

onnxruntime = pytest.importorskip("onnxruntime")

from reflexarc.export.errors import ExportError  # noqa: E402
from reflexarc.export.onnx import convert_onnx, pack_onnx  # noqa: E402
from reflexarc.models import training  # noqa: E402
from reflexarc.models.cards import card_of  # noqa: E402
from reflexarc.perception.modelfile import read_card  # noqa: E402


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return shapes.trained()


@pytest.mark.parametrize("wanted", ["float32", "int8"])
def test_onnx_answers_as_keras_does_and_carries_its_card(
    wanted: str, model: keras.Model, tmp_path: Path
) -> None:
    data = shapes.load()
    card = card_of(shapes.FAMILY, data).model_copy(update={"quantization": wanted})
    values = training.real_values(card.input, data.train.inputs[:100])
    path = tmp_path / "shapes.onnx"
    path.write_bytes(pack_onnx(convert_onnx(model, wanted, values), card))
    assert read_card(path) == card
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (entry,), (answer,) = session.get_inputs(), session.get_outputs()
    assert (entry.name, entry.shape, entry.type) == ("image", [1, 16, 16, 1], "tensor(float)")
    assert (answer.name, answer.shape) == ("score", [1, 4])
    inputs = training.real_values(card.input, data.test.inputs[:100])
    found = np.concatenate([session.run(None, {"image": value[None]})[0] for value in inputs])
    expected = model.predict_on_batch(inputs)
    assert np.array_equal(found.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(found - expected).max() < (1e-5 if wanted == "float32" else 0.1)


def test_int8_is_smaller_and_quantised_per_channel(model: keras.Model) -> None:
    values = training.real_values(shapes.FAMILY.input, shapes.load().train.inputs[:50])
    plain, int8 = (convert_onnx(model, wanted, values) for wanted in ("float32", "int8"))
    assert int8.ByteSize() < plain.ByteSize()
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in int8.graph.node}
    scales = {i.name: list(i.dims) for i in int8.graph.initializer if "scale" in i.name}
    assert [8] in scales.values() and [16] in scales.values()


def test_several_outputs_are_named_by_the_card() -> None:
    image = keras.Input((8, 8, 3))
    net = keras.Model(image, [layers.Conv2D(n, 3)(image) for n in (5, 2)], name="two")
    card = card_of(shapes.FAMILY, shapes.load()).model_copy(update={"outputs": ("five", "two")})
    whole = pack_onnx(convert_onnx(net, "float32", np.zeros((0, 8, 8, 3), np.float32)), card)
    session = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"])
    assert [(o.name, o.shape[-1]) for o in session.get_outputs()] == [("five", 5), ("two", 2)]


def test_what_onnx_lacks_and_useless_calibration_data_are_refused(model: keras.Model) -> None:
    with pytest.raises(ExportError, match="representative set"):
        convert_onnx(model, "int8", np.full((3, 16, 16, 1), 0.5, np.float32))
    with pytest.raises(ExportError, match="one input"):
        convert_onnx(
            keras.Sequential([keras.Input((None, 8, 3)), layers.Conv2D(2, 3)]),
            "float32",
            np.zeros((1, 8, 8, 3), np.float32),
        )
