"""The Coral Edge TPU: LiteRT with the delegate of Google's libedgetpu.

Runs what the Edge TPU's compiler has made. The device may go away in mid-run (it is
on USB): then the file that was compiled, if it lies beside, goes on on the CPU, with a
warning.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
from pathlib import Path
from typing import Any

from reflexarc.perception.backends import litert
from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError

FORMATS = (".tflite",)
SUFFIX = "_edgetpu"
LIBRARY = "REFLEXARC_EDGETPU_LIBRARY"
"""Environment variable: another path of libedgetpu.so.1."""

_log = logging.getLogger(__name__)
_REMEDY = (
    "install libedgetpu1-std (coral.ai/software) and plug the device in; "
    'or use device="cpu" with the file that was not compiled'
)


def why_not(path: Path) -> str:
    """See `Backend`."""
    if not litert.is_compiled(path):
        return "the file is not compiled for the Edge TPU"
    name = os.environ.get(LIBRARY) or ctypes.util.find_library("edgetpu")
    return "" if name else "libedgetpu is not installed"


def open_network(path: Path, card: Card | None, threads: int) -> Any:
    """See `Backend`."""
    if not litert.is_compiled(path):
        raise BackendError(
            expected="a file compiled for the Edge TPU",
            found=f"{path}, which is not",
            remedy="compile it with edgetpu_compiler (`reflexarc edgetpu` checks it before)",
        )
    library = os.environ.get(LIBRARY, "libedgetpu.so.1")
    try:
        # load_delegate would find out too, and leave a half-made object that complains.
        ctypes.CDLL(library)
        delegate = litert.runtime().load_delegate(library)
    # ValueError where no device answers.
    except (OSError, ValueError) as error:
        raise BackendError(
            expected="an Edge TPU and its library",
            found=" ".join(f"{library}: {error}".split()) or "no device that answers",
            remedy=_REMEDY,
        ) from error
    return _WithWayOut(path, litert.open_interpreter(path, threads, (delegate,)), threads)


class _WithWayOut:
    """An interpreter that goes on on the CPU when its device is gone."""

    def __init__(self, path: Path, interpreter: Any, threads: int) -> None:
        self._path = path
        self._first = self._now = interpreter
        self._threads = threads
        self._input: Any = None
        # What the caller knows tensors by, and what they are called now.
        self._index: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)

    def set_tensor(self, index: int, tensor: Any) -> None:
        self._input = (index, tensor)
        self._now.set_tensor(self._index.get(index, index), tensor)

    def get_tensor(self, index: int) -> Any:
        return self._now.get_tensor(self._index.get(index, index))

    def tensor(self, index: int) -> Any:
        return self._now.tensor(self._index.get(index, index))

    def invoke(self) -> None:
        try:
            self._now.invoke()
        except RuntimeError as error:
            if self._index:
                raise
            self._go_on(error)

    def _go_on(self, error: RuntimeError) -> None:
        reason = str(error).strip().splitlines()[0]
        source = self._path.with_name(self._path.name.replace(SUFFIX, ""))
        if source == self._path or not source.is_file():
            raise BackendError(
                expected="the Edge TPU to answer",
                found=reason,
                remedy=f"plug it in and start again; with {source.name} of before compiling "
                f"(a name without {SUFFIX}) beside this file, the CPU would go on",
            ) from error
        on_cpu = litert.open_interpreter(source, self._threads)
        before, after = _slots(self._first), _slots(on_cpu)
        if [slot[1:] for slot in before] != [slot[1:] for slot in after]:
            raise ModelFileError(
                expected=f"{source} to be what {self._path.name} was compiled from",
                found="tensors of another shape or quantisation",
                remedy="put the right file there",
            ) from error
        _log.warning("the Edge TPU is gone (%s): %s goes on on the CPU", reason, source.name)
        self._index = {was[0]: now[0] for was, now in zip(before, after, strict=True)}
        self._now = on_cpu
        self.set_tensor(*self._input)
        self._now.invoke()


def _slots(interpreter: Any) -> list[tuple[int, tuple[int, ...], Any]]:
    """Index, shape and quantisation of inputs, then outputs."""
    every = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    return [(d["index"], tuple(int(n) for n in d["shape"]), d["quantization"]) for d in every]
