"""Parameters of nodes: from a tag to a typed value, and on to the command line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml

from reflexarc.robot.launching.context import Context
from reflexarc.robot.launching.document import Items, Leaf, Tree, describe
from reflexarc.robot.launching.entity import Entity
from reflexarc.robot.launching.errors import LaunchError, Where, listed, nearest
from reflexarc.robot.launching.template import parse_template

Value = Any
"""bool, int, float, str, or a list of one of them."""

_SCALARS: dict[str, type] = {"str": str, "bool": bool, "float": float, "int": int}
_TYPES = {*_SCALARS, *(f"list_of_{name}" for name in _SCALARS), "yaml"}


def read_parameters(entity: Entity, context: Context) -> tuple[list[tuple[str, Value]], list[Path]]:
    """The `param` list of a node: values by name, and parameter files.

    Raises:
        LaunchError: neither name nor from, a value that is not of its type, a missing file.
    """
    values: list[tuple[str, Value]] = []
    parameter_files: list[Path] = []
    for part in entity.parts("param"):
        if {"from", "name"} <= part.attributes.keys() or not {
            "from",
            "name",
        } & part.attributes.keys():
            raise LaunchError(
                expected="a parameter with name, or a file of parameters with from",
                found=listed(part.attributes),
                remedy="keep one of name and from",
                where=part.where,
            )
        if "from" in part.attributes:
            parameter_files.append(_file(part, context))
        else:
            values.extend(_named(part, context, ""))
    return values, parameter_files


def typed(text: str, where: Where, name: str, kind: str | None = None) -> Value:
    """A substituted text as a value: of the type `kind`, or as YAML reads it.

    Raises:
        LaunchError: it is not of that type.
    """
    if kind in _SCALARS and not kind.startswith("list"):
        return _scalar(text, _SCALARS[kind], where, name)
    if text == "":
        return ""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong(name, kind or "one that YAML can read", repr(text), where) from error
    return check_value(value, where, name, kind)


def check_value(value: Any, where: Where, name: str, kind: str | None = None) -> Value:
    """A value that ROS can take as a parameter.

    Raises:
        LaunchError: nothing, a mapping, an empty or a mixed list, or not of the type `kind`.
    """
    wanted = (kind or "").removeprefix("list_of_")
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        if kinds == {int, float}:
            value, kinds = [float(item) for item in value], {float}
        if len(kinds) != 1 or not kinds <= set(_SCALARS.values()):
            raise _wrong(name, "a list of values of one type", repr(value), where)
        if kind in _TYPES - {"yaml"} and not (
            kind.startswith("list_of_") and kinds == {_SCALARS[wanted]}
        ):
            raise _wrong(name, f"of type {kind}", repr(value), where)
        return value
    if value is None or not isinstance(value, (str, bool, int, float)):
        raise _wrong(name, "text, a number, a truth value or a list", repr(value), where)
    if kind in _TYPES - {"yaml"} and type(value) is not _SCALARS.get(kind):
        raise _wrong(name, f"of type {kind}", repr(value), where)
    return value


def argument_of(name: str, value: Value) -> str:
    """`name:=value` for `-p`, as rcl's YAML reads it back."""
    return f"{name}:={_written(value)}"


def _named(part: Entity, context: Context, prefix: str) -> list[tuple[str, Value]]:
    if "name" not in part.attributes:
        raise LaunchError(
            expected=f"a parameter with a name below {prefix.rstrip('.')}",
            found=listed(part.attributes),
            remedy="add `name:`",
            where=part.where,
        )
    name = prefix + context.text(part.needed_text("name"), part.where_of("name"))
    kind = part.text("type")
    value = part.attributes.get("value")
    nested = part.parts("param")
    if kind is not None and kind not in _TYPES:
        raise LaunchError(
            expected="a type among " + ", ".join(sorted(_TYPES)),
            found=kind,
            remedy=nearest(kind, _TYPES, "leave it out"),
            where=part.where_of("type"),
        )
    if (value is None) is (not nested):
        raise LaunchError(
            expected=f"a value of the parameter {name}, or a list of parameters below it",
            found="both" if nested else "neither",
            remedy="write `value:`",
            where=part.where,
        )
    if value is None:
        return [pair for inner in nested for pair in _named(inner, context, f"{name}.")]
    return [(name, _value(value, context, name, kind))]


def _value(tree: Tree, context: Context, name: str, kind: str | None) -> Value:
    if isinstance(tree, Leaf):
        return _leaf(tree, context, name, kind)
    if isinstance(tree, Items):
        inner = kind.removeprefix("list_of_") if kind is not None else None
        items = [
            _leaf(item, context, name, inner)
            if isinstance(item, Leaf)
            else check_value(None, item.where, name)
            for item in tree.items
        ]
        return check_value(items, tree.where, name, kind)
    raise _wrong(name, "text, a number, a truth value or a list", describe(tree), tree.where)


def _leaf(leaf: Leaf, context: Context, name: str, kind: str | None) -> Value:
    if not isinstance(leaf.value, str):
        return check_value(leaf.value, leaf.where, name, kind)
    template = parse_template(leaf.value, leaf.where)
    text = context.text(leaf.value, leaf.where)
    # As in ROS 2: text without a substitution stays text, what a substitution gives is YAML.
    if all(isinstance(piece, str) for piece in template):
        return check_value(text, leaf.where, name, kind)
    return typed(text, leaf.where, name, kind)


def _scalar(text: str, kind: type, where: Where, name: str) -> Value:
    if kind is str:
        return text
    if kind is bool:
        words = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in words:
            raise _wrong(name, "true or false", repr(text), where)
        return words[text.lower()]
    try:
        return kind(text)
    except ValueError as error:
        word = "a whole number" if kind is int else "a number"
        raise _wrong(name, word, repr(text), where) from error


def _file(part: Entity, context: Context) -> Path:
    path = Path(context.text(part.needed_text("from"), part.where_of("from")))
    if not path.is_file():
        raise LaunchError(
            expected="a file of parameters",
            found=f"nothing at {path}",
            remedy="check the path; $(dirname) stands for the launch file's folder",
            where=part.where_of("from"),
        )
    return path


def _wrong(name: str, expected: str, found: str, where: Where) -> LaunchError:
    return LaunchError(
        expected=f"the parameter {name} to be {expected}",
        found=found,
        remedy="correct the value, or the argument that it comes from",
        where=where,
    )


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, str):
        # JSON's quoted text is YAML's, too.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _written_float(value)
    return str(value)


def _written_float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # 1e-07 is a text to YAML: it wants a point.
    return text if "." in text else text.replace("e", ".0e")
