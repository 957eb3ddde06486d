"""onnxruntime on the CPU, for ``.onnx`` files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from reflexarc.export.engines.interpreter import LikeInterpreter, Slot
from reflexarc.export.engines.onnx_tensors import input_slot, output_slot
from reflexarc.perception.card import Card
from reflexarc.perception.runtime import Model


def open_model(path: Path, card: Card, threads: int) -> Model:
    """Load an ``.onnx`` file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = [_slot(value) for value in session.get_inputs()]
    outputs = [_slot(value) for value in session.get_outputs()]
    name = session.get_inputs()[0].name
    like = LikeInterpreter(
        input_slot(path, card, inputs),
        [output_slot(path, slot) for slot in outputs],
        lambda tensor: session.run(None, {name: tensor}),
    )
    return Model(path, card, like)


def _slot(value: Any) -> Slot:
    # A batch that is left open has a name, or nothing, for a number.
    shape = tuple(size if isinstance(size, int) else 1 for size in value.shape)
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    return Slot(shape, {"float": "float32", "double": "float64"}.get(kind, kind))
