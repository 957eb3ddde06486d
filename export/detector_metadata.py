"""What MediaPipe Tasks' ObjectDetector wants to know of a detector without its own NMS.

Beside the usual metadata it reads which output is which, and a table of its own with
anchors and decoding (``object_detector_metadata_schema.fbs``, Apache-2.0). Field numbers
are the positions in the schemas.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from reflexarc.export.flatbuffer_tables import offsets, table, vector
from reflexarc.export.metadata import (
    CONTENT_FEATURE,
    METADATA_NAME,
    TENSOR_AXIS_LABELS,
    content,
    finished,
    tensor_of_input,
)
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.modelfile import LABELS_NAME
from reflexarc.perception.tasks.people.ssd import CENTER_SCALE, SIZE_SCALE, Values

_NAME, _IDENTIFIER = "DETECTOR_METADATA", b"V001"
_BOXES, _SCORES = "location", "score"
_CONTENT_BOX, _BOUNDARIES = 3, 1


def describe(packed: bytes, card: Card, anchors: Values) -> bytes:
    """Exchange the metadata of a packed two-output detector for such as MediaPipe reads.

    Args:
        packed: what `reflexarc.export.metadata.pack` gave.
        card: of the detector.
        anchors: (n, 4): centre y, x, height, width in pixels of the input.

    Returns:
        The whole file again.
    """
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
        front = packed[: min(info.header_offset for info, _ in entries)]
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(front, 0))
    (entry,) = (e for e in model.metadata if e.name == METADATA_NAME.encode())
    sizes = [int(model.subgraphs[0].tensors[i].shape[-1]) for i in model.subgraphs[0].outputs]
    names = [_BOXES if size == 4 else _SCORES for size in sizes]
    model.buffers[entry.buffer].data = np.frombuffer(_metadata(card, anchors, names), np.uint8)
    builder = flatbuffers.Builder(len(front) + 65536)
    builder.Finish(model.Pack(builder), b"TFL3")
    whole = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for info, text in entries:
            archive.writestr(zipfile.ZipInfo(info.filename, info.date_time), text)
    return whole.getvalue()


def _metadata(card: Card, anchors: Values, names: list[str]) -> bytes:
    """The metadata table; `names` are those of the outputs, in the file's order."""
    b = flatbuffers.Builder(1024)
    options = b.CreateByteVector(_options(card, anchors))
    own = table(b, {0: ("UOffset", b.CreateString(_NAME)), 1: ("UOffset", options)})
    graph = table(
        b,
        {
            2: ("UOffset", offsets(b, [tensor_of_input(b, card)])),
            3: ("UOffset", offsets(b, [_output(b, name) for name in names])),
            9: ("UOffset", offsets(b, [own])),
        },
    )
    return finished(b, card, graph)


def _output(b: Any, name: str) -> int:
    fields = {0: ("UOffset", b.CreateString(name))}
    if name == _SCORES:
        labels = table(
            b, {0: ("UOffset", b.CreateString(LABELS_NAME)), 2: ("Int8", TENSOR_AXIS_LABELS)}
        )
        fields[6] = ("UOffset", offsets(b, [labels]))
        fields[3] = ("UOffset", content(b, CONTENT_FEATURE, table(b, {})))
    else:
        # MediaPipe asks for the order of a box's values; the decoding says the rest.
        order = vector(b, [1, 0, 3, 2], b.PrependUint32)
        box = table(b, {0: ("UOffset", order), 1: ("Int8", _BOUNDARIES)})
        fields[3] = ("UOffset", content(b, _CONTENT_BOX, box))
    return table(b, fields)


def _options(card: Card, anchors: Values) -> bytes:
    """Anchors in parts of the picture, and how a box comes out of the net's numbers."""
    assert isinstance(card.input, InputSpec)
    b = flatbuffers.Builder(len(anchors) * 32)
    parts = anchors / np.array([card.input.height, card.input.width] * 2)
    fixed = [
        table(b, {i: ("Float32", float(row[which])) for i, which in enumerate((1, 0, 3, 2))})
        for row in parts
    ]
    schema_of = table(b, {0: ("UOffset", offsets(b, fixed))})
    numbers = (len(card.labels), len(anchors), 4, 0, 0, 2)  # classes, boxes, values, no points
    scales = (CENTER_SCALE, CENTER_SCALE, SIZE_SCALE, SIZE_SCALE)
    decoding = table(
        b,
        {
            **{i: ("Int32", number) for i, number in enumerate(numbers)},
            **{6 + i: ("Float32", scale) for i, scale in enumerate(scales)},
            10: ("Bool", True),  # sizes are logarithms
            11: ("Bool", True),  # scores are logits
        },
    )
    root = table(
        b, {1: ("UOffset", table(b, {0: ("UOffset", schema_of)})), 2: ("UOffset", decoding)}
    )
    b.Finish(root, _IDENTIFIER)
    return bytes(b.Output())
