"""Other libraries behind the five calls of TFLite's Interpreter.

`reflexarc.perception.Model` makes those calls and does all the rest: the table
from a picture's byte to the input tensor, dequantised outputs, the check of
tensors against the card. So whatever looks like an Interpreter sees the same
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Slot:
    """An input or output tensor: its shape, type, and real = (code - zero_point) * scale."""

    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    scale: float = 0.0
    zero_point: float = 0

    def details(self, index: int) -> dict[str, Any]:
        """As the Interpreter tells it."""
        return {
            "index": index,
            "shape": np.array(self.shape),
            "dtype": np.dtype(self.dtype).type,
            "quantization": (self.scale, self.zero_point),
        }


class LikeInterpreter:
    """One function from an input tensor to output tensors, in the Interpreter's clothes."""

    def __init__(
        self,
        inputs: Slot,
        outputs: Sequence[Slot],
        call: Callable[[Array], Sequence[Array]],
    ) -> None:
        self._inputs = inputs.details(-1)
        self._outputs = [slot.details(index) for index, slot in enumerate(outputs)]
        self._call = call
        self._tensor: Array = np.empty(0)
        self._results: Sequence[Array] = ()

    def get_input_details(self) -> list[dict[str, Any]]:
        """The one input."""
        return [self._inputs]

    def get_output_details(self) -> list[dict[str, Any]]:
        """The outputs in the order of the card."""
        return self._outputs

    def get_signature_runner(self) -> _Signature:
        """What names several outputs by their position."""
        return _Signature(self._outputs)

    def set_tensor(self, index: int, tensor: Array) -> None:
        """Keep the input."""
        self._tensor = tensor

    def invoke(self) -> None:
        """Compute."""
        self._results = self._call(self._tensor)

    def get_tensor(self, index: int) -> Array:
        """One of the results."""
        return self._results[index]


class _Signature:
    def __init__(self, outputs: list[dict[str, Any]]) -> None:
        self._outputs = outputs

    def get_output_details(self) -> dict[str, dict[str, Any]]:
        return {f"output_{i}": details for i, details in enumerate(self._outputs)}
