"""The messages of a recording and their JSON schemas.

``/camera`` has ``foxglove.CompressedImage`` (docs.foxglove.dev, "CompressedImage" in JSON)
and what replay needs, ``/observations/TASK`` has `Observation` as it is, and
``/failures/TASK`` says at which frame a task gave up: that look may have changed it too.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from reflexarc.perception.frame import Frame
from reflexarc.perception.observation import Observation
from reflexarc.perception.recording.errors import RecordingError

Image = npt.NDArray[np.uint8]

CAMERA_TOPIC = "/camera"
OBSERVATIONS, FAILURES = "observations", "failures"
"""First part of a task's topics."""
IMAGE_SCHEMA = "foxglove.CompressedImage"
OBSERVATION_SCHEMA = "reflexarc.Observation"
FAILURE_SCHEMA = "reflexarc.Failure"

JPEG_QUALITY = 95
FORMATS: dict[str, tuple[str, tuple[int, ...]]] = {
    "jpeg": (".jpg", (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)),
    "png": (".png", (cv2.IMWRITE_PNG_COMPRESSION, 1)),
}
"""How frames are kept, in Foxglove's words: jpeg is lossy, png is not."""


def encode(image: Image, image_format: str) -> bytes:
    """A picture (uint8 RGB) in one of FORMATS."""
    ending, parameters = FORMATS[image_format]
    _, data = cv2.imencode(ending, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    return data.tobytes()


def decode(data: bytes) -> Image:
    """The picture (uint8, height x width x 3, RGB), by the same decoder in recording and replay.

    Raises:
        RecordingError: it is none.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise RecordingError(
            expected="a picture in each message of /camera",
            found=f"{len(data)} bytes that do not decode",
            remedy="copy the recording again",
        )
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


@dataclass(frozen=True)
class StoredFrame:
    """A message of /camera.

    Attributes:
        stamp_ns, seq, source: of the frame.
        data: the picture as it was compressed.
        crc32: of the pixels that the tasks looked at (RGB, row by row); None where they
            looked at others than are stored here.
    """

    stamp_ns: int
    seq: int
    source: str
    data: bytes
    crc32: int | None

    def frame(self) -> Frame:
        """The frame, decoded.

        Raises:
            RecordingError: no picture in it.
        """
        return Frame(decode(self.data), self.stamp_ns, self.seq, self.source)

    def is_as_seen(self, frame: Frame) -> bool:
        """Whether the frame has the pixels that the tasks looked at."""
        return self.crc32 is None or self.crc32 == pixels_crc32(frame.image)


def pixels_crc32(image: Image) -> int:
    """CRC-32 of a picture's bytes."""
    return zlib.crc32(np.ascontiguousarray(image).data)


def image_message(
    frame: Frame, data: bytes, image_format: str, crc32: int | None, epoch_ns: int
) -> bytes:
    """A frame as JSON; `epoch_ns` is what brings its stamp to the time of day."""
    seconds, nanoseconds = divmod(frame.stamp_ns + epoch_ns, 1_000_000_000)
    return json.dumps(
        {
            "timestamp": {"sec": seconds, "nsec": nanoseconds},
            "frame_id": "camera",
            "format": image_format,
            "data": base64.b64encode(data).decode(),
            "stamp_ns": frame.stamp_ns,
            "seq": frame.seq,
            "source": frame.source,
            "pixels_crc32": crc32,
        },
        ensure_ascii=False,
    ).encode()


def read_image_message(message: bytes) -> StoredFrame:
    """What `image_message` wrote.

    Raises:
        RecordingError: it is something else.
    """
    try:
        fields = json.loads(message)
        crc32 = fields["pixels_crc32"]
        return StoredFrame(
            int(fields["stamp_ns"]),
            int(fields["seq"]),
            str(fields["source"]),
            base64.b64decode(fields["data"], validate=True),
            None if crc32 is None else int(crc32),
        )
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise RecordingError(
            expected="a frame of reflexarc's in each message of /camera",
            found=f"{type(error).__name__}: {error}",
            remedy="record again with this version of reflexarc",
        ) from error


def observation_message(observation: Observation) -> bytes:
    """An observation as JSON. Floats keep every bit: equal bytes are equal observations."""
    return json.dumps(observation.as_dict(), ensure_ascii=False).encode()


def failure_message(frame: Frame, error: BaseException) -> bytes:
    """What a task raised at a frame, as JSON."""
    said = f"{type(error).__name__}: {error}".strip()
    fields = {"stamp_ns": frame.stamp_ns, "seq": frame.seq, "error": said}
    return json.dumps(fields, ensure_ascii=False).encode()


def image_schema() -> bytes:
    """JSON Schema of /camera."""
    integer, text = {"type": "integer"}, {"type": "string"}
    properties: dict[str, Any] = {
        "timestamp": {
            "type": "object",
            "title": "time",
            "properties": {
                "sec": {**integer, "minimum": 0},
                "nsec": {**integer, "minimum": 0, "maximum": 999_999_999},
            },
            "description": "Time of capture, time of day",
        },
        "frame_id": {**text, "description": "Frame of reference of the image"},
        "data": {**text, "contentEncoding": "base64", "description": "Compressed image"},
        "format": {**text, "description": f"One of {', '.join(FORMATS)}"},
        "stamp_ns": {**integer, "description": "Time of capture, monotonic clock"},
        "seq": {**integer, "description": "Position in the source, from 0"},
        "source": {**text, "description": "What the camera was opened with"},
        "pixels_crc32": {
            "type": ["integer", "null"],
            "description": "Of the pixels the tasks saw; null: they saw others than these",
        },
    }
    schema = {"title": IMAGE_SCHEMA, "type": "object", "properties": properties}
    return json.dumps({**schema, "required": list(properties)}).encode()


def observation_schema() -> bytes:
    """JSON Schema of /observations/TASK, made from the dataclasses."""
    schema = TypeAdapter(Observation).json_schema()
    parts = schema.pop("$defs", {})
    # Viewers show a field only if it does not hide behind a reference.
    return json.dumps({**_inlined(schema, parts), "title": OBSERVATION_SCHEMA}).encode()


def failure_schema() -> bytes:
    """JSON Schema of /failures/TASK."""
    integer = {"type": "integer"}
    properties = {"stamp_ns": integer, "seq": integer, "error": {"type": "string"}}
    schema = {"title": FAILURE_SCHEMA, "type": "object", "properties": properties}
    return json.dumps({**schema, "required": list(properties)}).encode()


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(parts[node["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(value, parts) for key, value in node.items()}
