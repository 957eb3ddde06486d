"""LiteRT on the CPU (XNNPACK): the default. tflite-runtime serves where it is missing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.opened import note_opened

FORMATS = (".tflite",)


def why_not(path: Path) -> str:
    """See `Backend`."""
    if is_compiled(path):
        return "the file is compiled for the Edge TPU"
    return ""


def open_network(path: Path, card: Card | None, threads: int) -> Any:
    """See `Backend`."""
    return open_interpreter(path, threads)


def open_interpreter(path: Path, threads: int = 1, delegates: tuple[Any, ...] = ()) -> Any:
    """A TFLite interpreter with its tensors allocated, for files without a card too.

    Raises:
        ModelFileError: no TFLite runtime here, or it does not accept the file.
    """
    options: dict[str, Any] = {"experimental_delegates": list(delegates)} if delegates else {}
    try:
        interpreter = runtime().Interpreter(model_path=str(path), num_threads=threads, **options)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            expected="a TFLite model that the interpreter accepts",
            found=f"{path}: {str(error).splitlines()[0]}",
            remedy="copy the file again, or export it again",
        ) from error
    note_opened(path, "litert")
    return interpreter


def runtime() -> Any:
    """The module with Interpreter and load_delegate.

    Raises:
        ModelFileError: neither package is here.
    """
    for package in ("ai_edge_litert", "tflite_runtime"):
        try:
            return importlib.import_module(f"{package}.interpreter")
        except ImportError:
            continue
    raise ModelFileError(
        expected="a TFLite runtime (ai-edge-litert or tflite-runtime)",
        found="neither",
        remedy="pip install ai-edge-litert",
    )


def output_details(interpreter: Any, count: int) -> list[Any]:
    """Details of the outputs in the order of the card.

    The converter shuffles several outputs; the file's signature keeps their
    positions as output_0, output_1, ...
    """
    details = list(interpreter.get_output_details())
    if count == 1 or len(details) != count:
        return details
    named = interpreter.get_signature_runner().get_output_details()
    return [named[f"output_{i}"] for i in range(count)]


def is_compiled(path: Path) -> bool:
    """Whether the Edge TPU's compiler has made this file: only that device runs it."""
    return b"edgetpu-custom-op" in path.read_bytes()
