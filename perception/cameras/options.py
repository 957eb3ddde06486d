"""A camera's options: the keyword arguments of its constructor, checked and listed."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from reflexarc.perception.cameras.base import CameraError

GIVEN = ("clock", "seq", "stall")
"""Keyword arguments that `open_camera` gives by itself to those who name them."""


def _size(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.lower().replace("×", "x").split("x"))
    return value


def _side(value: object) -> object:
    pixels = int(str(value))
    if not 1 <= pixels <= 16384:
        raise ValueError("a side has 1 to 16384 pixels")
    return pixels


_Side = Annotated[int, BeforeValidator(_side)]
Size = Annotated[tuple[_Side, _Side], BeforeValidator(_size)]
"""Width and height in pixels, written 640x480."""


@dataclass(frozen=True)
class Option:
    """One option of a camera.

    Attributes:
        name: as it is written.
        default: what it is if left out.
        text: what it does.
        hint: its type.
    """

    name: str
    default: Any
    text: str
    hint: Any

    def read(self, kind: str, value: Any) -> Any:
        """Check a value, and make one of what was written in a source.

        Raises:
            CameraError: it is none.
        """
        try:
            return TypeAdapter(self.hint).validate_python(value)
        except ValidationError as error:
            raise CameraError(
                expected=f"a value for the option {self.name} of {kind} cameras"
                + (f" ({self.text})" if self.text else ""),
                found=f"{value!r}: {error.errors()[0]['msg']}",
                remedy=f"leave it out for {self.shown_default()}"
                if self.default is not None
                else "leave it out, or write it right",
            ) from error

    def shown_default(self) -> str:
        """The default, as it would be written."""
        if self.default is None or self.default == "":
            return "–"
        if isinstance(self.default, bool):
            return str(int(self.default))
        if isinstance(self.default, tuple):
            return "x".join(str(part) for part in self.default)
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)


def options_of(make: Any, hidden: tuple[str, ...] = GIVEN) -> dict[str, Option]:
    """The options of a camera class, by name."""
    hints = get_type_hints(make.__init__, include_extras=True)
    return {
        name: Option(name, parameter.default, _text(hints.get(name)), hints.get(name, Any))
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in hidden
    }


def read_options(
    kind: str, written: Mapping[str, Any], known: Mapping[str, Option]
) -> dict[str, Any]:
    """Check options and bring them to their types.

    Raises:
        CameraError: an unknown option (with the nearest), or a value that is none.
    """
    for name in written:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            raise CameraError(
                expected=f"an option of {kind} cameras: {', '.join(known) or 'they have none'}",
                found=repr(name),
                remedy=f"did you mean {near[0]}?" if near else "leave it out",
            )
    return {name: known[name].read(kind, value) for name, value in written.items()}


def _text(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, FieldInfo) and extra.description:
                return extra.description
            if isinstance(extra, str):
                return extra
    return ""
