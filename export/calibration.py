"""The range of every tensor, from running the float graph on representative samples.

TensorFlow's own calibrator (2.21) is not used: where an ADD works in place, it notes
the sum's values for the tensor whose memory that was, so the last layer before a
residual connection gets the sum's range (13 times too wide in an untrained
MobileNetV2, 2,000 times in this module's test). It also ends the whole process on a
graph with a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from reflexarc.export.errors import ExportError
from reflexarc.export.flatbuffer import Range, parse, serialize, set_range
from reflexarc.perception.card import InputSpec, SequenceSpec

Sample = npt.NDArray[np.float32]

_THREADS = 2


def calibrate(graph: bytes, samples: Iterable[Sample], input_range: Range | None = None) -> bytes:
    """Note each tensor's least and greatest value.

    Args:
        graph: a float flatbuffer.
        samples: real values, each without batch dimension.
        input_range: real values of the input's lowest and highest code, instead of
            those seen.

    Returns:
        The flatbuffer with the ranges in its tensors.

    Raises:
        ExportError: the graph has loops, or the interpreter cannot run it.
    """
    refuse_loops(graph)
    parsed = parse(graph)
    (inside,) = parsed.subgraphs
    produced = {int(i) for op in inside.operators for i in op.outputs} | set(
        map(int, inside.inputs)
    )
    wanted = [i for i in produced if inside.tensors[i].type == schema.TensorType.FLOAT32]
    low, high = dict.fromkeys(wanted, np.inf), dict.fromkeys(wanted, -np.inf)
    for interpreter in run(graph, samples):
        for index in wanted:
            values = interpreter.tensor(index)()
            low[index] = min(low[index], values.min(initial=np.inf))
            high[index] = max(high[index], values.max(initial=-np.inf))
            del values  # a view into the interpreter, which must be gone when it runs again
    for index in wanted:
        set_range(inside.tensors[index], (low[index], high[index]))
    if input_range is not None:
        (index,) = inside.inputs
        set_range(inside.tensors[index], input_range)
    return serialize(parsed)


def refuse_loops(graph: bytes) -> None:
    """Refuse what neither this module nor TensorFlow's calibrator can take.

    Raises:
        ExportError: the graph has a loop or a branch.
    """
    if len(parse(graph).subgraphs) > 1:
        raise ExportError(
            expected="a graph without loops (WHILE, IF), for whole-integer formats",
            found="a loop, as Keras' recurrent layers make",
            remedy="build LSTM and GRU with unroll=True, or export another number format",
        )


def run(flatbuffer: bytes, samples: Iterable[Sample]) -> Iterator[Any]:
    """Run samples one by one; yields the interpreter with all its tensors readable.

    Raises:
        ExportError: the interpreter does not accept the graph.
    """
    try:
        # Delegates keep what lies between their ops to themselves.
        interpreter = Interpreter(
            model_content=flatbuffer,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            num_threads=_THREADS,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ExportError(
            expected="a graph that the TFLite interpreter runs",
            found=str(error).strip().splitlines()[0],
            remedy="replace the op that the message names",
        ) from error
    (entry,) = interpreter.get_input_details()
    for sample in samples:
        interpreter.set_tensor(entry["index"], sample[None])
        interpreter.invoke()
        yield interpreter


def byte_range(spec: InputSpec | SequenceSpec | None) -> Range | None:
    """Real values of a black and a white pixel; None for what is no picture."""
    if not isinstance(spec, InputSpec):
        return None
    return (0 - spec.mean) / spec.std, (255 - spec.mean) / spec.std


def check_representative(model: keras.Model, representative: npt.NDArray[np.float32]) -> None:
    """Refuse calibration data that would give a file without sense.

    Raises:
        ExportError: empty, of another shape, NaN or infinite, or all one value.
    """
    wanted = tuple(model.input_shape[1:])
    found = None
    if representative.shape[1:] != wanted:
        found = f"shape {representative.shape[1:]}"
    elif not len(representative):
        found = "no sample"
    else:
        # One at a time: a mask over a whole set of photos is another 100 MB.
        bad = [i for i, sample in enumerate(representative) if not np.isfinite(sample).all()]
        first = representative[0].flat[0]
        if bad:
            found = f"NaN or infinity in sample {bad[0]} ({len(bad)} such)"
        elif all((sample == first).all() for sample in representative):
            found = f"nothing but {first:g}"
    if found:
        raise ExportError(
            expected=f"a representative set of finite, varied samples of shape {wanted}",
            found=found,
            remedy="calibrate on a few hundred training samples, normalised as for training",
        )
