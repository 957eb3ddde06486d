"""What is wrong with a scenario, said so that it can be put right."""

from __future__ import annotations

import difflib
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from reflexarc.core import ReflexarcError


class ScenarioError(ReflexarcError):
    """A scenario that cannot be used, or something in it that is missing."""


def explain(error: ValidationError, model: type[BaseModel], where: str) -> ScenarioError:
    """Pydantic's first complaint as expected, found, remedy.

    Args:
        error: what pydantic says.
        model: that was being validated.
        where: the data came from: a file.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    if first["type"] == "extra_forbidden":
        valid = _valid_keys(model, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), valid, n=1, cutoff=0.5)
        return ScenarioError(
            expected=f"one of {', '.join(valid)}" if valid else "a known key",
            found=f"unknown key {place} in {where}",
            remedy=f"did you mean {near[0]}?" if near else "remove it",
        )
    if first["type"] == "missing":
        return ScenarioError(expected=place, found=f"nothing in {where}", remedy="add it")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    value = repr(first["input"])
    return ScenarioError(
        expected=f"{place}: {said}",
        found=f"{value if len(value) < 100 else value[:97] + '...'} in {where}",
        remedy="change it",
    )


def _valid_keys(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """Names that are allowed at a place in the data."""
    found: Any = model
    for part in location:
        found = _inside(found, part)
    model = _model_in(found)
    return list(model.model_fields) if model is not None else []


def _inside(annotation: Any, part: int | str) -> Any:
    """The type of an item of a tuple, a value of a mapping, or a field of a model."""
    model = _model_in(annotation, deep=False)
    if model is not None:
        field = model.model_fields.get(str(part))
        return field.annotation if field is not None else None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if arguments else None


def _model_in(annotation: Any, deep: bool = True) -> type[BaseModel] | None:
    """The model that a type is, or that it may be besides None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (dict, tuple) and not deep:
        return None
    for argument in get_args(annotation):
        found = _model_in(argument, deep)
        if found is not None:
            return found
    return None
