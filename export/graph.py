"""The float graph between its weighted ops: which op takes which op's channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from reflexarc.export.flatbuffer import layer_of, op_name, parse

Floats = npt.NDArray[np.float32]

WEIGHTED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}
# Each output channel depends on its own input channel only, and f(s x) = s f(x) for s > 0.
_CHANNELWISE = {
    "AVERAGE_POOL_2D",
    "EXPAND_DIMS",
    "LEAKY_RELU",
    "MAX_POOL_2D",
    "MEAN",
    "PAD",
    "RELU",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "SQUEEZE",
}
# Where the output channels of a weighted op lie in its weights.
_OUTPUT_AXIS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True)
class Reach:
    """Who takes a tensor's channels.

    Attributes:
        weighted: ops with weights for these channels.
        through: channelwise ops on the way to them.
        escapes: some of it also goes elsewhere (an ADD, an output, ...).
    """

    weighted: tuple[int, ...]
    through: tuple[int, ...]
    escapes: bool


class Graph:
    """A parsed flatbuffer of one subgraph; ops and tensors by index."""

    def __init__(self, flatbuffer: bytes) -> None:
        self.parsed: Any = parse(flatbuffer)
        (self._graph,) = self.parsed.subgraphs
        self.ops: list[Any] = self._graph.operators
        self.tensors: list[Any] = self._graph.tensors
        self.inputs = {int(i) for i in self._graph.inputs}
        self.outputs = {int(i) for i in self._graph.outputs}
        self._users: dict[int, list[int]] = defaultdict(list)
        self._maker: dict[int, int] = {}
        for index, op in enumerate(self.ops):
            for tensor in op.inputs:
                self._users[int(tensor)].append(index)
            for tensor in op.outputs:
                self._maker[int(tensor)] = index

    def name(self, op: int) -> str:
        """Of the operator: "CONV_2D"."""
        return op_name(self.parsed, self.ops[op])

    def tensor_name(self, tensor: int) -> str:
        """As the converter calls it."""
        text: str = self.tensors[tensor].name.decode()
        return text

    def output(self, op: int) -> int:
        """The op's first output tensor."""
        return int(self.ops[op].outputs[0])

    def sources(self, op: int) -> list[int]:
        """The ops whose outputs this op takes."""
        return [self._maker[int(i)] for i in self.ops[op].inputs if int(i) in self._maker]

    def answers(self) -> set[int]:
        """The tensors that the answer is read from: the outputs, or the logits before them."""
        found = set()
        for tensor in self.outputs:
            op = self._maker[tensor]
            squashed = self.name(op) in ("SOFTMAX", "LOGISTIC") and self.sources(op)
            found.add(int(self.ops[op].inputs[0]) if squashed else tensor)
        return found

    def layer(self, op: int, layers: dict[str, bool]) -> str:
        """The Keras layer that an op comes from (see `reflexarc.export.flatbuffer.layer_of`)."""
        for tensor in (*self.ops[op].outputs, *self.ops[op].inputs[1:]):
            name = layer_of(self.tensor_name(int(tensor)), layers)
            if name in layers:
                return name
        # A model's output has no scope in its name; what has no weights belongs to its source.
        before = self.sources(op)
        return self.layer(before[0], layers) if before else self.tensor_name(self.output(op))

    def channels(self, tensor: int) -> int:
        """Size of the last dimension; 1 for a scalar."""
        shape = self.tensors[tensor].shape
        return int(shape[-1]) if shape is not None and len(shape) else 1

    def activations(self) -> Iterator[tuple[int, int]]:
        """(op, its float32 output tensor), in the order of computation."""
        for index, op in enumerate(self.ops):
            for tensor in op.outputs:
                if self.tensors[tensor].type == schema.TensorType.FLOAT32:
                    yield index, int(tensor)

    def constant(self, op: int, position: int) -> Floats | None:
        """A float32 input that is part of the file; None where there is none."""
        inputs = self.ops[op].inputs
        if position >= len(inputs) or inputs[position] < 0:
            return None
        tensor = self.tensors[inputs[position]]
        data = self.parsed.buffers[tensor.buffer].data
        if data is None or tensor.type != schema.TensorType.FLOAT32:
            return None
        values: Floats = np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)
        return values

    def set_constant(self, op: int, position: int, values: Floats) -> None:
        """Give an op a constant of its own; others that shared the old one keep theirs."""
        old = self.tensors[self.ops[op].inputs[position]]
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
        self.parsed.buffers.append(buffer)
        new = schema.TensorT()
        new.__dict__.update(old.__dict__)
        new.buffer = len(self.parsed.buffers) - 1
        self.tensors.append(new)
        inputs = np.array(self.ops[op].inputs)
        inputs[position] = len(self.tensors) - 1
        self.ops[op].inputs = inputs

    def reach(self, tensor: int) -> Reach:
        """Follow the channels of `tensor` to the ops that weigh them."""
        channels = self.channels(tensor)
        weighted: list[int] = []
        through: list[int] = []
        escapes = False
        waiting = [tensor]
        while waiting:
            current = waiting.pop()
            escapes |= current in self.outputs
            for user in self._users[current]:
                first = int(self.ops[user].inputs[0]) == current
                if first and self.by_input(user, channels) is not None:
                    weighted.append(user)
                elif first and self._channelwise(user, channels):
                    through.append(user)
                    waiting.append(self.output(user))
                else:
                    escapes = True
        return Reach(tuple(weighted), tuple(through), escapes)

    def by_input(self, op: int, channels: int) -> Floats | None:
        """Weights as (outputs, positions, channels) of the op's input; None where they do not fit.

        A depthwise op has one input channel for each output: (multiplier, positions, channels).
        """
        name = self.name(op)
        weights = self.constant(op, 1) if name in WEIGHTED else None
        if weights is None:
            return None
        if name == "DEPTHWISE_CONV_2D":
            if weights.shape[3] % channels:
                return None
            return weights.reshape(-1, channels, weights.shape[3] // channels).transpose(2, 0, 1)
        # A grouped convolution has fewer; a dense layer after Flatten has them again and again.
        if weights.shape[-1] % channels or (name == "CONV_2D" and weights.shape[-1] != channels):
            return None
        return weights.reshape(len(weights), -1, channels)

    def scale_inputs(self, op: int, factors: Floats) -> None:
        """Multiply the weights that meet input channel i by ``factors[i]``."""
        weights = self.constant(op, 1)
        assert weights is not None
        if self.name(op) == "DEPTHWISE_CONV_2D":
            factors = np.repeat(factors, weights.shape[3] // len(factors))
        self.set_constant(op, 1, weights * np.tile(factors, weights.shape[-1] // len(factors)))

    def scale_outputs(self, op: int, factors: Floats) -> None:
        """Multiply output channel i by ``factors[i]``: weights and bias."""
        weights, bias = self.constant(op, 1), self.constant(op, 2)
        assert weights is not None
        shape = [1] * weights.ndim
        shape[_OUTPUT_AXIS[self.name(op)]] = -1
        self.set_constant(op, 1, weights * factors.reshape(shape))
        if bias is not None:
            self.set_constant(op, 2, bias * factors)

    def _channelwise(self, op: int, channels: int) -> bool:
        if self.name(op) not in _CHANNELWISE:
            return False
        options = self.ops[op].builtinOptions
        if getattr(options, "fusedActivationFunction", 0) not in (0, 1):  # NONE, RELU
            return False
        # Row-major: a flattened (h, w, c) has channel i at every j with j % c == i.
        return self.channels(self.output(op)) % channels == 0
