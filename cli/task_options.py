"""What the command line says of tasks: which ones, their models, options and rates."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from reflexarc.core import ReflexarcError, load_plugin
from reflexarc.perception.tasks import GROUP, TaskError, task_options

Value = TypeVar("Value")


@dataclass
class Chosen:
    """A task as the user wants it.

    Attributes:
        name: of the task.
        model, options: see `reflexarc.perception.tasks.open_task`.
        every_n, max_ms: see `reflexarc.perception.pipeline.Slot`.
    """

    name: str
    model: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)
    every_n: int = 1
    max_ms: float | None = None


def choose(
    tasks: str,
    models: Sequence[str] = (),
    options: Sequence[str] = (),
    every_n: Sequence[str] = (),
    max_ms: Sequence[str] = (),
) -> list[Chosen]:
    """Put together what was said of each task.

    Args:
        tasks: names, ``a,b``.
        models: ``PATH`` for the one task, or ``TASK=PATH``.
        options: ``KEY=VALUE`` for the tasks that have KEY, or ``TASK.KEY=VALUE``; values
            are YAML.
        every_n, max_ms: ``NUMBER`` for all tasks, or ``TASK:NUMBER``.

    Raises:
        PluginError: no such task.
        TaskError: an option that none of them has, or a value of another type.
    """
    names = list(dict.fromkeys(name for name in map(str.strip, tasks.split(",")) if name))
    if not names:
        raise TaskError(expected="--task a,b", found="no task", remedy="name one: --task digits")
    chosen = {name: Chosen(name) for name in names}
    for name in names:
        task_options(name)  # an unknown task before anything about it
    for given in models:
        name, _, path = given.partition("=")
        if name in chosen and path:
            chosen[name].model = Path(path)
        elif len(names) == 1:
            chosen[names[0]].model = Path(given)
        else:
            raise TaskError(
                expected=f"--model TASK=PATH with one of {', '.join(names)}",
                found=given,
                remedy="say whose model it is",
            )
    for given in options:
        _set_option(chosen, given)
    for option, values in (("every_n", every_n), ("max_ms", max_ms)):
        read = _whole if option == "every_n" else _milliseconds
        for name, number in _by_task(names, values, read, f"--{option.replace('_', '-')}"):
            setattr(chosen[name], option, number)
    return list(chosen.values())


def _set_option(chosen: dict[str, Chosen], given: str) -> None:
    key, equals, text = given.partition("=")
    task, dot, inner = key.partition(".")
    only = task if dot and task in chosen else None
    name = inner if only else key
    having = [
        one
        for one in chosen.values()
        if only in (None, one.name) and name in task_options(one.name)
    ]
    if not equals or not having:
        known = sorted({o for one in chosen for o in task_options(one)})
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise TaskError(
            expected=f"--option KEY=VALUE with KEY among: {', '.join(known) or 'none'}",
            found=given,
            remedy=f"did you mean {near[0]}=…?" if near else "leave it out",
        )
    for one in having:
        one.options[name] = _value(one.name, name, text)


def _value(task: str, name: str, text: str) -> Any:
    """The value in the type that the task's signature has for it."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    make = load_plugin(GROUP, task, "task")
    try:
        hint = inspect.signature(make, eval_str=True).parameters[name].annotation
    except NameError:  # a type that its module does not know at run time
        return value
    if hint is inspect.Parameter.empty:
        return value
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        try:
            return adapter.validate_python(text)
        except ValidationError:
            said = error.errors()[0]["msg"]
        raise TaskError(
            expected=f"for {task}.{name}: {said[:1].lower()}{said[1:]}",
            found=repr(text),
            remedy=f"its default is {task_options(task)[name]!r}",
        ) from None


def _by_task(
    names: Sequence[str], values: Iterable[str], read: Callable[[str], Value], option: str
) -> list[tuple[str, Value]]:
    found = []
    for given in values:
        task, colon, number = given.rpartition(":")
        try:
            value = read(number)
        except ValueError:
            value = None
        if value is None or (colon and task not in names):
            raise ReflexarcError(
                expected=f"{option} NUMBER or TASK:NUMBER, with a task of {', '.join(names)} "
                "and a number above 0",
                found=given,
                remedy=f"write {option} {names[0]}:3",
            )
        found += [(name, value) for name in ([task] if colon else names)]
    return found


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _milliseconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number
