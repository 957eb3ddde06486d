"""The tags `node` and `executable`: from their attributes to a process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from reflexarc.robot.launching.commands import find_on_path, find_program, words
from reflexarc.robot.launching.context import Context, join_namespace
from reflexarc.robot.launching.entity import Entity
from reflexarc.robot.launching.errors import LaunchError, Where, listed, nearest
from reflexarc.robot.launching.model import Lifecycle, Process, Respawn
from reflexarc.robot.launching.parameters import argument_of, read_parameters
from reflexarc.robot.launching.substitutions import truth

AUTOSTART = "autostart"
"""The parameter by which a lifecycle node is known."""

_NODE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+")
_OUTPUTS = {"screen", "log", "both", "own_log", "full"}
_FIRST_RESPAWN_S = 1.0


def read_node(entity: Entity, context: Context, started_with: dict[str, str]) -> Process:
    """A `node` tag.

    Args:
        entity: the tag.
        context: what is known at its place.
        started_with: our own environment, to tell what the file changed in it.

    Raises:
        LaunchError: an attribute that cannot be used. A missing program is no error yet.
    """
    where = entity.where
    package = _filled(entity, context, "pkg")
    executable = context.text(entity.needed_text("exec"), entity.where_of("exec"))
    name = _filled(entity, context, "name")
    namespace = join_namespace(context.namespace, _filled(entity, context, "namespace"))
    exec_name = _filled(entity, context, "exec_name")
    arguments = words(entity, context, "args")
    ros_arguments = words(entity, context, "ros_args")
    values, parameter_files = read_parameters(entity, context)
    parameters = dict([*context.parameters, *values])
    remaps = [*context.remaps, *(_remap(part, context) for part in entity.parts("remap"))]
    process = _common(entity, context, started_with)
    if name is not None and not _NODE_NAME.fullmatch(name):
        raise LaunchError(
            expected="a node's name of letters, digits and _",
            found=repr(name),
            remedy="rename it",
            where=entity.where_of("name"),
        )
    check_namespace(namespace, entity.where_of("namespace"))
    lifecycle = _lifecycle(parameters, name, namespace, where)
    ros = ["--ros-args", *ros_arguments]
    if name is not None:
        ros += ["-r", f"__node:={name}"]
    if namespace is not None:
        ros += ["-r", f"__ns:={namespace}"]
    for path in parameter_files:
        ros += ["--params-file", str(path)]
    for key, value in parameters.items():
        ros += ["-p", argument_of(key, value)]
    for old, new in remaps:
        ros += ["-r", f"{old}:={new}"]
    program, missing = find_program(package, executable, context, entity.where_of("exec"))
    prefix = words(entity, context, "launch-prefix")
    return Process(
        **{
            **process,
            "label": exec_name or name or Path(executable).name,
            "command": (*prefix, program, *arguments, *ros) if program else (),
            "missing": missing,
            "lifecycle": lifecycle,
            "package": package,
            "executable": executable,
            "node_name": name,
            "namespace": namespace,
            "parameters": parameters,
            "remaps": tuple(remaps),
        }
    )


def read_executable(entity: Entity, context: Context, started_with: dict[str, str]) -> Process:
    """An `executable` tag: any command.

    Raises:
        LaunchError: an attribute that cannot be used. A missing program is no error yet.
    """
    command = words(entity, context, "cmd")
    name = _filled(entity, context, "name")
    process = _common(entity, context, started_with)
    prefix = words(entity, context, "launch-prefix")
    if not command:
        raise LaunchError(
            expected="a command as cmd of executable",
            found="nothing",
            remedy="name a program and its arguments",
            where=entity.where_of("cmd"),
        )
    there = entity.where_of("cmd")
    path = process["environment"].get("PATH")
    program, missing = find_on_path(command[0], path, process["cwd"], there)
    return Process(
        **{
            **process,
            "label": name or Path(command[0]).name,
            "command": (*prefix, program, *command[1:]) if program else (),
            "missing": missing,
            "executable": command[0],
        }
    )


def check_namespace(namespace: str | None, where: Where) -> None:
    """See that it is one.

    Raises:
        LaunchError: it is not.
    """
    if namespace is not None and not _NAMESPACE.fullmatch(namespace):
        raise LaunchError(
            expected="a namespace of names with / between them, each of letters, digits and _",
            found=repr(namespace),
            remedy="rename it",
            where=where,
        )


def _common(entity: Entity, context: Context, started_with: dict[str, str]) -> dict[str, Any]:
    environment = dict(context.environment)
    for part in entity.parts("env"):
        key = context.text(part.needed_text("name"), part.where_of("name"))
        environment[key] = context.text(part.needed_text("value"), part.where_of("value"))
        check_variable(key, environment[key], part.where)
    output = _filled(entity, context, "output")
    if output is not None and output not in _OUTPUTS:
        raise LaunchError(
            expected=f"as output one of {listed(_OUTPUTS)}",
            found=repr(output),
            remedy=nearest(output, _OUTPUTS, "write screen"),
            where=entity.where_of("output"),
        )
    cwd = _filled(entity, context, "cwd")
    if cwd is not None and not Path(cwd).is_dir():
        raise LaunchError(
            expected="a folder as cwd",
            found=f"nothing at {cwd}",
            remedy="make it, or leave cwd out",
            where=entity.where_of("cwd"),
        )
    term, kill = entity.number("sigterm_timeout"), entity.number("sigkill_timeout")
    return {
        "environment": environment,
        "where": entity.where,
        "changes": _changes(started_with, environment),
        "cwd": Path(cwd) if cwd is not None else None,
        "required": _on_exit(entity),
        "respawn": _respawn(entity, context),
        "sigterm_timeout_s": 5.0 if term is None else term,
        "sigkill_timeout_s": 5.0 if kill is None else kill,
    }


def check_variable(name: str, value: str, where: Where) -> None:
    """See that the operating system can take it.

    Raises:
        LaunchError: it cannot.
    """
    if not name or "=" in name or "\0" in name + value:
        raise LaunchError(
            expected="an environment variable",
            found=repr(name),
            remedy="give it a name without =, and no NUL",
            where=where,
        )


def _changes(old: dict[str, str], new: dict[str, str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {
        key: value for key, value in new.items() if old.get(key) != value
    }
    return {**changed, **{key: None for key in old if key not in new}}


def _on_exit(entity: Entity) -> bool:
    value = entity.text("on_exit")
    if value not in (None, "shutdown"):
        raise LaunchError(
            expected="shutdown as on_exit (ROS 2 knows nothing else there)",
            found=repr(value),
            remedy="write `on_exit: shutdown`, or leave it out",
            where=entity.where_of("on_exit"),
        )
    return value is not None


def _respawn(entity: Entity, context: Context) -> Respawn | None:
    text = _filled(entity, context, "respawn")
    delay = entity.number("respawn_delay")
    most = entity.whole("respawn_max_retries")
    if text is None or not truth(text, entity.where_of("respawn"), "respawn"):
        return None
    # ROS 2 waits for nothing by default; a program that ends at once would fill the machine.
    return Respawn(
        delay_s=delay or _FIRST_RESPAWN_S, most=None if most is None or most < 0 else most
    )


def _remap(part: Entity, context: Context) -> tuple[str, str]:
    old = context.text(part.needed_text("from"), part.where_of("from"))
    new = context.text(part.needed_text("to"), part.where_of("to"))
    return old, new


def _lifecycle(
    parameters: dict[str, Any], name: str | None, namespace: str | None, where: Where
) -> Lifecycle | None:
    """A node with `autostart`: we do its transitions, unless it says that nobody should."""
    if AUTOSTART not in parameters:
        return None
    wanted = parameters[AUTOSTART]
    if not isinstance(wanted, bool):
        raise LaunchError(
            expected=f"true or false as the parameter {AUTOSTART}",
            found=repr(wanted),
            remedy='write it without quotes, or as "$(var autostart)"',
            where=where,
        )
    if name is None:
        raise LaunchError(
            expected=f"a name of the node that has the parameter {AUTOSTART}",
            found="none",
            remedy="add `name:`; its transitions are asked for by this name",
            where=where,
        )
    parameters[AUTOSTART] = False
    return Lifecycle(f"{(namespace or '/').rstrip('/')}/{name}") if wanted else None


def _filled(entity: Entity, context: Context, name: str) -> str | None:
    text = entity.text(name)
    return context.text(text, entity.where_of(name)) if text is not None else None
