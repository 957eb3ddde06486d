"""Small TFLite flatbuffers, op by op, for what no converter would write today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_DTYPE = {
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "FLOAT32": np.float32,
}


class TfliteGraph:
    """Builds one subgraph; tensors and operations in the order of the calls."""

    def __init__(self) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model.subgraphs = [self._graph]

    def tensor(
        self,
        *shape: int,
        dtype: str = "INT8",
        data: Any = None,
        signature: Sequence[int] | None = None,
        name: str | None = None,
        zero_point: int = 0,
        scales: int = 1,
    ) -> int:
        """Add a tensor; one with `data` is a constant. 8-bit ones are quantised."""
        tensor = schema.TensorT()
        tensor.shape = np.array(shape, np.int32)
        tensor.type = getattr(schema.TensorType, dtype)
        tensor.name = (name or f"t{len(self._graph.tensors)}").encode()
        if signature is not None:
            tensor.shapeSignature = np.array(signature, np.int32)
        if dtype in ("INT8", "UINT8", "INT16"):
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.full(scales, 0.1, np.float32)
            tensor.quantization.zeroPoint = np.full(scales, zero_point, np.int64)
        if data is not None:
            buffer = schema.BufferT()
            values = np.broadcast_to(np.array(data, _DTYPE[dtype]), shape)
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.buffer = len(self._model.buffers)
            self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def weights(self, *shape: int) -> int:
        """Constant INT8 weights."""
        return self.tensor(*shape, data=1)

    def ints(self, *values: int) -> int:
        """A constant INT32 vector."""
        return self.tensor(len(values), dtype="INT32", data=values)

    def op(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        version: int = 1,
        custom: str | None = None,
        **options: Any,
    ) -> None:
        """Add an operation; `options` are fields of the named options table."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        code.customCode = custom.encode() if custom else None
        op = schema.OperatorT()
        op.opcodeIndex = len(self._model.operatorCodes)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options:
            table = options.pop("table")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            op.builtinOptions = getattr(schema, table + "T")()
            for field, value in options.items():
                setattr(op.builtinOptions, field, value)
        self._model.operatorCodes.append(code)
        self._graph.operators.append(op)

    def then(self, kind: str, source: int, *extra: int, to: Sequence[int], **more: Any) -> int:
        """Add an operation from `source` and constants to a new INT8 tensor; return that."""
        out = self.tensor(*to)
        self.op(kind, [source, *extra], [out], **more)
        return out

    def conv(self, source: int, to: Sequence[int], depth: int, **more: Any) -> int:
        """A 1x1 CONV_2D from `depth` channels."""
        weights, bias = self.weights(to[-1], 1, 1, depth), self.ints(*[0] * to[-1])
        return self.then("CONV_2D", source, weights, bias, to=to, **{"version": 3, **more})

    def pack(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The flatbuffer."""
        self._graph.inputs = np.array(inputs, np.int32)
        self._graph.outputs = np.array(outputs, np.int32)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
