"""What a model file says about itself, with or without a card."""

from __future__ import annotations

from pathlib import Path

import colours
import numpy as np
import onnx
import pytest

from reflexarc.export.contents import read_contents
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.tasks import default_model_path


def test_the_packaged_digits_model() -> None:
    contents = read_contents(default_model_path("digits"))
    assert contents.kind == "tflite"
    assert contents.card and contents.card.name == "mnist-cnn"
    (image,), (score,) = contents.inputs, contents.outputs
    assert (image.shape, image.dtype, image.zero_point) == ((1, 28, 28, 1), "uint8", 0)
    assert image.scale == pytest.approx(1 / 255)
    assert (score.shape, score.dtype, score.scale) == ((1, 10), "uint8", 1 / 256)
    assert contents.ops["CONV_2D"] == 2 and contents.ops["SOFTMAX"] == 1
    # 3*3*32 + 32, 3*3*32*64 + 64, 1600*128 + 128, 128*10 + 10, and the two sizes of a reshape.
    assert contents.parameters == 320 + 18_496 + 204_928 + 1_290 + 2
    assert contents.size_bytes == default_model_path("digits").stat().st_size


@pytest.mark.parametrize("kind", ["keras", "float32", "int8", "onnx"])
def test_all_three_kinds_tell_the_same(kind: str, colour_files: dict[str, Path]) -> None:
    contents = read_contents(colour_files[kind])
    assert contents.card and contents.card.labels == colours.LABELS
    (image,) = contents.inputs
    assert image.shape[1:] == (16, 24, 3)
    assert image.dtype == ("uint8" if kind == "int8" else "float32")
    if kind != "keras":
        assert [tensor.shape for tensor in contents.outputs] == [(1, 3)]
    convolution = {"keras": "Conv2D", "onnx": "Conv"}.get(kind, "CONV_2D")
    assert contents.ops[convolution] == 1
    assert 9 <= contents.parameters < 30  # the 1x1 kernel, and what converters add


def test_a_stranger_s_file_is_read_and_said_to_have_no_card(shared_data: Path) -> None:
    contents = read_contents(shared_data / "coral" / "mobilenet_v2_1.0_224_quant.tflite")
    assert contents.card is None
    assert "reflexarc export" in contents.no_card
    assert contents.inputs[0].shape == (1, 224, 224, 3)
    assert (contents.inputs[0].scale, contents.inputs[0].zero_point) == (1 / 128, 128)
    assert contents.ops["DEPTHWISE_CONV_2D"] == 17
    compiled = read_contents(shared_data / "coral" / "keras_lstm_mnist_ptq_edgetpu.tflite")
    assert compiled.ops["edgetpu-custom-op"] == 1


def test_an_onnx_file_without_a_card_is_read_too(
    colour_files: dict[str, Path], tmp_path: Path
) -> None:
    proto = onnx.load(colour_files["onnx"])
    del proto.metadata_props[:]
    onnx.save(proto, tmp_path / "bare.onnx")
    contents = read_contents(tmp_path / "bare.onnx")
    assert contents.card is None and "--to onnx" in contents.no_card
    assert contents.ops["Conv"] == 1


def broken(kind: str, source: Path, target: Path) -> Path:
    whole = bytearray(source.read_bytes())
    if kind == "keras":
        whole = whole[: len(whole) // 2]
    else:
        noise = np.random.default_rng(0).integers(0, 256, 300, np.uint8)
        whole[8:308] = noise.tobytes()
    target.write_bytes(whole)
    return target


@pytest.mark.parametrize("kind", ["keras", "int8", "onnx"])
def test_a_damaged_file_is_explained(
    kind: str, colour_files: dict[str, Path], tmp_path: Path
) -> None:
    source = colour_files[kind]
    path = broken(kind, source, tmp_path / f"broken{source.suffix}")
    with pytest.raises(ModelFileError, match="a whole .* file; found .*copy the file again"):
        read_contents(path)


def test_what_is_no_model_file_is_explained(tmp_path: Path) -> None:
    other = tmp_path / "a.bin"
    other.write_bytes(b"GIF89a....")
    with pytest.raises(ModelFileError, match="starts with b'GIF89a"):
        read_contents(other)
    with pytest.raises(ModelFileError, match="No such file"):
        read_contents(tmp_path / "none.tflite")
    with pytest.raises(ModelFileError, match="Is a directory"):
        read_contents(tmp_path)
