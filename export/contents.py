"""What is in a model file, read without running it and without TensorFlow."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import ModelFileError, read_card


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Attributes:
        shape: -1 stands for a size that is chosen when the model runs.
        scale, zero_point: real = (code - zero_point) * scale; None where numbers are not
            quantised or the file does not say.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Contents:
    """What a model file says about itself.

    Attributes:
        kind: "tflite", "keras" or "onnx".
        card: None where the file has none, and `no_card` then says what to do.
        inputs, outputs: outputs in the order of the card where the file's signature tells it.
        ops: how many of each operator (of each layer in a Keras file).
        parameters: numbers in constant tensors, biases included.
        parameter_bytes: what they take, by their type.
    """

    path: Path
    kind: str
    size_bytes: int
    sha256: str
    card: Card | None
    no_card: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ops: dict[str, int]
    parameters: int
    parameter_bytes: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        data = asdict(self)
        data["path"] = str(self.path)
        data["card"] = self.card.model_dump() if self.card else None
        return data


@dataclass(frozen=True)
class _Graph:
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ops: Counter[str]
    parameters: int
    parameter_bytes: Counter[str]


def read_contents(path: Path) -> Contents:
    """Read a .tflite, .keras or .onnx file, with or without a card.

    Raises:
        ModelFileError: absent, of another kind, or damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            expected="a model file (.tflite, .keras or .onnx)",
            found=f"{path}: {error.strerror}",
            remedy="check the path, or make one with `reflexarc export`",
        ) from error
    if raw[4:8] == b"TFL3":
        kind, read = "tflite", read_tflite
    elif raw[:4] == b"PK\x03\x04":
        kind, read = "keras", _read_keras
    elif path.suffix == ".onnx":
        kind, read = "onnx", _read_onnx
    else:
        raise ModelFileError(
            expected="a TFLite file (identifier TFL3 at byte 4), a .keras zip or an .onnx file",
            found=f"{path} that starts with {raw[:8]!r}",
            remedy="convert it with `reflexarc export`",
        )
    try:
        graph = read(path)
    except (ReflexarcError, ModuleNotFoundError):
        raise
    except Exception as error:  # damaged files fail anywhere in the three libraries
        raise ModelFileError(
            expected=f"a whole {kind} file",
            found=f"{path}: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}",
            remedy="copy the file again, or export it again",
        ) from error
    card, no_card = None, ""
    try:
        card = read_card(path)
    except ModelFileError as error:
        no_card = str(error)
    return Contents(
        path=path,
        kind=kind,
        size_bytes=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        card=card,
        no_card=no_card,
        inputs=graph.inputs,
        outputs=graph.outputs,
        ops=dict(graph.ops.most_common()),
        parameters=graph.parameters,
        parameter_bytes=dict(graph.parameter_bytes.most_common()),
    )


def read_tflite(path: Path) -> _Graph:
    """The main graph of a TFLite file: tensors, operators, parameters."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    types = _names(schema.TensorType)
    operators = _names(schema.BuiltinOperator)
    main = model.subgraphs[0]

    def op_name(code: Any) -> str:
        # Files from before the field was widened carry small codes in the old one.
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        if number == schema.BuiltinOperator.CUSTOM:
            return str((code.customCode or b"CUSTOM").decode())
        return operators.get(number, f"OP_{number}")

    names = [op_name(code) for code in model.operatorCodes]
    ops = Counter(names[op.opcodeIndex] for graph in model.subgraphs for op in graph.operators)
    parameters, parameter_bytes = 0, Counter[str]()
    seen: set[int] = set()
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is None or not len(data) or tensor.buffer in seen:
            continue
        seen.add(tensor.buffer)  # one buffer may serve several tensors
        parameters += _product(tensor.shape)
        parameter_bytes[types[tensor.type].lower()] += len(data)

    def described(index: int) -> Tensor:
        tensor = main.tensors[index]
        shape = tensor.shapeSignature if tensor.shapeSignature is not None else tensor.shape
        quantization = tensor.quantization
        known = quantization is not None and quantization.scale is not None
        return Tensor(
            name=tensor.name.decode(),
            shape=tuple(int(size) for size in ([] if shape is None else shape)),
            dtype=types[tensor.type].lower(),
            scale=float(quantization.scale[0]) if known else None,
            zero_point=int(quantization.zeroPoint[0]) if known else None,
        )

    return _Graph(
        tuple(described(int(index)) for index in main.inputs),
        tuple(described(index) for index in _output_order(model)),
        ops,
        parameters,
        parameter_bytes,
    )


def _output_order(model: Any) -> list[int]:
    """Tensor numbers of the outputs; the signature keeps the order that the converter lost."""
    graph = [int(index) for index in model.subgraphs[0].outputs]
    if not model.signatureDefs:
        return graph
    named = {out.name.decode(): int(out.tensorIndex) for out in model.signatureDefs[0].outputs}
    ordered = [named.get(f"output_{position}") for position in range(len(graph))]
    return [index for index in ordered if index is not None] if None not in ordered else graph


def _read_keras(path: Path) -> _Graph:
    """Layers and weights as the zip states them; building the model would load TensorFlow."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        layers = list(_layers(config["config"].get("layers", [])))
        parameters, parameter_bytes = 0, Counter[str]()
        with archive.open("model.weights.h5") as file, h5py.File(file) as weights:

            def count(_: str, item: Any) -> None:
                nonlocal parameters
                if isinstance(item, h5py.Dataset):
                    parameters += item.size
                    parameter_bytes[str(item.dtype)] += item.nbytes

            weights.visititems(count)
    inputs = [layer["config"] for layer in layers if layer["class_name"] == "InputLayer"]
    ops = Counter(layer["class_name"] for layer in layers)
    return _Graph(
        tuple(
            Tensor(
                str(one["name"]),
                tuple(-1 if size is None else int(size) for size in one["batch_shape"]),
                str(one["dtype"]),
            )
            for one in inputs[:1]
        ),
        (),  # a Keras file does not state the shapes of its outputs
        ops,
        parameters,
        parameter_bytes,
    )


def _layers(layers: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All layers, those of models inside the model too."""
    for layer in layers:
        inner = layer["config"].get("layers")
        if inner is None:
            yield layer
        else:
            yield from _layers(inner)


def _read_onnx(path: Path) -> _Graph:
    try:
        import onnx
    except ImportError:
        raise ModelFileError(
            expected="the onnx package, which reads the graph of .onnx files",
            found="none installed",
            remedy="pip install onnx",
        ) from None
    model = onnx.load(path, load_external_data=False)

    def described(value: Any) -> Tensor:
        kind = value.type.tensor_type
        return Tensor(
            value.name,
            tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in kind.shape.dim),
            str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)),
        )

    parameters, parameter_bytes = 0, Counter[str]()
    constants = {constant.name for constant in model.graph.initializer}
    for constant in model.graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        parameters += values.size
        parameter_bytes[str(values.dtype)] += values.nbytes
    return _Graph(
        tuple(described(value) for value in model.graph.input if value.name not in constants),
        tuple(described(value) for value in model.graph.output),
        Counter(node.op_type for node in model.graph.node),
        parameters,
        parameter_bytes,
    )


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def _product(shape: Any) -> int:
    product = 1
    for size in [] if shape is None else shape:
        product *= int(size)
    return product
