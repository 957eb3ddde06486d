"""What the tensors of an ONNX file mean: ONNX has no field for a tensor's scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from reflexarc.perception.backends.interpreter import Slot
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.modelfile import ModelFileError

_REMEDY = "export the model again with `reflexarc export --to onnx`"


def input_slot(path: Path, card: Card, inputs: Sequence[Slot]) -> Slot:
    """The input: float32 takes real values, uint8 takes the picture's bytes.

    Raises:
        ModelFileError: several inputs, or of another type.
    """
    picture = isinstance(card.input, InputSpec)
    wanted = ("float32", "uint8") if picture else ("float32",)
    if len(inputs) != 1 or np.dtype(inputs[0].dtype).name not in wanted:
        raise ModelFileError(
            expected=f"one input of type {' or '.join(wanted)}",
            found=f"{[np.dtype(slot.dtype).name for slot in inputs]} in {path}",
            remedy=_REMEDY,
        )
    (slot,) = inputs
    if isinstance(card.input, InputSpec) and np.dtype(slot.dtype) == np.uint8:
        # Code = byte, so real = (code - mean) / std; Model finds that its table is the identity.
        return replace(slot, scale=1 / card.input.std, zero_point=card.input.mean)
    return slot


def output_slot(path: Path, slot: Slot) -> Slot:
    """An output: it has to be real values.

    Raises:
        ModelFileError: it is not.
    """
    if np.dtype(slot.dtype) != np.float32:
        raise ModelFileError(
            expected="outputs of type float32",
            found=f"{np.dtype(slot.dtype).name} in {path}",
            remedy=_REMEDY,
        )
    return slot
