"""onnxruntime on the CPU, for ``.onnx`` files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.backends.interpreter import LikeInterpreter, Slot
from reflexarc.perception.backends.onnx_tensors import input_slot, output_slot
from reflexarc.perception.card import Card

FORMATS = (".onnx",)


def why_not(path: Path) -> str:
    """See `Backend`."""
    return "" if importlib.util.find_spec("onnxruntime") else "onnxruntime is not installed"


def open_network(path: Path, card: Card | None, threads: int) -> LikeInterpreter:
    """See `Backend`."""
    try:
        import onnxruntime
    except ImportError:
        raise BackendError(
            expected="onnxruntime, which runs .onnx files",
            found="none installed",
            remedy="pip install onnxruntime",
        ) from None
    assert card is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = [_slot(value) for value in session.get_inputs()]
    outputs = [_slot(value) for value in session.get_outputs()]
    name = session.get_inputs()[0].name
    return LikeInterpreter(
        input_slot(path, card, inputs),
        [output_slot(path, slot) for slot in outputs],
        lambda tensor: session.run(None, {name: tensor}),
    )


def _slot(value: Any) -> Slot:
    # A batch that is left open has a name, or nothing, for a number.
    shape = tuple(size if isinstance(size, int) else 1 for size in value.shape)
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    return Slot(shape, {"float": "float32", "double": "float64"}.get(kind, kind))
