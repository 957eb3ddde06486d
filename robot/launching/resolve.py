"""Walk through a launch file, tag by tag, as ROS 2 does: what comes first is known later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reflexarc.robot.launching.context import Context, join_namespace
from reflexarc.robot.launching.document import Table, describe, read
from reflexarc.robot.launching.entity import Entity
from reflexarc.robot.launching.errors import LaunchError, Where, listed, nearest
from reflexarc.robot.launching.labels import with_own_labels
from reflexarc.robot.launching.model import Argument, Launch, Message, Process, Section
from reflexarc.robot.launching.nodes import (
    check_namespace,
    check_variable,
    read_executable,
    read_node,
)
from reflexarc.robot.launching.packages import prefixes
from reflexarc.robot.launching.parameters import typed
from reflexarc.robot.launching.schema import check
from reflexarc.robot.launching.substitutions import truth
from reflexarc.robot.launching.template import unescape

_DEEPEST = 20
_Found = Process | Message | Section


def resolve(
    file: Path,
    arguments: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Launch:
    """Read a launch file and everything that it includes.

    Args:
        file: the launch file.
        arguments: values of its arguments.
        environment: ours, if left out.

    Raises:
        LaunchError: with the line, whatever is wrong; except programs that are not there,
            which `Launch.check` tells.
    """
    file = file.absolute()
    started_with = dict(os.environ if environment is None else environment)
    surroundings = {
        **started_with,
        # What the wheels need to find themselves; where ROS 2 is installed, it is set.
        "AMENT_PREFIX_PATH": ":".join(str(path) for path in prefixes(started_with)),
    }
    walk = _Walk(surroundings)
    context = Context(dict(arguments or {}), dict(surroundings), file)
    root = walk.file(context, Where(file, 1), 0)
    for name in arguments or {}:
        if name not in walk.arguments:
            raise LaunchError(
                expected=f"an argument of {file.name}: {listed(walk.arguments)}",
                found=f"{name}:={(arguments or {})[name]}",
                remedy=nearest(name, walk.arguments, "see --show-args"),
            )
    return Launch(file, with_own_labels(root), walk.arguments)


def declared_arguments(file: Path) -> dict[str, Argument]:
    """The arguments of one file, wherever in it they stand, by name."""
    found: dict[str, Argument] = {}
    _declared(_root(file), found)
    return found


def _root(file: Path) -> Entity:
    tree = read(file)
    below = tree.entries.get("launch") if isinstance(tree, Table) else None
    if below is None or not isinstance(tree, Table) or len(tree.entries) != 1:
        raise LaunchError(
            expected="`launch:` as the only key of the file",
            found=listed(tree.entries) if isinstance(tree, Table) else describe(tree),
            remedy="name a launch file (NAME.launch.yaml)",
            where=tree.where,
        )
    root = Entity.of("launch", below)
    check(root)
    return root


def _declared(entity: Entity, found: dict[str, Argument]) -> None:
    for child in entity.children():
        if child.tag == "arg":
            argument = _argument(child)
            found.setdefault(argument.name, argument)
        elif child.tag == "group":
            _declared(child, found)


def _argument(entity: Entity) -> Argument:
    name = unescape(entity.needed_text("name"))
    default = entity.text("default")
    description = unescape(entity.text("description") or "")
    choices = []
    for part in entity.parts("choice"):
        choices.append(unescape(part.needed_text("value")))
    return Argument(name, description, default, tuple(choices), entity.where)


class _Walk:
    def __init__(self, started_with: dict[str, str]) -> None:
        self.started_with = started_with
        self.arguments: dict[str, Argument] = {}

    def file(self, context: Context, where: Where, depth: int) -> Section:
        if depth > _DEEPEST:
            raise LaunchError(
                expected=f"at most {_DEEPEST} files that include each other",
                found="more: a file that includes itself",
                remedy="remove one `include`, or give it an `if`",
                where=where,
            )
        root = _root(context.file)
        for name, argument in declared_arguments(context.file).items():
            self.arguments.setdefault(name, argument)
        return Section(context.file.name, tuple(self.children(root, context, depth)))

    def children(self, entity: Entity, context: Context, depth: int) -> list[_Found]:
        found: list[_Found] = []
        for child in entity.children():
            item = self.tag(child, context, depth)
            if item is not None:
                found.append(item)
        return found

    def tag(self, entity: Entity, context: Context, depth: int) -> _Found | None:
        if not self.holds(entity, context):
            return None
        match entity.tag:
            case "node":
                return read_node(entity, context, self.started_with)
            case "executable":
                return read_executable(entity, context, self.started_with)
            case "group":
                return self.group(entity, context, depth)
            case "include":
                return self.include(entity, context, depth)
            case "log":
                text = context.text(entity.needed_text("message"), entity.where_of("message"))
                return Message(text)
            case "arg":
                self.arg(entity, context)
            case "let":
                self.let(entity, context)
            case "set_env" | "append_env" | "unset_env":
                self.environment(entity, context)
            case "push_ros_namespace" | "push-ros-namespace":
                self.namespace(entity, context)
            case "set_parameter":
                self.parameter(entity, context)
            case "set_remap":
                self.remap(entity, context)
        return None

    def holds(self, entity: Entity, context: Context) -> bool:
        """The conditions `if` and `unless`."""
        for word, wanted in (("if", True), ("unless", False)):
            text = entity.text(word)
            if text is not None:
                where = entity.where_of(word)
                return truth(context.text(text, where), where, word) is wanted
        return True

    def group(self, entity: Entity, context: Context, depth: int) -> Section:
        scoped = entity.truth("scoped", True)
        inner = context.scoped() if scoped else context
        title = "group" if scoped else "group, not scoped"
        return Section(title, tuple(self.children(entity, inner, depth)))

    def include(self, entity: Entity, context: Context, depth: int) -> Section:
        where = entity.where_of("file")
        name = context.text(entity.needed_text("file"), where)
        given = []
        for part in entity.parts("arg"):
            key = context.text(part.needed_text("name"), part.where_of("name"))
            given.append((key, context.text(part.needed_text("value"), part.where_of("value"))))
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            raise LaunchError(
                expected="a launch file in YAML",
                found=name,
                remedy="run it with `ros2 launch`, or write it in YAML",
                where=where,
            )
        # As in ROS 2, what an included file sets stays set behind it: only groups are scopes.
        context.variables.update(given)
        outer, context.file = context.file, path.absolute()
        try:
            return self.file(context, where, depth + 1)
        finally:
            context.file = outer

    def arg(self, entity: Entity, context: Context) -> None:
        argument = _argument(entity)
        if argument.name not in context.variables:
            if argument.default is None:
                words = f" ({argument.description})" if argument.description else ""
                raise LaunchError(
                    expected=f"the argument {argument.name}{words}",
                    found="none, and it has no default",
                    remedy=f"add {argument.name}:=VALUE",
                    where=entity.where,
                )
            where = entity.where_of("default")
            context.variables[argument.name] = context.text(argument.default, where)
        value = context.variables[argument.name]
        if argument.choices and value not in argument.choices:
            raise LaunchError(
                expected=f"as {argument.name} one of {', '.join(argument.choices)}",
                found=repr(value),
                remedy=nearest(value, argument.choices, f"write {argument.name}:=CHOICE"),
                where=entity.where,
            )
        self.arguments[argument.name] = replace(argument, value=value)

    def let(self, entity: Entity, context: Context) -> None:
        name = context.text(entity.needed_text("name"), entity.where_of("name"))
        value = context.text(entity.needed_text("value"), entity.where_of("value"))
        context.variables[name] = value

    def environment(self, entity: Entity, context: Context) -> None:
        name = context.text(entity.needed_text("name"), entity.where_of("name"))
        if entity.tag == "unset_env":
            context.environment.pop(name, None)
            return
        value = context.text(entity.needed_text("value"), entity.where_of("value"))
        if entity.tag == "append_env" and name in context.environment:
            separator = entity.text("separator")
            first = entity.truth("prepend", False)
            old = context.environment[name]
            between = os.pathsep if separator is None else separator
            value = f"{value}{between}{old}" if first else f"{old}{between}{value}"
        check_variable(name, value, entity.where)
        context.environment[name] = value

    def namespace(self, entity: Entity, context: Context) -> None:
        where = entity.where_of("namespace")
        pushed = context.text(entity.needed_text("namespace"), where)
        context.namespace = join_namespace(context.namespace, pushed)
        check_namespace(context.namespace, where)

    def parameter(self, entity: Entity, context: Context) -> None:
        name = context.text(entity.needed_text("name"), entity.where_of("name"))
        where = entity.where_of("value")
        source = entity.needed_text("value")
        # Other than a node's own `param`, here ROS 2 reads plain text as YAML, too.
        context.parameters.append((name, typed(context.text(source, where), where, name)))

    def remap(self, entity: Entity, context: Context) -> None:
        old = context.text(entity.needed_text("from"), entity.where_of("from"))
        new = context.text(entity.needed_text("to"), entity.where_of("to"))
        context.remaps.append((old, new))
