"""Which engines there are, which are installed here, and how to open a file with one."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING

from reflexarc.core import ReflexarcError
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError

if TYPE_CHECKING:
    from reflexarc.export.parity import Runnable


class EngineError(ReflexarcError):
    """An engine that is unknown, not installed, or cannot take the file."""


@dataclass(frozen=True)
class Engine:
    """A line of the registry.

    Attributes:
        name: what the user types.
        adapter: module beside this one; has ``open_model(path, card, threads) -> Runnable``.
        package: the import that must be there.
        remedy: how to get it.
        formats: endings of the files it takes.
        threads: whether it lets us choose how many.
    """

    name: str
    adapter: str
    package: str
    remedy: str
    formats: tuple[str, ...]
    threads: bool = True

    @property
    def installed(self) -> bool:
        """Whether the package is here (not whether it works: opening a file shows that)."""
        spec = importlib.util.find_spec(self.package)
        # A mere folder of that name in the working directory has no origin.
        return spec is not None and spec.origin is not None

    @property
    def version(self) -> str:
        """Of the installed distribution, whatever its name (tensorflow, tensorflow-cpu)."""
        names = packages_distributions().get(self.package, [])
        return version(names[0]) if names else ""


# The first one for an ending is the default.
_TFLITE = (".tflite",)
ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("litert", "litert", "ai_edge_litert", "pip install ai-edge-litert", _TFLITE),
        Engine(
            "tflite-runtime",
            "tflite_runtime",
            "tflite_runtime",
            "pip install tflite-runtime 'numpy<2'",
            _TFLITE,
        ),
        Engine("tf.lite", "tf_lite", "tensorflow", "pip install 'reflexarc[train]'", _TFLITE),
        Engine(
            "onnxruntime",
            "onnx_runtime",
            "onnxruntime",
            "pip install onnxruntime",
            (".onnx",),
        ),
        Engine("openvino", "openvino", "openvino", "pip install openvino", (".onnx", ".tflite")),
        Engine(
            "mediapipe",
            "mediapipe",
            "mediapipe",
            "pip install mediapipe",
            _TFLITE,
            threads=False,
        ),
        Engine("keras", "keras", "keras", "pip install 'reflexarc[train]'", (".keras",)),
    )
}


def engine_of(name: str) -> Engine:
    """Find an engine by its name.

    Raises:
        EngineError: no such engine.
    """
    try:
        return ENGINES[name]
    except KeyError:
        raise EngineError(
            expected=f"one of the engines {', '.join(ENGINES)}",
            found=repr(name),
            remedy="choose one of them",
        ) from None


def engines_for(path: Path) -> tuple[Engine, ...]:
    """All engines that take files of this ending, installed or not; the default first.

    Raises:
        ModelFileError: none does.
    """
    found = tuple(engine for engine in ENGINES.values() if path.suffix in engine.formats)
    if not found:
        raise ModelFileError(
            expected="a .tflite, .onnx or .keras file",
            found=str(path),
            remedy="convert it with `reflexarc export`",
        )
    return found


def open_with(engine: Engine, path: Path, card: Card, threads: int = 1) -> Runnable:
    """Load a model file into an engine.

    Args:
        engine: of `ENGINES`.
        path: a model file whose ending the engine takes.
        card: the one in that file.
        threads: CPU threads, where the engine lets us choose.

    Raises:
        EngineError: not installed, or it cannot take this file.
        ModelFileError: the file is damaged, or its tensors are not those of the card.
    """
    if path.suffix not in engine.formats:
        raise EngineError(
            expected=f"a {' or '.join(engine.formats)} file for {engine.name}",
            found=str(path),
            remedy="choose the engine "
            + " or ".join(e.name for e in engines_for(path) if e.installed),
        )
    if not engine.installed:
        raise EngineError(
            expected=f"the engine {engine.name}", found="it is not installed", remedy=engine.remedy
        )
    try:
        adapter = importlib.import_module(f"reflexarc.export.engines.{engine.adapter}")
        runnable: Runnable = adapter.open_model(path, card, threads)
    except ReflexarcError:
        raise
    except Exception as error:  # seven libraries share no base class of errors
        raise EngineError(
            expected=f"a file that {engine.name} accepts",
            found=f"{path}: {type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}",
            remedy="choose another engine, or export the model again",
        ) from error
    return runnable
