"""The definitions of message types, as text with all that they are made of.

A recording and a viewer have to know what the bytes mean, of types that reflexarc has never
heard of too. ROS 2 installs every package's definitions in ``share/PACKAGE/msg/NAME.msg``.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from reflexarc.core import ReflexarcError

_RULER = "=" * 80
_TYPE_NAME = re.compile(r"(\w+)/msg/(\w+)")
_FIELD = re.compile(r"([A-Za-z]\w*(?:/\w+)?)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]\w*")
_PRIMITIVES = re.compile(r"bool|byte|char|float(32|64)|u?int(8|16|32|64)|w?string")


class UnknownTypeError(ReflexarcError):
    """A type of message whose package is not installed here."""


@cache
def message_class(type_name: str) -> Any:
    """The Python class of a type, as in ``std_msgs/msg/String``.

    Raises:
        UnknownTypeError: it is not installed, or no message.
    """
    package, name = _parts(type_name)
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise _unknown(type_name, str(error)) from error


@cache
def definition(type_name: str) -> str:
    """The type's definition, then those that it is made of, in the form of ``ros2msg``.

    Raises:
        UnknownTypeError: it, or a part of it, is not installed.
    """
    texts = {type_name: _file(type_name, "msg").read_text(encoding="utf-8")}
    waiting = list(_made_of(type_name, texts[type_name]))
    for part in waiting:  # grows on the way
        if part not in texts:
            texts[part] = _file(part, "msg").read_text(encoding="utf-8")
            waiting += _made_of(part, texts[part])
    whole = texts.pop(type_name)
    for part, text in texts.items():
        whole += f"\n{_RULER}\nMSG: {part.replace('/msg/', '/')}\n{text}"
    return whole


def type_hash(type_name: str) -> str:
    """ROS 2's hash of the type's whole definition (``RIHS01_…``), as a bag states it.

    Raises:
        UnknownTypeError: it is not installed.
    """
    described = json.loads(_file(type_name, "json").read_text(encoding="utf-8"))
    return next(
        str(entry["hash_string"])
        for entry in described["type_hashes"]
        if entry["type_name"] == type_name
    )


def _made_of(type_name: str, text: str) -> Iterator[str]:
    package, _ = _parts(type_name)
    for line in text.splitlines():
        field = _FIELD.match(line.partition("#")[0].strip())
        if field is None or _PRIMITIVES.fullmatch(field[1]):
            continue
        owner, _, name = field[1].rpartition("/")
        yield f"{owner or package}/msg/{name}"


def _file(type_name: str, suffix: str) -> Path:
    package, name = _parts(type_name)
    # share/ lies beside the lib/ that the package was imported from, in a ROS 2 installation,
    # a workspace and a virtual environment alike.
    module = importlib.import_module(message_class(type_name).__module__)
    for folder in Path(str(module.__file__)).parents:
        path = folder / "share" / package / "msg" / f"{name}.{suffix}"
        if path.is_file():
            return path
    raise _unknown(type_name, f"no share/{package}/msg/{name}.{suffix}")


def _parts(type_name: str) -> tuple[str, str]:
    matched = _TYPE_NAME.fullmatch(type_name)
    if matched is None:
        raise _unknown(type_name, "no name of a message")
    return matched[1], matched[2]


def _unknown(type_name: str, found: str) -> UnknownTypeError:
    return UnknownTypeError(
        expected=f"the message type {type_name}",
        found=found,
        remedy=f"install the ROS 2 package {type_name.partition('/')[0]}",
    )
