"""The main subgraph of a TFLite flatbuffer, as the rules want to see it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from reflexarc.core import ReflexarcError

COMPILED_OP = "edgetpu-custom-op"

# What Python's flatbuffers and numpy raise when offsets lead out of the file.
_DAMAGED = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)


class EdgeTpuError(ReflexarcError):
    """A file that cannot be judged or compiled: not TFLite, damaged, empty, compiled already."""


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


_OPS = _names(schema.BuiltinOperator)
_DTYPES = _names(schema.TensorType)
_ITEM_BYTES = {"FLOAT32": 4, "FLOAT16": 2, "INT32": 4, "INT64": 8, "INT16": 2, "FLOAT64": 8}


@dataclass(frozen=True)
class Tensor:
    """A tensor: `shape` as an interpreter allocates it, `data` (bytes) if it is a constant."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    data: npt.NDArray[np.uint8] | None
    variable: bool
    scales: int
    zero_point: int

    @property
    def constant(self) -> bool:
        """Known when the model is compiled."""
        return self.data is not None

    @property
    def nbytes(self) -> int:
        """Bytes of one inference's values."""
        return int(np.prod(self.shape, dtype=np.int64)) * _ITEM_BYTES.get(self.dtype, 1)

    def integers(self) -> list[int]:
        """The values of a constant INT32 or INT64 tensor; empty for any other."""
        item = {"INT32": "<i4", "INT64": "<i8"}.get(self.dtype)
        if self.data is None or item is None:
            return []
        values: list[int] = self.data.view(item).tolist()
        return values


@dataclass(frozen=True)
class Op:
    """An operation; an optional input that is left out is None."""

    index: int
    kind: str
    version: int
    custom: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any

    def option(self, name: str, default: Any = 0) -> Any:
        """A field of the builtin options, or what the format says when it is absent."""
        return getattr(self.options, name, default)

    def input(self, position: int) -> Tensor | None:
        """The input at a position; None when it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """Inputs that differ from one inference to the next."""
        return tuple(t for t in self.inputs if t and not t.constant and not t.variable)

    @property
    def constants(self) -> tuple[Tensor, ...]:
        """Weights, biases, axes, shapes."""
        return tuple(t for t in self.inputs if t and t.constant)


@dataclass(frozen=True)
class Graph:
    """The main subgraph in execution order."""

    ops: tuple[Op, ...]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: int


def read_graph(model: bytes | str | Path) -> Graph:
    """Read the main subgraph of a TFLite file, or of its bytes.

    Raises:
        EdgeTpuError: no such file, not a TFLite flatbuffer, damaged, or without operations.
    """
    name = "the bytes" if isinstance(model, bytes) else str(model)
    data = model if isinstance(model, bytes) else _content(Path(model))
    if data[4:8] != b"TFL3":
        raise EdgeTpuError(
            expected="a TFLite file (identifier TFL3 at byte 4)",
            found=f"{name} that starts with {data[:8]!r}" if data else f"{name}, which is empty",
            remedy="convert the model with `reflexarc export`",
        )
    try:
        root = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        graph = _graph(root)
    except _DAMAGED as error:
        raise EdgeTpuError(
            expected="a whole TFLite file",
            found=f"{name}, {len(data)} bytes, whose tables lead out of it: truncated or damaged",
            remedy="copy the file again, or export it again",
        ) from error
    if not graph.ops:
        raise EdgeTpuError(
            expected="a graph with operations",
            found=f"{name} with none",
            remedy="export the model again",
        )
    return graph


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(8)
            # Of what is no model, the head is enough to say so.
            return head + file.read() if head[4:] == b"TFL3" else head
    except OSError as error:
        raise EdgeTpuError(
            expected="a TFLite file",
            found=f"{path}: {error.strerror}",
            remedy="check the path, or make one with `reflexarc export`",
        ) from error


def _graph(root: Any) -> Graph:
    if not root.subgraphs:
        return Graph((), (), (), (), 0)
    main = root.subgraphs[0]
    buffers = list(_list(root.buffers))
    codes = list(_list(root.operatorCodes))
    tensors = tuple(_tensor(i, t, buffers) for i, t in enumerate(_list(main.tensors)))
    ops = tuple(_op(i, op, codes, tensors) for i, op in enumerate(_list(main.operators)))
    inputs, outputs = (
        tuple(_at(tensors, int(i)).index for i in _list(ends))
        for ends in (main.inputs, main.outputs)
    )
    return Graph(ops, tensors, inputs, outputs, len(root.subgraphs))


def _list(values: Any) -> Any:
    return () if values is None else values


def _at(values: Any, index: int) -> Any:
    # Python would take a negative index from the end.
    if index < 0:
        raise IndexError(index)
    return values[index]


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _tensor(index: int, tensor: Any, buffers: list[Any]) -> Tensor:
    buffer = _at(buffers, tensor.buffer)
    data = None
    if buffer.data is not None and len(buffer.data):
        data = np.asarray(buffer.data, np.uint8)
    elif getattr(buffer, "offset", 0) > 1:
        # Weights behind the flatbuffer (files over 2 GB): constant, but not read.
        data = np.empty(0, np.uint8)
    quantization = tensor.quantization
    scales = _list(quantization.scale if quantization else None)
    zeros = _list(quantization.zeroPoint if quantization else None)
    return Tensor(
        index,
        _text(tensor.name),
        _DTYPES.get(tensor.type, f"TYPE_{tensor.type}"),
        tuple(int(n) for n in _list(tensor.shape)),
        tuple(int(n) for n in _list(tensor.shapeSignature)),
        data,
        bool(tensor.isVariable),
        len(scales),
        int(zeros[0]) if len(zeros) else 0,
    )


def _op(index: int, op: Any, codes: list[Any], tensors: tuple[Tensor, ...]) -> Op:
    code = _at(codes, op.opcodeIndex)
    # Files written before 2020 have the code in the deprecated byte only.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return Op(
        index,
        _OPS.get(number, f"BUILTIN_{number}"),
        code.version,
        _text(code.customCode),
        tuple(None if i == -1 else _at(tensors, int(i)) for i in _list(op.inputs)),
        tuple(_at(tensors, int(i)) for i in _list(op.outputs)),
        op.builtinOptions,
    )
