"""OpenVINO on the CPU: reads ``.onnx`` and ``.tflite`` files as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from reflexarc.perception.backends import litert
from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.backends.interpreter import Array, LikeInterpreter, Slot
from reflexarc.perception.backends.onnx_tensors import input_slot, output_slot
from reflexarc.perception.card import Card

FORMATS = (".onnx", ".tflite")

# Left alone, it computes a float32 file in bfloat16 where the CPU can: another model's answers.
_SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def why_not(path: Path) -> str:
    """See `Backend`."""
    if path.suffix == ".tflite" and litert.is_compiled(path):
        return "the file is compiled for the Edge TPU"
    return "" if importlib.util.find_spec("openvino") else "openvino is not installed"


def open_network(path: Path, card: Card | None, threads: int) -> LikeInterpreter:
    """See `Backend`."""
    try:
        import openvino
    except ImportError:
        raise BackendError(
            expected="openvino", found="none installed", remedy="pip install openvino"
        ) from None
    assert card is not None
    core = openvino.Core()
    network = core.read_model(str(path))
    for value in network.inputs:
        if value.partial_shape.is_dynamic:
            network.reshape([1, *list(value.partial_shape)[1:]])
    compiled = core.compile_model(network, "CPU", {**_SETTINGS, "INFERENCE_NUM_THREADS": threads})
    request = compiled.create_infer_request()
    found_in = [_slot(value) for value in compiled.inputs]
    found_out = [_slot(value) for value in compiled.outputs]
    if path.suffix == ".onnx":
        order = list(range(len(found_out)))
        slots = [output_slot(path, slot) for slot in found_out]
        slot_in = input_slot(path, card, found_in)
    else:
        # OpenVINO keeps the codes of quantised tensors, and tells no scale: the file does.
        told = litert.open_interpreter(path)
        outputs = litert.output_details(told, len(card.outputs))
        order = [_place(compiled.outputs, details["name"]) for details in outputs]
        slots = [
            _scaled(found_out[place], details)
            for place, details in zip(order, outputs, strict=True)
        ]
        slot_in = _scaled(found_in[0], told.get_input_details()[0])

    def call(tensor: Array) -> list[Array]:
        results = request.infer({0: tensor})
        # A copy: the next call writes into the same memory.
        return [results[place].copy() for place in order]

    return LikeInterpreter(slot_in, slots, call)


def _slot(value: Any) -> Slot:
    return Slot(tuple(value.shape), value.element_type.to_dtype())


def _scaled(slot: Slot, details: Any) -> Slot:
    scale, zero_point = details["quantization"]
    return Slot(slot.shape, slot.dtype, scale, zero_point)


def _place(outputs: list[Any], name: str) -> int:
    """Where OpenVINO has put an output of the file."""
    return next(i for i, value in enumerate(outputs) if name in value.names)
