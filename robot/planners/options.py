"""Options of a planner, as robot.yaml has them: checked, and explained where they are wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from reflexarc.robot.planners.base import PlannerError

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Options = TypeVar("Options", bound=BaseModel)


def read_options(model: type[Options], options: Mapping[str, Any]) -> Options:
    """The options as their model has them.

    Raises:
        PlannerError: an unknown name (with the nearest valid one) or a wrong value.
    """
    try:
        return model.model_validate(options)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, model.model_fields, n=1)
            raise PlannerError(
                expected=f"options among {', '.join(model.model_fields)}",
                found=repr(name),
                remedy=f"did you mean {near[0]}?" if near else "leave it out",
            ) from error
        raise PlannerError(
            expected=f"a valid {name}" if name else "valid options",
            found=f"{fault['input']!r}"[:200],
            remedy=str(fault["msg"]),
        ) from error
