"""Run a model file on the device: bytes of a picture (or a series) in, real values out.

Copies of pixels: one, into the interpreter's input tensor. Copies of results: the one
that turns codes into real values, or that of float results out of the interpreter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from reflexarc.perception.backends.choice import Choice, choose
from reflexarc.perception.backends.litert import open_interpreter, output_details
from reflexarc.perception.card import Card, InputSpec, SequenceSpec, input_shape
from reflexarc.perception.modelfile import ModelFileError, read_card
from reflexarc.perception.opened import note_opened

__all__ = ["Model", "input_shape", "load_model", "open_interpreter"]

Scores = npt.NDArray[np.float32]
Read = TypeVar("Read")


class Output:
    """An output of a model: ``output[where]`` gives the real values there, float32, a copy.

    Attributes:
        shape: with the leading batch dimension of 1.
    """

    def __init__(self, codes: npt.NDArray[Any], table: Scores | None) -> None:
        """Of raw values, and the table from their bytes to real ones; None: they are real."""
        self._codes, self._table = codes, table
        self.shape: tuple[int, ...] = codes.shape

    def __getitem__(self, where: Any) -> Scores:
        """As an array's, for any index."""
        codes = self._codes[where]
        if self._table is None:
            return np.array(codes, np.float32)
        real: Scores = self._table.take(codes.view(np.uint8))
        return real


class Model:
    """A loaded model file. Safe to share between threads (calls take turns).

    Attributes:
        path, card: of the file.
        choice: which backend runs it, and why; None where the caller made the
            interpreter.
        dtype: of samples: uint8 for pictures, float32 for series.

    Quantisation is folded into tables of 256 entries: one from a picture's byte
    to the input tensor (the identity for our own INT8 files, and then skipped),
    one for each output from its byte to its real value.
    """

    def __init__(
        self, path: Path, card: Card, interpreter: Any, choice: Choice | None = None
    ) -> None:
        """Use `load_model`."""
        self.path = path
        self.card = card
        self.choice = choice
        self._interpreter = interpreter
        self._lock = threading.Lock()
        self._has_views = hasattr(interpreter, "tensor")
        self._executor: ThreadPoolExecutor | None = None
        (inputs,) = interpreter.get_input_details()
        outputs = output_details(interpreter, len(card.outputs))
        self._input: int = inputs["index"]
        self._shape: tuple[int, ...] = tuple(int(n) for n in inputs["shape"])
        self.dtype = np.dtype(np.uint8 if isinstance(card.input, InputSpec) else np.float32)
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
        return self.read(sample, lambda outputs: tuple(output[...] for output in outputs))

    def read(self, sample: npt.NDArray[Any], reader: Callable[[tuple[Output, ...]], Read]) -> Read:
        """Score one sample and take from the outputs what is wanted, and no more.

        Args:
            sample: as for `run`.
            reader: is given the outputs, in the order of ``card.outputs``, and gives the
                result. It may not keep them: they are the interpreter's own memory.

        Raises:
            ValueError: another shape or type.
        """
        if sample.dtype != self.dtype or sample.size != np.prod(self._shape):
            raise ValueError(
                f"expected {self.dtype} of shape {self._shape[1:]}; "
                f"found {sample.dtype} {sample.shape}; bring it to the form the card states"
            )
        tensor = self._to_input(sample.reshape(self._shape))
        with self._lock:
            self._interpreter.set_tensor(self._input, tensor)
            self._interpreter.invoke()
            return reader(tuple(self._output(index, table) for index, table in self._outputs))

    def submit(self, sample: npt.NDArray[Any]) -> Future[tuple[Scores, ...]]:
        """`run` in a thread of the model's own; results come in the order of the calls."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="model")
        return self._executor.submit(self.run, sample)

    def run_batch(self, samples: Iterable[npt.NDArray[Any]]) -> list[tuple[Scores, ...]]:
        """`run` for each sample. Nets here take one picture at a time, as the Edge TPU does."""
        return [self.run(sample) for sample in samples]

    def _output(self, index: int, table: Scores | None) -> Output:
        # Where it lets us see its own memory, what is read is the only copy.
        if self._has_views:
            return Output(self._interpreter.tensor(index)(), table)
        return Output(self._interpreter.get_tensor(index), table)


def load_model(path: str | Path, device: str = "auto", threads: int | None = 1) -> Model:
    """Load a model file, ready to run; nothing else is needed.

    Args:
        path: a file with its card (see `reflexarc.perception.modelfile`).
        device: "cpu" (whatever the default backend for such files is), "edgetpu",
            the name of a backend, or "auto": the fastest of those that work here. What
            was chosen, and why, is in `Model.choice`.
        threads: CPU threads of the backend; None: as many as a short measurement finds
            worth while.

    Raises:
        ModelFileError: the file, its card or its tensors are not usable.
        BackendError: the device is not there, or does not take the file.
    """
    path = Path(path)
    card = read_card(path)
    choice = choose(path, card, device, threads)
    model = Model(path, card, choice.open(path, card), choice)
    note_opened(path, choice.backend)
    # The first call sets up memory and takes several times as long.
    model.run(np.zeros(input_shape(card.input), model.dtype))
    return model


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
