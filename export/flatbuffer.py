"""A TFLite flatbuffer as a tree of objects, and the way back to Keras' layer names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

if TYPE_CHECKING:
    import keras

Range = tuple[float, float]

_OP_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}


def parse(flatbuffer: bytes) -> Any:
    """The flatbuffer as a tree of objects (``schema.ModelT``)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))


def serialize(parsed: Any) -> bytes:
    """The inverse of `parse`."""
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def set_range(tensor: Any, values: Range) -> None:
    """Give a tensor of a calibrated graph another least and greatest value."""
    tensor.quantization = tensor.quantization or schema.QuantizationParametersT()
    tensor.quantization.min = np.array([values[0]], np.float32)
    tensor.quantization.max = np.array([values[1]], np.float32)


def op_name(parsed: Any, operator: Any) -> str:
    """What an operator of a parsed graph is: "CONV_2D", or a custom op's own name."""
    code = parsed.operatorCodes[operator.opcodeIndex]
    if code.customCode:
        return str(code.customCode.decode())
    name: str = _OP_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
    return name


def layer_names(model: keras.Model) -> dict[str, bool]:
    """Names of all layers, nested ones too -> whether the layer has a kernel."""
    names: dict[str, bool] = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            names.update(layer_names(layer))
        kernels = ("kernel", "depthwise_kernel", "_kernel")
        names[layer.name] = any(hasattr(layer, kernel) for kernel in kernels)
    return names


def layer_of(tensor_name: str, layers: dict[str, bool]) -> str:
    """The Keras layer that a tensor comes from; of several fused ones, that with the kernel.

    The graph's names are scopes, "model_1/conv1_1/Relu;model_1/bn_1/add", in which
    each layer's own name has got a number. The tensor's own name where none fits.
    """
    found: list[str] = []
    for segment in re.split(r"[/;:]", tensor_name):
        for name in (re.sub(r"_\d+$", "", segment), segment):
            if name in layers:
                found.append(name)
                break
    return next((name for name in found if layers[name]), found[-1] if found else tensor_name)
