"""Coral's own compiled models: the prediction is theirs, op for op."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflexarc.export.edgetpu import EdgeTpuError, check
from reflexarc.export.edgetpu.compiled import mapped_ops

PAIRS = {
    "deeplab_mobilenet_edgetpu_slim_cityscapes_quant": (82, 84),
    "deeplabv3_mnv2_dm05_pascal_quant": (64, 72),
    "keras_lstm_mnist_ptq": (6, 6),
    "mobilenet_v1_0.25_128_quant": (31, 31),
    "mobilenet_v1_1.0_224_quant_embedding_extractor": (28, 28),
    "posenet_mobilenet_v1_075_353_481_16_quant_decoder": (37, 38),
}
# Length of the parameters in each compiled file's PARAMETER_CACHING executable.
ON_CHIP = {
    "deeplab_mobilenet_edgetpu_slim_cityscapes_quant": 2_654_784,
    "deeplabv3_mnv2_dm05_pascal_quant": 766_720,
    "mobilenet_v1_0.25_128_quant": 566_912,
    "mobilenet_v1_1.0_224_quant_embedding_extractor": 3_363_072,
    "posenet_mobilenet_v1_075_353_481_16_quant_decoder": 1_444_608,
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_prediction_equals_the_compiled_file(name: str, shared_data: Path) -> None:
    source = shared_data / "coral" / f"{name}.tflite"
    compiled = mapped_ops(source, source.with_name(f"{name}_edgetpu.tflite"))
    report = check(source)
    assert {op.index for op in report.ops if op.target == "edgetpu"} == compiled
    assert (report.mapped, len(report.ops)) == PAIRS[name]


@pytest.mark.parametrize("name", ON_CHIP)
def test_the_estimate_of_chip_memory_is_within_three_percent(name: str, shared_data: Path) -> None:
    memory = check(shared_data / "coral" / f"{name}.tflite").memory
    assert memory.chip_bytes == pytest.approx(ON_CHIP[name], rel=0.03)
    assert memory.fits_cache


def test_the_cut_of_deeplab_is_named_with_what_to_do(shared_data: Path) -> None:
    report = check(shared_data / "coral/deeplabv3_mnv2_dm05_pascal_quant.tflite")
    assert report.cut is not None
    assert (report.cut.index, report.cut.op) == (64, "RESIZE_BILINEAR")
    assert len(report.cut.tensors) == 2  # the chip hands two branches over
    advice = " ".join(report.advice)
    assert "TILE" in advice and "move RESIZE_BILINEAR" in advice and "ARG_MAX" in advice


def test_a_compiled_file_is_recognised(shared_data: Path) -> None:
    compiled = shared_data / "coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    with pytest.raises(EdgeTpuError, match="edgetpu-custom-op"):
        check(compiled)


def test_a_file_compiled_from_another_source_is_noticed(shared_data: Path) -> None:
    coral = shared_data / "coral"
    with pytest.raises(EdgeTpuError, match="compiled from this source"):
        mapped_ops(
            coral / "mobilenet_v1_0.25_128_quant.tflite",
            coral / "deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite",
        )
