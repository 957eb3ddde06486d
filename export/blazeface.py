"""The packaged face detectors: Google's BlazeFace files made full-integer INT8.

They come as TFLite already (asset "blazeface", weights in float16 behind DEQUANTIZE), so no
Keras is between: the graph is unpacked, its activations are fused and its maps become the
outputs; the rest is what every export does. Two things are BlazeFace's own. Most places of
a map are of no face, and what the net says of size and points there is huge and means
nothing, so the scales of the outputs are those of places that may be a face. And a few
channels of the short range's last blocks are large beside all others: channels are
equalised, and the outermost share of each tensor's values is cut off. Without both, the
short range finds faces at the wrong place.

    python -m reflexarc.export.blazeface OUT
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from reflexarc.core import atomic_write
from reflexarc.export.calibration import Sample, run
from reflexarc.export.check.equalize import equalize
from reflexarc.export.convert import prepare, quantize
from reflexarc.export.errors import ExportError
from reflexarc.export.flatbuffer import op_name, parse, serialize, set_range
from reflexarc.export.metadata import pack
from reflexarc.models import assets
from reflexarc.models.cards import today
from reflexarc.models.pictures import read
from reflexarc.perception.card import Card, DataSource
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks.blaze import REAL, cut
from reflexarc.perception.tasks.faces.blazeface import RANGES, BlazeFace, Range
from reflexarc.perception.tasks.faces.face import LABEL, TASK, Face, Square, overlap

Image = npt.NDArray[np.uint8]
Look = tuple[Image, Square]

ASSET = "blazeface"
PHOTOS = ("portraits", "people-photos", "people-photos-2")
_FILES = {"short": "face_detection_short_range.tflite", "full": "face_detection_full_range.tflite"}
_KEPT = {"short": 99.8, "full": 100.0}
"""Per cent of each tensor's values that its range holds; chosen by `compare` on data/mask."""
_LOGITS = (-8.0, 8.0)
"""Beyond, a score is 0 or 1."""
_MAYBE = -2.0
"""A place with a higher logit may be a face."""
_DRAWN = 1000  # values of a tensor that each picture gives to the percentiles
_LOOKS = 3  # squares around a face besides the whole picture
_SURE, _FOUND, _AT_ALL = 0.5, 0.3, 0.05


def build(name: str, folder: Path) -> Path:
    """Make ``faces_NAME.tflite`` with its card; gives its path.

    Args:
        name: "short" or "full".
        folder: where it goes.

    Raises:
        AssetError: the package, or the photos, cannot be fetched.
        ExportError: the file is not the one that this module knows.
    """
    source = assets.fetch(ASSET) / _FILES[name]
    this = RANGES[name]
    floats = float_graph(source)
    every = list(looks())
    calibration, test = (
        [look for i, look in enumerate(every) if i // (1 + _LOOKS) % 2 == part] for part in (0, 1)
    )
    samples = [REAL[_seen(image, square, this.size)] for image, square in calibration]
    equal, _ = equalize(floats, samples)
    integers = quantize(limit(prepare(equal, samples, this.input), samples, _KEPT[name]))
    card = _card(this, source, len(calibration), len(test))
    with tempfile.TemporaryDirectory() as scratch:
        nets = []
        for title, graph in (("float", floats), ("int8", integers)):
            file = Path(scratch) / f"{title}.tflite"
            file.write_bytes(pack(graph, card))
            nets.append(BlazeFace(load_model(file, "cpu")))
        metrics = compare(nets[0], nets[1], test)
    target = folder / f"faces_{name}.tflite"
    with atomic_write(target) as temporary:
        temporary.write_bytes(pack(integers, card.model_copy(update={"metrics": metrics})))
    return target


def float_graph(path: Path) -> bytes:
    """The file's graph in plain float32, activations fused, its maps as outputs.

    Outputs are in the order of `Range.outputs`, and called so by the file's signature.

    Raises:
        ExportError: another graph than BlazeFace's.
    """
    parsed = parse(path.read_bytes())
    (graph,) = parsed.subgraphs
    users: dict[int, int] = {}
    for operator in graph.operators:
        for index in map(int, operator.inputs):
            users[index] = users.get(index, 0) + 1
    maker: dict[int, Any] = {}
    kept, maps = [], []
    for operator in graph.operators:
        name, source = op_name(parsed, operator), int(operator.inputs[0])
        if name == "DEQUANTIZE":
            _unpack(parsed, graph.tensors[source], graph.tensors[operator.outputs[0]])
        elif name == "RELU" and users[source] == 1:
            before = maker[source]
            before.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
            before.outputs = operator.outputs
            maker[int(operator.outputs[0])] = before
        elif name == "RESHAPE":
            maps.append(source)
        elif name != "CONCATENATION":
            kept.append(operator)
            maker[int(operator.outputs[0])] = operator
    graph.operators = kept
    shapes = {index: tuple(map(int, graph.tensors[index].shape)) for index in maps}
    if len(maps) not in (2, 4) or any(len(shape) != 4 for shape in shapes.values()):
        raise ExportError(
            expected="BlazeFace's graph, whose maps are reshaped at its end",
            found=f"{len(maps)} such maps in {path}",
            remedy="run `reflexarc assets fetch blazeface`",
        )
    # Boxes have 16 numbers for each anchor, scores one; a coarser grid has more anchors.
    maps.sort(key=lambda index: (shapes[index][3] % 16 > 0, shapes[index][3]))
    graph.outputs = np.array(maps, np.int32)
    signature = schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.subgraphIndex = 0
    signature.inputs = [_named("image", int(graph.inputs[0]))]
    signature.outputs = [_named(f"output_{i}", index) for i, index in enumerate(maps)]
    parsed.signatureDefs, parsed.metadata = [signature], None
    return serialize(parsed)


def _unpack(parsed: Any, half: Any, whole: Any) -> None:
    """Give a float32 constant the values of the float16 one."""
    data = parsed.buffers[half.buffer].data
    values = np.frombuffer(bytes(data), np.float16).astype(np.float32)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    parsed.buffers.append(buffer)
    whole.buffer = len(parsed.buffers) - 1
    parsed.buffers[half.buffer].data = None


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def limit(ranged: bytes, samples: Sequence[Sample], kept: float) -> bytes:
    """Narrow the ranges of a calibrated graph to what matters.

    Args:
        ranged: as `reflexarc.export.convert.prepare` gives it; boxes, then scores, are its
            outputs.
        samples: real values, each without batch dimension.
        kept: per cent of a tensor's values that stay inside its range.
    """
    parsed = parse(ranged)
    (graph,) = parsed.subgraphs
    outputs = [int(index) for index in graph.outputs]
    half = len(outputs) // 2
    pairs = list(zip(outputs[:half], outputs[half:], strict=True))
    inner = [int(o) for op in graph.operators for o in op.outputs if int(o) not in outputs]
    drawn: dict[int, list[Any]] = {index: [] for index in (*inner, *outputs[:half])}
    rng = np.random.default_rng(0)
    for interpreter in run(ranged, samples):
        for boxes, scores in pairs:
            likely = interpreter.get_tensor(scores).reshape(-1) > _MAYBE
            drawn[boxes].append(interpreter.get_tensor(boxes).reshape(-1, 16)[likely].ravel())
        if kept < 100:
            for index in inner:
                values = interpreter.get_tensor(index).ravel()
                some = rng.integers(values.size, size=min(values.size, _DRAWN))
                drawn[index].append(values[some])
    for boxes, scores in pairs:
        values = np.concatenate(drawn[boxes])
        set_range(graph.tensors[boxes], (float(values.min()), float(values.max())))
        set_range(graph.tensors[scores], _LOGITS)
    if kept < 100:
        for index in inner:
            low, high = np.percentile(np.concatenate(drawn[index]), (100 - kept, kept))
            set_range(graph.tensors[index], (min(0.0, float(low)), float(high)))
    return serialize(parsed)


def looks() -> Iterator[Look]:
    """Packaged photos, each whole, and as squares in which what it shows is small or tilted.

    Raises:
        AssetError: the photos cannot be fetched.
    """
    rng = np.random.default_rng(0)
    for asset in PHOTOS:
        # Portraits are faces; in the other photos faces are small, so squares go into them.
        closest, farthest = (0.8, 3.0) if asset == "portraits" else (0.3, 1.2)
        for path in sorted(assets.fetch(asset).iterdir()):
            image = read(path)[0]
            height, width = image.shape[:2]
            whole = float(max(height, width))
            yield image, Square(width / 2, height / 2, whole)
            for _ in range(_LOOKS):
                side = whole * float(np.exp(rng.uniform(np.log(closest), np.log(farthest))))
                x, y = (
                    n / 2 + float(rng.uniform(-0.3, 0.3)) * abs(side - n) for n in (width, height)
                )
                yield image, Square(x, y, side, float(rng.uniform(-0.5, 0.5)))


def _seen(image: Image, square: Square, size: int) -> Image:
    where = (square.x, square.y, square.side, square.angle)
    return cut(image, *where, size, border=cv2.BORDER_CONSTANT)[0]


def compare(expected: BlazeFace, found: BlazeFace, test: Sequence[Look]) -> dict[str, float]:
    """How far a net is from another.

    Returns:
        found: share of the faces of which `expected` is sure that `found` finds too, at the
        same place; point_error: mean distance of the points of those, in sides of the
        face; invented: share of the looks with a sure face where `expected` has not even
        an unsure one.
    """
    sure, hits, invented = 0, 0, 0
    apart: list[float] = []
    for image, square in test:
        wanted = expected.look(image, square, _AT_ALL)
        seen = found.look(image, square, _FOUND)
        for face in (face for face in wanted if face.score >= _SURE):
            sure += 1
            near = max(seen, key=lambda other: overlap(face, other), default=None)
            if near is not None and overlap(face, near) > 0.5:
                hits += 1
                apart.append(_apart(face, near))
        invented += any(
            face.score >= _SURE and not any(overlap(face, other) > 0 for other in wanted)
            for face in seen
        )
    return {
        "found": hits / max(1, sure),
        "point_error": float(np.mean(apart)) if apart else 1.0,
        "invented": invented / len(test),
    }


def _apart(one: Face, other: Face) -> float:
    return float(np.linalg.norm(one.points - other.points, axis=1).mean()) / one.side


def _card(this: Range, source: Path, train_size: int, test_size: int) -> Card:
    row, photos = assets.table()[ASSET], [assets.table()[name] for name in PHOTOS]
    return Card(
        name=this.name,
        description=f"Faces with six points each, {this.size}x{this.size}",
        task=TASK,
        input=this.input,
        outputs=this.outputs,
        labels=(LABEL,),
        thresholds={"score": _SURE},
        quantization="int8",
        metrics={},
        data=DataSource(
            name="packaged photos of people and portraits",
            version=", ".join(f"{photo.package} {photo.version}" for photo in photos),
            licence="MIT",
            train_size=train_size,
            test_size=test_size,
        ),
        imported_from=f"{row.registry} {row.package} {row.version} ({row.licence})",
        tools={name: version(name) for name in ("reflexarc", "ai-edge-litert", "numpy")},
        source_sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        created=today(),
        licence="Apache-2.0",
    )


if __name__ == "__main__":
    for which in RANGES:
        print(build(which, Path(sys.argv[1])))
