"""Run a model file on the device: bytes of a picture in, scores out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError, read_card

Device = Literal["auto", "cpu"]
Scores = npt.NDArray[np.float32]


class Model:
    """A loaded model file. Safe to share between threads (calls take turns).

    Quantisation is folded into two tables of 256 entries: one from a picture's
    byte to the input tensor (the identity for our own INT8 files, and then
    skipped), one from an output byte to its real score.
    """

    def __init__(self, path: Path, card: Card, interpreter: Any) -> None:
        """Use `load_model`."""
        self.path = path
        self.card = card
        self._interpreter = interpreter
        self._lock = threading.Lock()
        (inputs,) = interpreter.get_input_details()
        (outputs,) = interpreter.get_output_details()
        self._input: int = inputs["index"]
        self._output: int = outputs["index"]
        self._shape: tuple[int, ...] = tuple(int(n) for n in inputs["shape"])
        channels = {"gray": 1, "rgb": 3}[card.input.color]
        stated = (1, card.input.height, card.input.width, channels)
        if self._shape != stated or int(outputs["shape"][-1]) != len(card.labels):
            raise ModelFileError(
                expected=f"tensors as the card says: {stated} in, {len(card.labels)} scores out",
                found=f"{self._shape} in, {tuple(outputs['shape'])} out in {path}",
                remedy="export the model again; card and model do not belong together",
            )
        self._to_input = _input_table(card, inputs)
        self._to_score = _output_table(outputs)

    def predict(self, image: npt.NDArray[np.uint8]) -> Scores:
        """Score one picture.

        Args:
            image: uint8, the card's height x width, RGB (h, w, 3) or gray
                (h, w) or (h, w, 1), raw bytes.

        Returns:
            float32, shape (labels,), in the order of ``card.labels``.

        Raises:
            ValueError: another shape or type.
        """
        if image.dtype != np.uint8 or image.size != np.prod(self._shape):
            raise ValueError(
                f"expected a uint8 picture of shape {self._shape[1:]}; "
                f"found {image.dtype} {image.shape}; resize it as the card says"
            )
        tensor = image.reshape(self._shape)
        if self._to_input is not None:
            tensor = self._to_input[tensor]
        with self._lock:
            self._interpreter.set_tensor(self._input, tensor)
            self._interpreter.invoke()
            raw = self._interpreter.get_tensor(self._output)[0]
        scores: Scores = raw if self._to_score is None else self._to_score[raw.view(np.uint8)]
        return scores


def load_model(path: str | Path, device: Device = "auto", threads: int = 1) -> Model:
    """Load a model file; nothing else is needed.

    Args:
        path: a ``.tflite`` file with its card (see `reflexarc.perception.modelfile`).
        device: "auto" or "cpu", which today are the same.
        threads: CPU threads of the interpreter.

    Raises:
        ModelFileError: the file, its card or its tensors are not usable.
    """
    path = Path(path)
    card = read_card(path)
    if device not in ("auto", "cpu"):
        raise ModelFileError(
            expected='device "auto" or "cpu"', found=repr(device), remedy='use device="auto"'
        )
    try:
        interpreter = _interpreter_class()(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            expected="a TFLite model that the interpreter accepts",
            found=f"{path}: {str(error).splitlines()[0]}",
            remedy="copy the file again, or export it again",
        ) from error
    return Model(path, card, interpreter)


def _interpreter_class() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError:
            raise ModelFileError(
                expected="a TFLite runtime (ai-edge-litert or tflite-runtime)",
                found="neither",
                remedy="pip install ai-edge-litert",
            ) from None
    return Interpreter


def _input_table(card: Card, details: Any) -> npt.NDArray[Any] | None:
    """Byte -> input tensor: q = ((byte - mean) / std) / scale + zero_point."""
    real = (np.arange(256, dtype=np.float64) - card.input.mean) / card.input.std
    dtype = np.dtype(details["dtype"])
    if dtype == np.float32:
        return real.astype(np.float32)
    scale, zero_point = details["quantization"]
    limits = np.iinfo(dtype)
    table = np.clip(np.rint(real / scale + zero_point), limits.min, limits.max).astype(dtype)
    return None if np.array_equal(table, np.arange(256)) else table


def _output_table(details: Any) -> Scores | None:
    """Output byte (uint8, or int8 seen as uint8) -> real score."""
    dtype = np.dtype(details["dtype"])
    if dtype == np.float32:
        return None
    scale, zero_point = details["quantization"]
    codes = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)
    table: Scores = ((codes - zero_point) * scale).astype(np.float32)
    return table
