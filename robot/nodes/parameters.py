"""A node's parameters as a pydantic model: declared, described, bounded, checked."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

import annotated_types
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from reflexarc.core import ReflexarcError

_BUILT_IN = {"use_sim_time", "start_type_description_service"}
_HUGE = 2**53


class ParameterError(ReflexarcError):
    """A parameter that a node cannot use."""


class Parameters(BaseModel):
    """What every node of ours can be told; each node adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: str = Field("", description="path of robot.yaml; empty: the default rover")
    autostart: bool = Field(
        True, description="configure and activate by itself, again and again until it works"
    )


P = TypeVar("P", bound=BaseModel)


def declare(node: Node, model: type[P]) -> P:
    """Declare a model's fields as read-only parameters and read what the node was given.

    Raises:
        ParameterError: a value of the wrong type, or beyond its bounds.
    """
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        try:
            value = node.declare_parameter(name, field.default, _descriptor(field)).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ParameterError(
                expected=f"{name}: {_type_name(field)} ({field.description})",
                found=" ".join(str(error).split()),
                remedy="correct it in the launch file, or leave it out",
            ) from error
        values[name] = list(value) if isinstance(field.default, (list, tuple)) else value
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "the parameters"
        raise ParameterError(
            expected=f"{name}: {first['msg'].removeprefix('Value error, ')}",
            found=repr(first["input"]),
            remedy="correct it in the launch file, or leave it out",
        ) from error
    _warn_of_unknown(node, model)
    return settings


def _warn_of_unknown(node: Node, model: type[BaseModel]) -> None:
    """ROS drops what no node has declared without a word; a wrong letter deserves one."""
    known = list(model.model_fields)
    for name in node._parameter_overrides:
        if name in known or name in _BUILT_IN or "." in name:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
        node.get_logger().warning(f"no such parameter: {name}; {hint}")


def _descriptor(field: FieldInfo) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=field.description or "", read_only=True)
    low = high = None
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            low = bound.ge
        elif isinstance(bound, annotated_types.Le):
            high = bound.le
    if low is None and high is None:
        return descriptor
    if isinstance(field.default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=float(-_HUGE if low is None else low),
                to_value=float(_HUGE if high is None else high),
            )
        ]
    elif isinstance(field.default, int):
        descriptor.integer_range = [
            IntegerRange(
                from_value=-_HUGE if low is None else low,
                to_value=_HUGE if high is None else high,
                step=1,
            )
        ]
    return descriptor


def _type_name(field: FieldInfo) -> str:
    return getattr(field.annotation, "__name__", str(field.annotation))
