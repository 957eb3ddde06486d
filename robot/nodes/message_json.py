"""A message from JSON, as viewers send it."""

from __future__ import annotations

import re
from typing import Any

from reflexarc.core import ReflexarcError
from reflexarc.robot.nodes.definitions import message_class

_TYPE = re.compile(r"(\w+)/(\w+)")


class MessageError(ReflexarcError):
    """JSON that is not a message of its type."""


def message_from(kind: Any, data: Any) -> Any:
    """A message of a class, of a JSON object. What is not named keeps its default.

    Raises:
        MessageError: a field that the type has not, or a value that does not fit.
    """
    types = kind.get_fields_and_field_types()
    if not isinstance(data, dict):
        raise _unfit(kind, "an object", data)
    message = kind(check_fields=True)  # else a wrong value would end the process in C
    for name, value in data.items():
        if name not in types:
            raise MessageError(
                expected=f"one of the fields {', '.join(types)} of {kind.__name__}",
                found=name,
                remedy="correct the message",
            )
        try:
            setattr(message, name, _value(types[name], value))
        except (AssertionError, TypeError, ValueError, OverflowError) as error:
            raise _unfit(kind, f"{name} as {types[name]}", value) from error
    return message


def _value(type_name: str, value: Any) -> Any:
    sequence = re.fullmatch(r"sequence<(.+?)(, \d+)?>|(.+)\[\d+\]", type_name)
    if sequence is not None:
        return [_value(sequence[1] or sequence[3], one) for one in value]
    nested = _TYPE.fullmatch(type_name)
    if nested is not None:
        return message_from(message_class(f"{nested[1]}/msg/{nested[2]}"), value)
    # JSON does not tell 1 from 1.0.
    return float(value) if type_name in ("float", "double") else value


def _unfit(kind: Any, expected: str, value: Any) -> MessageError:
    return MessageError(
        expected=f"for {kind.__name__}: {expected}", found=repr(value), remedy="correct the message"
    )
