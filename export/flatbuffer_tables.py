"""Tables of a flatbuffer by their field numbers, for schemas that no package brings code for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def table(builder: Any, fields: dict[int, tuple[str, Any]]) -> int:
    """Write one table: field number -> (flatbuffers type, value or offset)."""
    builder.StartObject(max(fields, default=-1) + 1)
    for number, (kind, value) in fields.items():
        if kind == "UOffset":
            builder.PrependUOffsetTRelativeSlot(number, value, 0)
        else:
            getattr(builder, f"Prepend{kind}Slot")(number, value, 0)
    offset: int = builder.EndObject()
    return offset


def floats(builder: Any, values: list[float]) -> int:
    """A vector of float32."""
    return vector(builder, values, builder.PrependFloat32)


def offsets(builder: Any, values: list[int]) -> int:
    """A vector of what was written before."""
    return vector(builder, values, builder.PrependUOffsetTRelative)


def vector(builder: Any, values: list[Any], prepend: Callable[[Any], None]) -> int:
    """A vector of four-byte values."""
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        prepend(value)
    offset: int = builder.EndVector()
    return offset
