"""Hypothesis strategies made from the pydantic models of actions: whatever the schema allows."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from reflexarc.robot.actions import MAX_STEPS, Action, When, count_steps
from reflexarc.robot.plan import Plan

_LONGEST = 6


def of_model(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """All valid instances of a model."""
    fields = {
        name: of_type(field.annotation, tuple(field.metadata))
        for name, field in model.model_fields.items()
    }
    if model is When:
        return st.one_of(
            st.fixed_dictionaries(
                fields | {"event": st.just("digit_seen"), "value": st.integers(0, 9)}
            ),
            st.fixed_dictionaries(fields | {"value": st.none()}).filter(
                lambda data: data["event"] != "digit_seen"
            ),
        ).map(lambda data: When(**data))
    return (
        st.fixed_dictionaries(fields)
        .filter(lambda d: _is_valid(model, d))
        .map(lambda data: model(**data))
    )


def of_type(annotation: Any, limits: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """All values of a field."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        found = [
            limit
            for given in arguments[1:]
            for limit in (given.metadata if isinstance(given, FieldInfo) else [given])
        ]
        return of_type(arguments[0], (*limits, *found))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(of_type, arguments))
    if origin is tuple:
        least = _limit(limits, annotated_types.MinLen, "min_length") or 0
        return st.lists(of_type(arguments[0]), min_size=least, max_size=_LONGEST).map(tuple)
    if annotation in (float, int):
        low = _limit(limits, annotated_types.Ge, "ge")
        high = _limit(limits, annotated_types.Le, "le")
        if annotation is int:
            return st.integers(low, high)
        return st.floats(low, high, allow_nan=False)
    if annotation is str:
        return st.text(max_size=_limit(limits, annotated_types.MaxLen, "max_length"))
    if annotation is type(None):
        return st.none()
    assert isinstance(annotation, type), annotation
    assert issubclass(annotation, BaseModel), annotation
    return of_model(annotation)


def _limit(limits: tuple[Any, ...], kind: type, name: str) -> Any:
    return next((getattr(limit, name) for limit in limits if isinstance(limit, kind)), None)


def _is_valid(model: type[BaseModel], data: dict[str, Any]) -> bool:
    try:
        model(**data)
    except ValidationError:
        return False
    return True


def plans() -> st.SearchStrategy[Plan]:
    """Plans that are to be done, of every action in any mixture."""
    return (
        st.lists(of_type(Action), min_size=1, max_size=_LONGEST)
        .filter(lambda actions: count_steps(actions) <= MAX_STEPS)
        .map(lambda actions: Plan(status="ok", actions=tuple(actions)))
    )
