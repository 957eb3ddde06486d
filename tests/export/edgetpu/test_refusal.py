"""Models of which the compiler compiles nothing, and files that are no models."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from tflite_graph import TfliteGraph

from reflexarc.core import quiet
from reflexarc.export.convert import convert
from reflexarc.export.edgetpu import EdgeTpuError, check, words

SHAPE = (1, 8, 8, 4)


def one_op(kind: str, version: int, **more: object) -> bytes:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.conv(x, SHAPE, 4)
    return g.pack([x], [g.then(kind, y, to=SHAPE, version=version, **more)])


@pytest.mark.parametrize(
    ("kind", "version"),
    [("CONV_2D", 6), ("QUANTIZE", 3), ("TRANSPOSE_CONV", 4), ("EXP", 2), ("GELU", 1)],
)
def test_one_newer_operation_refuses_the_whole_model(kind: str, version: int) -> None:
    report = check(one_op(kind, version))
    assert report.refused == words.NO_OP.format(op=kind, version=version)
    assert [op.target for op in report.ops] == ["cpu", "cpu"]
    assert [op.reason for op in report.ops] == [words.NOT_PARSED, words.VERSION]
    assert f"{kind} {version}" in report.advice[0]


@pytest.mark.parametrize(("kind", "version"), [("EXP", 1), ("RESIZE_BILINEAR", 3)])
def test_a_version_of_its_time_is_read(kind: str, version: int) -> None:
    sizes = {"RESIZE_BILINEAR": (8, 8)}.get(kind)
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    extra = [g.ints(*sizes)] if sizes else []
    report = check(g.pack([x], [g.then(kind, x, *extra, to=SHAPE, version=version)]))
    assert report.refused is None


def test_a_float_model_is_not_quantized() -> None:
    g = TfliteGraph()
    x, y = (g.tensor(*SHAPE, dtype="FLOAT32") for _ in range(2))
    g.op("RELU", [x], [y])
    report = check(g.pack([x], [y]))
    assert report.refused == words.NOT_QUANTIZED
    assert report.ops[0].reason == words.DATA_TYPE
    assert "INT8" in report.advice[0] and len(report.advice) == 1


def test_weights_alone_in_int8_map_nothing() -> None:
    g = TfliteGraph()
    x, y = (g.tensor(*SHAPE, dtype="FLOAT32") for _ in range(2))
    g.op("CONV_2D", [x, g.weights(4, 1, 1, 4)], [y])
    report = check(g.pack([x], [y]))
    assert (report.refused, report.mapped) == (None, 0)
    assert report.ops[0].reason == words.DATA_TYPE


@pytest.mark.parametrize(
    ("custom", "message"), [("Atan", "unresolved custom op: Atan"), ("FlexErf", "TensorFlow ops")]
)
def test_an_unknown_custom_operation_fails_the_compilation(custom: str, message: str) -> None:
    report = check(one_op("CUSTOM", 1, custom=custom))
    assert report.refused is not None and message in report.refused
    assert report.mapped == 0


def test_the_detection_post_process_stays_behind() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y, boxes = g.conv(x, SHAPE, 4), g.tensor(1, 10, 4, dtype="FLOAT32")
    g.op("CUSTOM", [y], [boxes], custom="TFLite_Detection_PostProcess")
    report = check(g.pack([x], [boxes]))
    assert (report.mapped, report.ops[1].reason) == (1, words.DATA_TYPE)


def test_a_dense_layer_with_a_scale_for_each_channel_is_warned_of() -> None:
    advice = {}
    for scales in (1, 10):
        g = TfliteGraph()
        x = g.tensor(1, 4)
        weights = g.tensor(10, 4, data=1, scales=scales)
        report = check(g.pack([x], [g.then("FULLY_CONNECTED", x, weights, to=(1, 10), version=4)]))
        assert report.mapped == 1
        advice[scales] = " ".join(report.advice)
    assert advice[1] == "" and "for each channel" in advice[10]


def small(batch: int | None) -> keras.Model:
    inputs = keras.Input(batch_shape=(batch, 8, 8, 3))
    outputs = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(outputs)))


def test_our_own_export_maps_whole() -> None:
    pictures = np.random.default_rng(0).random((8, 8, 8, 3), np.float32)
    report = check(convert(small(None), "int8", pictures))
    assert (report.mapped, report.cpu) == (len(report.ops), 0)
    assert report.ops[0].op == report.ops[-1].op == "QUANTIZE"
    assert all("scale for each channel" in text for text in report.advice)


def test_a_dynamic_batch_is_refused_with_the_remedy() -> None:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(small(None))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter([[np.zeros((1, 8, 8, 3), np.float32)]])
    with quiet(), pytest.warns():
        report = check(converter.convert())
    assert {"SHAPE", "PACK"} <= {op.op for op in report.ops}
    assert report.refused == words.DYNAMIC
    assert "static batch" in report.advice[0]


def test_an_unknown_batch_alone_is_only_advised_against() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE, signature=(-1, 8, 8, 4))
    report = check(g.pack([x], [g.conv(x, SHAPE, 4)]))
    assert report.mapped == 1
    assert "static batch" in report.advice[0]


@pytest.fixture(scope="module")
def whole() -> bytes:
    return one_op("RELU", 1)


def test_a_file_cut_anywhere_is_an_error_and_no_traceback(whole: bytes) -> None:
    for length in range(len(whole)):
        try:
            check(whole[:length])
        except EdgeTpuError:
            continue
        # Only the bytes of the padding at the end may be missed.
        assert len(whole) - length < 8


def test_flipped_bytes_give_a_verdict_or_an_error(whole: bytes) -> None:
    for position in range(8, len(whole)):
        for value in (0x00, 0x7F, 0xFF):
            broken = whole[:position] + bytes([value]) + whole[position + 1 :]
            try:
                check(broken)
            except EdgeTpuError as error:
                assert error.remedy


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1c\0\0\0TFL3", b"TFL3" * 9])
def test_other_files_are_errors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(EdgeTpuError, match="TFLite file"):
        check(path)


def test_no_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tflite", tmp_path):
        with pytest.raises(EdgeTpuError, match="check the path"):
            check(path)


def test_a_graph_without_operations_is_an_error() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    with pytest.raises(EdgeTpuError, match="with none"):
        check(g.pack([x], [x]))
