"""TFLite Metadata, and the zip behind it: what turns a flatbuffer into our model file.

The metadata table follows metadata_schema.fbs 1.5.0 (TensorFlow Lite Support,
Apache-2.0); no package that is still kept ships a writer for it without a
second OpenCV, so the few tables that our models need are built here with the
flatbuffers library. Field numbers are the positions in the schema.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from reflexarc.export.flatbuffer_tables import floats, offsets, table
from reflexarc.perception.card import Card, InputSpec
from reflexarc.perception.modelfile import CARD_NAME, LABELS_NAME

METADATA_NAME = "TFLITE_METADATA"
_MIN_PARSER_VERSION = "1.0.0"
CONTENT_FEATURE, _CONTENT_IMAGE = 1, 2
_OPTIONS_NORMALIZATION = 1
_COLOR_SPACE = {"rgb": 1, "gray": 2}
TENSOR_AXIS_LABELS = 2


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
    buffer.data = np.frombuffer(_metadata(card, output_names(model, card)), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = METADATA_NAME
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


def output_names(model: Any, card: Card) -> list[str]:
    """The card's names in the file's order: the converter shuffles several outputs.

    Its signature keeps their positions as output_0, output_1, ...
    """
    if len(card.outputs) == 1 or not model.signatureDefs:
        return list(card.outputs)
    position = {
        int(output.tensorIndex): int(output.name.decode().rpartition("_")[2])
        for output in model.signatureDefs[0].outputs
    }
    return [card.outputs[position[int(index)]] for index in model.subgraphs[0].outputs]


def _metadata(card: Card, outputs_in_file: list[str]) -> bytes:
    b = flatbuffers.Builder(1024)
    inputs = [tensor_of_input(b, card)]
    outputs = [_output(b, card, name) for name in outputs_in_file]
    graph = table(
        b,
        {
            2: ("UOffset", offsets(b, inputs)),
            3: ("UOffset", offsets(b, outputs)),
        },
    )
    return finished(b, card, graph)


def finished(b: Any, card: Card, graph: int) -> bytes:
    """The whole metadata around its one table SubGraphMetadata."""
    root = table(
        b,
        {
            0: ("UOffset", b.CreateString(card.name)),
            1: ("UOffset", b.CreateString(card.description)),
            2: ("UOffset", b.CreateString(card.created)),
            3: ("UOffset", offsets(b, [graph])),
            5: ("UOffset", b.CreateString(card.licence)),
            7: ("UOffset", b.CreateString(_MIN_PARSER_VERSION)),
        },
    )
    b.Finish(root, b"M001")
    return bytes(b.Output())


def tensor_of_input(b: Any, card: Card) -> int:
    """TensorMetadata of the picture or the series."""
    spec = card.input
    fields = {1: ("UOffset", b.CreateString(card.description))}
    if isinstance(spec, InputSpec):
        size = table(b, {0: ("Uint32", spec.width), 1: ("Uint32", spec.height)})
        image = table(b, {0: ("Int8", _COLOR_SPACE[spec.color]), 1: ("UOffset", size)})
        normalization = table(
            b, {0: ("UOffset", floats(b, [spec.mean])), 1: ("UOffset", floats(b, [spec.std]))}
        )
        unit = table(b, {0: ("Uint8", _OPTIONS_NORMALIZATION), 1: ("UOffset", normalization)})
        fields[0] = ("UOffset", b.CreateString("image"))
        fields[3] = ("UOffset", content(b, _CONTENT_IMAGE, image))
        fields[4] = ("UOffset", offsets(b, [unit]))
    else:
        fields[0] = ("UOffset", b.CreateString("series"))
        fields[3] = ("UOffset", content(b, CONTENT_FEATURE, table(b, {})))
    return table(b, fields)


def _output(b: Any, card: Card, name: str) -> int:
    """TensorMetadata of one output; a classifier's scores carry the labels."""
    fields = {0: ("UOffset", b.CreateString(name))}
    if len(card.outputs) == 1:
        labels = table(
            b,
            {
                0: ("UOffset", b.CreateString(LABELS_NAME)),
                1: ("UOffset", b.CreateString("one label a line, in the order of the scores")),
                2: ("Int8", TENSOR_AXIS_LABELS),
            },
        )
        fields[1] = ("UOffset", b.CreateString("probability of each label"))
        fields[6] = ("UOffset", offsets(b, [labels]))
    fields[3] = ("UOffset", content(b, CONTENT_FEATURE, table(b, {})))
    return table(b, fields)


def content(b: Any, kind: int, properties: int) -> int:
    """The table Content: what a tensor holds."""
    return table(b, {0: ("Uint8", kind), 1: ("UOffset", properties)})
