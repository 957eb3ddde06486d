"""Every engine that is installed here gives what the Keras model gives."""

from __future__ import annotations

from pathlib import Path

import colours
import keras
import numpy as np
import onnx
import pytest
from keras import layers

from reflexarc.export.convert import convert
from reflexarc.export.engines.registry import (
    ENGINES,
    Engine,
    EngineError,
    engine_of,
    engines_for,
    open_with,
)
from reflexarc.export.metadata import pack
from reflexarc.export.onnx import convert_onnx, pack_onnx
from reflexarc.models.training import real_values
from reflexarc.perception.card import SequenceSpec
from reflexarc.perception.modelfile import ModelFileError, read_card

KINDS = {"float32": ".tflite", "int8": ".tflite", "onnx": ".onnx", "keras": ".keras"}
PAIRS = [
    (engine.name, kind)
    for engine in ENGINES.values()
    for kind, suffix in KINDS.items()
    if suffix in engine.formats
]


def needs(name: str) -> Engine:
    engine = engine_of(name)
    if not engine.installed:
        pytest.skip(f"{name} is not installed here ({engine.remedy})")
    return engine


@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_an_engine_answers_as_the_keras_model(
    name: str, kind: str, colour_files: dict[str, Path]
) -> None:
    path = colour_files[kind]
    model = open_with(needs(name), path, read_card(path))
    images = colours.pictures()
    expected = colours.net().predict(real_values(colours.SPEC, images), verbose=0)
    # An INT8 softmax has steps of 1/256.
    tolerance = 0.02 if kind == "int8" else 1e-4
    for image, scores in zip(images, expected, strict=True):
        (found,) = model.run(image)
        assert found.dtype == np.float32
        assert found.shape == (1, 3)
        np.testing.assert_allclose(found[0], scores, atol=tolerance)


@pytest.mark.parametrize("name", ["litert", "tf.lite", "tflite-runtime", "openvino"])
def test_int8_engines_differ_by_one_step_at_most(name: str, colour_files: dict[str, Path]) -> None:
    path = colour_files["int8"]
    ours = open_with(engine_of("litert"), path, read_card(path))
    theirs = open_with(needs(name), path, read_card(path))
    for image in colours.pictures():
        assert np.abs(theirs.run(image)[0] - ours.run(image)[0]).max() <= 1.01 / 256


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A net with three outputs that cannot be taken for each other."""
    folder = tmp_path_factory.mktemp("several")
    image = keras.Input((16, 24, 3), name="image")
    x = layers.GlobalAveragePooling2D(name="mean")(image)
    outputs = [
        layers.Dense(size, kernel_initializer="ones", name=name)(x)
        for name, size in (("zulu", 2), ("alpha", 5), ("mike", 3))
    ]
    model = keras.Model(image, outputs, name="several")
    update = {"outputs": ("zulu", "alpha", "mike"), "labels": ("body",)}
    card = colours.CARD.model_copy(update=update)
    values = real_values(colours.SPEC, colours.pictures())
    made = {
        ".keras": colours.save_keras(model, card, folder / "several.keras"),
        ".tflite": folder / "several.tflite",
        ".onnx": folder / "several.onnx",
    }
    made[".tflite"].write_bytes(pack(convert(model, "float32", values, colours.SPEC), card))
    made[".onnx"].write_bytes(pack_onnx(convert_onnx(model, "float32", values), card))
    return made


@pytest.mark.parametrize(
    ("name", "suffix"),
    [(e.name, suffix) for e in ENGINES.values() for suffix in e.formats if e.name != "mediapipe"],
)
def test_outputs_come_in_the_order_of_the_card(
    name: str, suffix: str, several: dict[str, Path]
) -> None:
    path = several[suffix]
    model = open_with(needs(name), path, read_card(path))
    image = colours.pictures(1)[0]
    total = real_values(colours.SPEC, image).mean(axis=(0, 1)).sum()
    found = model.run(image)
    assert [values.shape for values in found] == [(1, 2), (1, 5), (1, 3)]
    for values in found:
        np.testing.assert_allclose(values, total, atol=1e-4)


def test_a_series_goes_in_as_it_is(tmp_path: Path) -> None:
    series = keras.Input((6, 2), name="series")
    x = layers.GlobalAveragePooling1D()(series)
    model = keras.Model(series, layers.Dense(3, kernel_initializer="ones")(x), name="series")
    spec = SequenceSpec(steps=6, features=("x", "y"), rate_hz=10)
    card = colours.CARD.model_copy(update={"input": spec})
    samples = np.random.default_rng(0).normal(size=(8, 6, 2)).astype(np.float32)
    onnx_file = tmp_path / "series.onnx"
    onnx_file.write_bytes(pack_onnx(convert_onnx(model, "float32", samples), card))
    tflite_file = tmp_path / "series.tflite"
    tflite_file.write_bytes(pack(convert(model, "float32", samples, spec), card))
    for path, name in ((onnx_file, "onnxruntime"), (tflite_file, "litert")):
        (scores,) = open_with(engine_of(name), path, card).run(samples[0])
        np.testing.assert_allclose(scores[0], samples[0].mean(axis=0).sum(), atol=1e-5)


def bytes_in(source: Path, target: Path) -> Path:
    """The same net, but the graph normalises: its input is the picture's bytes."""
    proto = onnx.load(source)
    (value,) = proto.graph.input
    real = value.name
    for node in proto.graph.node:
        node.input[:] = ["real" if name == real else name for name in node.input]
    value.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    make = onnx.helper.make_node
    for name, number in (("mean", 127.5), ("std", 127.5)):
        array = np.array(number, np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    steps = [
        make("Cast", [real], ["float"], to=onnx.TensorProto.FLOAT),
        make("Sub", ["float", "mean"], ["centred"]),
        make("Div", ["centred", "std"], ["real"]),
    ]
    rest = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(steps + rest)
    onnx.save(proto, target)
    return target


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_an_onnx_file_may_take_bytes(
    name: str, colour_files: dict[str, Path], tmp_path: Path
) -> None:
    path = bytes_in(colour_files["onnx"], tmp_path / "bytes.onnx")
    model = open_with(needs(name), path, read_card(path))
    reference = open_with(needs(name), colour_files["onnx"], read_card(colour_files["onnx"]))
    for image in colours.pictures(6):
        np.testing.assert_allclose(model.run(image)[0], reference.run(image)[0], atol=1e-5)


@pytest.mark.parametrize("suffix", [".onnx", ".keras"])
def test_a_file_of_another_model_is_refused(
    suffix: str, colour_files: dict[str, Path], tmp_path: Path
) -> None:
    path = colour_files[suffix[1:]]
    spec = colours.SPEC.model_copy(update={"width": 32})
    card = colours.CARD.model_copy(update={"input": spec})
    with pytest.raises(ModelFileError, match=r"\(1, 16, 32, 3\)|\(16, 32, 3\)"):
        open_with(engines_for(path)[0], path, card)


def test_an_onnx_file_with_other_types_is_refused(
    colour_files: dict[str, Path], tmp_path: Path
) -> None:
    proto = onnx.load(colour_files["onnx"])
    proto.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    last = proto.graph.node[-1]
    name = last.output[0]
    last.output[0] = "single"
    cast = onnx.helper.make_node("Cast", ["single"], [name], to=onnx.TensorProto.DOUBLE)
    proto.graph.node.append(cast)
    path = tmp_path / "double.onnx"
    onnx.save(proto, path)
    with pytest.raises(ModelFileError, match="float64"):
        open_with(engine_of("onnxruntime"), path, colours.CARD)


def test_an_engine_that_is_not_here_says_how_to_get_it(colour_files: dict[str, Path]) -> None:
    absent = Engine("absent", "absent", "no_such_package", "pip install absent", (".tflite",))
    assert not absent.installed
    with pytest.raises(EngineError, match="not installed; pip install absent"):
        open_with(absent, colour_files["int8"], colours.CARD)


def test_a_folder_of_the_package_s_name_is_not_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no_such_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not Engine("a", "a", "no_such_package", "", (".tflite",)).installed


def test_engines_are_chosen_by_name_and_ending(colour_files: dict[str, Path]) -> None:
    assert engines_for(Path("a.tflite"))[0].name == "litert"
    assert engines_for(Path("a.onnx"))[0].name == "onnxruntime"
    with pytest.raises(EngineError, match="litert, .*tensorrt"):
        engine_of("tensorrt")
    with pytest.raises(ModelFileError, match=r"a\.pt"):
        engines_for(Path("a.pt"))
    with pytest.raises(EngineError, match="choose the engine litert"):
        open_with(engine_of("keras"), colour_files["int8"], colours.CARD)


def test_an_engine_s_own_complaint_becomes_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x07broken")
    with pytest.raises(EngineError, match="that onnxruntime accepts; found"):
        open_with(engine_of("onnxruntime"), path, colours.CARD)
