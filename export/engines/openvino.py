"""OpenVINO on the CPU: reads ``.onnx`` and ``.tflite`` files as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openvino

from reflexarc.export.contents import Tensor, read_tflite
from reflexarc.export.engines.interpreter import Array, LikeInterpreter, Slot
from reflexarc.export.engines.onnx_tensors import input_slot, output_slot
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model

# Left alone, it computes a float32 file in bfloat16 where the CPU can: another model's answers.
_SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load a ``.tflite`` or ``.onnx`` file."""
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
        graph = read_tflite(path)
        order = [_place(compiled.outputs, tensor) for tensor in graph.outputs]
        slots = [
            _scaled(found_out[place], tensor)
            for place, tensor in zip(order, graph.outputs, strict=True)
        ]
        slot_in = _scaled(found_in[0], graph.inputs[0])

    def call(tensor: Array) -> list[Array]:
        results = request.infer({0: tensor})
        # A copy: the next call writes into the same memory.
        return [results[place].copy() for place in order]

    return Model(path, card, LikeInterpreter(slot_in, slots, call))


def _slot(value: Any) -> Slot:
    return Slot(tuple(value.shape), value.element_type.to_dtype())


def _scaled(slot: Slot, tensor: Tensor) -> Slot:
    return Slot(slot.shape, slot.dtype, tensor.scale or 0.0, tensor.zero_point or 0)


def _place(outputs: list[Any], tensor: Tensor) -> int:
    """Where OpenVINO has put an output of the file."""
    return next(i for i, value in enumerate(outputs) if tensor.name in value.names)
