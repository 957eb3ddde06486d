"""TFLite Metadata, and the zip behind it: what turns a flatbuffer into our model file.

The metadata table follows metadata_schema.fbs 1.5.0 (TensorFlow Lite Support,
Apache-2.0); no package that is still kept ships a writer for it without a
second OpenCV, so the few tables that our models need are built here with the
flatbuffers library. Field numbers are the positions in the schema.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.modelfile import CARD_NAME, LABELS_NAME

_METADATA_NAME = "TFLITE_METADATA"
_MIN_PARSER_VERSION = "1.0.0"
_CONTENT_FEATURE, _CONTENT_IMAGE = 1, 2
_OPTIONS_NORMALIZATION = 1
_COLOR_SPACE = {"rgb": 1, "gray": 2}
_TENSOR_AXIS_LABELS = 2


def pack(flatbuffer: bytes, card: Card) -> bytes:
    """Add metadata, labels and card to a converted model.

    Args:
        flatbuffer: what the TFLite converter gave.
        card: becomes the metadata's texts and normalisation, and ``card.json``.

    Returns:
        The whole deployable file. Equal input gives equal bytes.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_metadata(card), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = _METADATA_NAME
    entry.buffer = len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(flatbuffer) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")

    whole = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name, text in (
            (LABELS_NAME, "\n".join(card.labels) + "\n"),
            (CARD_NAME, card.model_dump_json(indent=1) + "\n"),
        ):
            # A fixed date keeps the file the same for the same input.
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), text)
    return whole.getvalue()


def _metadata(card: Card) -> bytes:
    b = flatbuffers.Builder(1024)
    inputs = [_input(b, card)]
    outputs = [_output(b, card, name) for name in card.outputs]
    graph = _table(
        b,
        {
            2: ("UOffset", _offsets(b, inputs)),
            3: ("UOffset", _offsets(b, outputs)),
        },
    )
    root = _table(
        b,
        {
            0: ("UOffset", b.CreateString(card.name)),
            1: ("UOffset", b.CreateString(card.description)),
            2: ("UOffset", b.CreateString(card.created)),
            3: ("UOffset", _offsets(b, [graph])),
            5: ("UOffset", b.CreateString(card.licence)),
            7: ("UOffset", b.CreateString(_MIN_PARSER_VERSION)),
        },
    )
    b.Finish(root, b"M001")
    return bytes(b.Output())


def _input(b: Any, card: Card) -> int:
    """TensorMetadata of the picture or the series."""
    spec = card.input
    fields = {1: ("UOffset", b.CreateString(card.description))}
    if isinstance(spec, InputSpec):
        size = _table(b, {0: ("Uint32", spec.width), 1: ("Uint32", spec.height)})
        image = _table(b, {0: ("Int8", _COLOR_SPACE[spec.color]), 1: ("UOffset", size)})
        normalization = _table(
            b, {0: ("UOffset", _floats(b, [spec.mean])), 1: ("UOffset", _floats(b, [spec.std]))}
        )
        unit = _table(b, {0: ("Uint8", _OPTIONS_NORMALIZATION), 1: ("UOffset", normalization)})
        fields[0] = ("UOffset", b.CreateString("image"))
        fields[3] = ("UOffset", _content(b, _CONTENT_IMAGE, image))
        fields[4] = ("UOffset", _offsets(b, [unit]))
    else:
        fields[0] = ("UOffset", b.CreateString("series"))
        fields[3] = ("UOffset", _content(b, _CONTENT_FEATURE, _table(b, {})))
    return _table(b, fields)


def _output(b: Any, card: Card, name: str) -> int:
    """TensorMetadata of one output; a classifier's scores carry the labels."""
    fields = {0: ("UOffset", b.CreateString(name))}
    if len(card.outputs) == 1:
        labels = _table(
            b,
            {
                0: ("UOffset", b.CreateString(LABELS_NAME)),
                1: ("UOffset", b.CreateString("one label a line, in the order of the scores")),
                2: ("Int8", _TENSOR_AXIS_LABELS),
            },
        )
        fields[1] = ("UOffset", b.CreateString("probability of each label"))
        fields[6] = ("UOffset", _offsets(b, [labels]))
    fields[3] = ("UOffset", _content(b, _CONTENT_FEATURE, _table(b, {})))
    return _table(b, fields)


def _content(b: Any, kind: int, properties: int) -> int:
    return _table(b, {0: ("Uint8", kind), 1: ("UOffset", properties)})


def _table(builder: Any, fields: dict[int, tuple[str, Any]]) -> int:
    """Write one table: field number -> (flatbuffers type, value or offset)."""
    builder.StartObject(max(fields, default=-1) + 1)
    for number, (kind, value) in fields.items():
        if kind == "UOffset":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        else:
            getattr(builder, f"Prepend{kind}Slot")(number, value, 0)
    offset: int = builder.EndObject()
    return offset


def _floats(builder: Any, values: list[float]) -> int:
    return _vector(builder, values, builder.PrependFloat32)


def _offsets(builder: Any, values: list[int]) -> int:
    return _vector(builder, values, builder.PrependUOffsetTRelative)


def _vector(builder: Any, values: list[Any], prepend: Callable[[Any], None]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        prepend(value)
    offset: int = builder.EndVector()
    return offset
