"""From a trained Keras file to model files: what a stranger's tools make of them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from reflexarc.export import package, parity
from reflexarc.export.convert import stratified
from reflexarc.export.metadata import pack
from reflexarc.models import training
from reflexarc.models.cards import card_of
from reflexarc.models.family import Dataset, Options, Split, Trained
from reflexarc.models.mnist import Mnist
from reflexarc.models.mnist_cnn import FAMILY, RECIPE, load
from reflexarc.perception import load_model
from reflexarc.perception.modelfile import ModelFileError, read_card
from reflexarc.perception.tasks import default_model_path


@pytest.fixture(scope="module")
def data(mnist: Mnist) -> Dataset:
    """Enough to train in seconds; the test set is the real one's first 2,000."""
    whole = load()
    return Dataset(
        Split(whole.train.inputs[:8000], whole.train.labels[:8000]),
        Split(whole.validation.inputs[:500], whole.validation.labels[:500]),
        Split(whole.test.inputs[:2000], whole.test.labels[:2000]),
        whole.labels,
        whole.source,
    )


@pytest.fixture(scope="module")
def exported(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> package.Exported:
    folder = tmp_path_factory.mktemp("export")
    trained = training.train(FAMILY, data, Options(epochs=1))
    source = training.save(trained, card_of(FAMILY, data), folder)
    return package.export(source, data, ("float32", "int8"), folder)


@pytest.fixture(scope="module")
def metadata_schema(mediapipe_site: Path) -> ModuleType:
    """MediaPipe's own reader of the metadata flatbuffer."""
    file = mediapipe_site / "mediapipe/tasks/metadata/metadata_schema_py_generated.py"
    spec = importlib.util.spec_from_file_location("mediapipe_metadata_schema", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def graph_of(path: Path) -> schema.ModelT:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))


def test_the_int8_file_is_full_integer_static_and_small(exported: package.Exported) -> None:
    path = exported.files["int8"]
    model = graph_of(path)
    (graph,) = model.subgraphs
    inputs, outputs = (graph.tensors[index[0]] for index in (graph.inputs, graph.outputs))
    assert (list(inputs.shape), inputs.type) == ([1, 28, 28, 1], schema.TensorType.UINT8)
    assert (list(outputs.shape), outputs.type) == ([1, 10], schema.TensorType.UINT8)
    # The camera byte is the tensor: real = byte / 255.
    assert inputs.quantization.scale[0] == pytest.approx(1 / 255)
    assert inputs.quantization.zeroPoint[0] == 0
    integer = {schema.TensorType.UINT8, schema.TensorType.INT8, schema.TensorType.INT32}
    assert {tensor.type for tensor in graph.tensors} <= integer
    names = {value: key for key, value in vars(schema.BuiltinOperator).items()}
    codes = {names[code.builtinCode] for code in model.operatorCodes}
    assert codes == {"QUANTIZE", "CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"}
    scales = {}
    for op in graph.operators:
        name = names[model.operatorCodes[op.opcodeIndex].builtinCode]
        if name in ("CONV_2D", "FULLY_CONNECTED"):
            weights = graph.tensors[op.inputs[1]]
            scales.setdefault(name, []).append(len(weights.quantization.scale))
    assert scales == {"CONV_2D": [32, 64], "FULLY_CONNECTED": [1, 1]}
    assert path.stat().st_size <= 300_000


def test_parity_is_measured_on_the_test_set(exported: package.Exported, data: Dataset) -> None:
    keras_row, float_row, int8_row = exported.table
    assert keras_row.accuracy > 0.9
    assert float_row.agreement >= 0.999
    assert int8_row.agreement >= 0.99
    assert exported.confusion.sum() == len(data.test)
    assert np.trace(exported.confusion) == round(int8_row.accuracy * len(data.test))
    card = read_card(exported.files["int8"])
    assert card.metrics["accuracy"] == int8_row.accuracy
    assert card.metrics["agreement"] == int8_row.agreement


@pytest.mark.parametrize("packaged", [True, False], ids=["packaged", "fresh"])
def test_tensorflows_own_interpreter_gives_bit_equal_answers(
    exported: package.Exported, mnist: Mnist, packaged: bool
) -> None:
    import tensorflow as tf

    path = default_model_path("digits") if packaged else exported.files["int8"]
    ours = load_model(path)
    with pytest.warns(UserWarning, match="deprecated"):
        theirs = tf.lite.Interpreter(model_path=str(path))
    theirs.allocate_tensors()
    (inputs,), (outputs,) = theirs.get_input_details(), theirs.get_output_details()
    scale, zero_point = outputs["quantization"]
    for image in mnist.test_images[:1000]:
        theirs.set_tensor(inputs["index"], image.reshape(inputs["shape"]))
        theirs.invoke()
        raw = theirs.get_tensor(outputs["index"])[0]
        assert np.array_equal((raw.astype(np.float32) - zero_point) * scale, ours.predict(image))


@pytest.mark.parametrize("packaged", [True, False], ids=["packaged", "fresh"])
def test_the_metadata_parses_with_mediapipes_schema(
    exported: package.Exported, metadata_schema: ModuleType, packaged: bool
) -> None:
    path = default_model_path("digits") if packaged else exported.files["int8"]
    model = graph_of(path)
    (entry,) = (e for e in model.metadata if e.name == b"TFLITE_METADATA")
    raw = bytes(model.buffers[entry.buffer].data)
    assert metadata_schema.ModelMetadata.ModelMetadataBufferHasIdentifier(raw, 0)
    meta = metadata_schema.ModelMetadataT.InitFromObj(
        metadata_schema.ModelMetadata.GetRootAs(raw, 0)
    )
    card = read_card(path)
    assert meta.name == card.name.encode()
    assert meta.license == card.licence.encode()
    (graph,) = meta.subgraphMetadata
    (image,), (score,) = graph.inputTensorMetadata, graph.outputTensorMetadata
    assert image.content.contentPropertiesType == metadata_schema.ContentProperties.ImageProperties
    properties = image.content.contentProperties
    assert properties.colorSpace == metadata_schema.ColorSpaceType.GRAYSCALE
    assert (properties.defaultSize.width, properties.defaultSize.height) == (28, 28)
    (unit,) = image.processUnits
    assert unit.optionsType == metadata_schema.ProcessUnitOptions.NormalizationOptions
    assert (list(unit.options.mean), list(unit.options.std)) == ([0.0], [255.0])
    (labels,) = score.associatedFiles
    assert labels.name == b"labels.txt"
    assert labels.type == metadata_schema.AssociatedFileType.TENSOR_AXIS_LABELS


def test_the_zip_behind_the_model_is_whole(exported: package.Exported) -> None:
    with zipfile.ZipFile(exported.files["int8"]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["labels.txt", "card.json"]


@pytest.mark.skipif(not shutil.which("unzip"), reason="no unzip here")
def test_unzip_prints_the_labels(exported: package.Exported) -> None:
    command = ["unzip", "-p", str(exported.files["int8"]), "labels.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == list("0123456789")


def test_packing_twice_gives_the_same_bytes(exported: package.Exported) -> None:
    path = exported.files["float32"]
    card = read_card(path)
    flatbuffer = path.read_bytes()
    assert pack(flatbuffer, card) == pack(flatbuffer, card)


def test_the_packaged_model_keeps_its_promise(mnist: Mnist) -> None:
    path = default_model_path("digits")
    model = load_model(path)
    test = Split(mnist.test_images[..., None], mnist.test_labels.astype(np.int64))
    accuracy = float((parity.answer(model, test).classes == test.labels).mean())
    assert accuracy == model.card.metrics["accuracy"]
    assert model.card.metrics["accuracy_keras"] >= 0.992
    assert accuracy >= model.card.metrics["accuracy_keras"] - 0.001
    assert path.stat().st_size <= 300_000


def test_calibration_pictures_are_stratified_and_span_the_input(data: Dataset) -> None:
    chosen = stratified(data.train.labels, 500)
    assert np.bincount(data.train.labels[chosen]).tolist() == [50] * 10
    values = training.real_values(FAMILY.input, data.train.inputs[chosen])
    assert (values.min(), values.max()) == (0.0, 1.0)


def test_what_is_not_a_trained_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(package.ExportError, match="nothing at .*reflexarc train"):
        package.load_keras(tmp_path / "none.keras")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK not a model")
    with pytest.raises(package.ExportError, match="whole .keras file"):
        package.load_keras(broken)
    stranger = tmp_path / "stranger.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="stranger").save(stranger)
    with pytest.raises(ModelFileError, match=r"card.json in the zip.*reflexarc train"):
        package.load_keras(stranger)


def test_an_export_that_is_interrupted_leaves_no_file(data: Dataset, tmp_path: Path) -> None:
    untrained = Trained(RECIPE.build(), {})
    source = training.save(untrained, card_of(FAMILY, data), tmp_path)

    def interrupt(step: str) -> None:
        if step == "int8 on the test set":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        package.export(source, data, ("int8",), tmp_path / "out", tell=interrupt)
    assert list((tmp_path / "out").iterdir()) == []
