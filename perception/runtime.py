"""Run a model file on the device: bytes of a picture (or a series) in, real values out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import Card, InputSpec, SequenceSpec
from reflexarc.perception.modelfile import ModelFileError, read_card

Device = Literal["auto", "cpu"]
Scores = npt.NDArray[np.float32]


class Model:
    """A loaded model file. Safe to share between threads (calls take turns).

    Quantisation is folded into tables of 256 entries: one from a picture's byte
    to the input tensor (the identity for our own INT8 files, and then skipped),
    one for each output from its byte to its real value.
    """

    def __init__(self, path: Path, card: Card, interpreter: Any) -> None:
        """Use `load_model`."""
        self.path = path
        self.card = card
        self._interpreter = interpreter
        self._lock = threading.Lock()
        (inputs,) = interpreter.get_input_details()
        outputs = _outputs(interpreter, len(card.outputs))
        self._input: int = inputs["index"]
        self._shape: tuple[int, ...] = tuple(int(n) for n in inputs["shape"])
        self._dtype = np.dtype(np.uint8 if isinstance(card.input, InputSpec) else np.float32)
        stated = (1, *input_shape(card.input))
        found = [tuple(int(n) for n in details["shape"]) for details in outputs]
        matching = len(outputs) == len(card.outputs) and (
            len(outputs) > 1 or found[0][-1] == len(card.labels)
        )
        if self._shape != stated or not matching:
            raise ModelFileError(
                expected=f"tensors as the card says: {stated} in, "
                f"{len(card.outputs)} out ({', '.join(card.outputs)}), {len(card.labels)} labels",
                found=f"{self._shape} in, {found} out in {path}",
                remedy="export the model again; card and model do not belong together",
            )
        self._to_input = _input_codec(card, inputs)
        self._outputs = [(details["index"], _output_table(details)) for details in outputs]

    def predict(self, sample: npt.NDArray[Any]) -> Scores:
        """Score one sample with a model of one output.

        Args:
            sample: as for `run`.

        Returns:
            float32, shape (labels,), in the order of ``card.labels``.

        Raises:
            ValueError: another shape or type.
        """
        (scores,) = self.run(sample)[0]
        row: Scores = scores
        return row

    def run(self, sample: npt.NDArray[Any]) -> tuple[Scores, ...]:
        """All outputs for one sample.

        Args:
            sample: a picture, uint8, the card's height x width, RGB (h, w, 3) or
                gray (h, w) or (h, w, 1), raw bytes; or a series, float32 (steps, features).

        Returns:
            float32 arrays of real values in the order of ``card.outputs``, each with
            the leading batch dimension of 1.

        Raises:
            ValueError: another shape or type.
        """
        if sample.dtype != self._dtype or sample.size != np.prod(self._shape):
            raise ValueError(
                f"expected {self._dtype} of shape {self._shape[1:]}; "
                f"found {sample.dtype} {sample.shape}; bring it to the form the card states"
            )
        tensor = self._to_input(sample.reshape(self._shape))
        with self._lock:
            self._interpreter.set_tensor(self._input, tensor)
            self._interpreter.invoke()
            raw = [self._interpreter.get_tensor(index) for index, _ in self._outputs]
        return tuple(
            codes if table is None else table[codes.view(np.uint8)]
            for codes, (_, table) in zip(raw, self._outputs, strict=True)
        )


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
    return Model(path, card, open_interpreter(path, threads))


def open_interpreter(path: Path, threads: int = 1) -> Any:
    """A TFLite interpreter with its tensors allocated, for files without a card too.

    Raises:
        ModelFileError: no TFLite runtime here, or it does not accept the file.
    """
    try:
        interpreter = _interpreter_class()(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            expected="a TFLite model that the interpreter accepts",
            found=f"{path}: {str(error).splitlines()[0]}",
            remedy="copy the file again, or export it again",
        ) from error
    return interpreter


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


def input_shape(spec: InputSpec | SequenceSpec) -> tuple[int, ...]:
    """The shape of one sample: (height, width, channels) or (steps, features)."""
    if isinstance(spec, InputSpec):
        return spec.height, spec.width, {"gray": 1, "rgb": 3}[spec.color]
    return spec.steps, len(spec.features)


def _outputs(interpreter: Any, count: int) -> list[Any]:
    """Output details in the order of the card.

    The converter shuffles several outputs; the file's signature keeps their
    positions as output_0, output_1, ...
    """
    details = list(interpreter.get_output_details())
    if count == 1 or len(details) != count:
        return details
    named = interpreter.get_signature_runner().get_output_details()
    return [named[f"output_{i}"] for i in range(count)]


def _input_codec(card: Card, details: Any) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Sample -> input tensor: q = real / scale + zero_point."""
    dtype = np.dtype(details["dtype"])
    if isinstance(card.input, SequenceSpec):
        if dtype == np.float32:
            return lambda series: series
        return lambda series: _quantize(series, details)
    real = (np.arange(256, dtype=np.float64) - card.input.mean) / card.input.std
    if dtype == np.float32:
        floats = real.astype(np.float32)
        return lambda picture: floats[picture]
    scale, zero_point = details["quantization"]
    # (byte - 127.5) / 127.5 has its zero half-way between two codes, and rounding half
    # to even would merge neighbours (0 and 1, 2 and 3). The bytes are the tensor; so
    # does MediaPipe see it, which feeds them as they are.
    if dtype == np.uint8 and np.abs(real / scale + zero_point - np.arange(256)).max() < 0.51:
        return lambda picture: picture
    table = _quantize(real, details)
    return lambda picture: table[picture]


def _quantize(real: npt.NDArray[Any], details: Any) -> npt.NDArray[Any]:
    dtype = np.dtype(details["dtype"])
    scale, zero_point = details["quantization"]
    limits = np.iinfo(dtype)
    codes: npt.NDArray[Any] = np.clip(np.rint(real / scale + zero_point), limits.min, limits.max)
    return codes.astype(dtype)


def _output_table(details: Any) -> Scores | None:
    """Output byte (uint8, or int8 seen as uint8) -> real score."""
    dtype = np.dtype(details["dtype"])
    if dtype == np.float32:
        return None
    scale, zero_point = details["quantization"]
    codes = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)
    table: Scores = ((codes - zero_point) * scale).astype(np.float32)
    return table
