"""`reflexarc launch`: the ROS graph from a launch file, with or without ROS 2's own launch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from reflexarc.cli.output import JsonOption, err, out, print_json

if TYPE_CHECKING:
    from reflexarc.robot.launching import Argument


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(launch)


def launch(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="robot, sim, perception, ..., or a path.")
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARG:=VALUE]...", help="See --show-args for those of a file."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--print", help="Show what would be started, and start nothing.")
    ] = False,
    show_args: Annotated[
        bool, typer.Option("--show-args", help="Show the arguments of the file.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Start the nodes of a ROS 2 launch file and look after them until Ctrl-C.

    Lifecycle nodes are configured and activated in the order of the file; what dies is
    started again if the file says so; when a required node dies, all stop. The exit code is
    that of the required node that died.
    """
    from reflexarc.cli.launch_view import as_data, as_tree
    from reflexarc.robot.launching import Supervisor, dds_profile, find_launch_file, resolve
    from reflexarc.robot.launching.resolve import declared_arguments

    file = find_launch_file(name)
    if show_args:
        _show_arguments(declared_arguments(file), as_json=json)
        return
    resolved = resolve(file, _values(arguments or []))
    if show:
        if json:
            print_json(as_data(resolved))
        else:
            out.print(as_tree(resolved))
        if any(process.missing for process in resolved.processes):
            raise typer.Exit(1)
        return
    from reflexarc.cli.launch_screen import JsonLines, Screen

    screen = JsonLines() if json else Screen([process.label for process in resolved.processes])
    colours = {"RCUTILS_COLORIZED_OUTPUT": "1"} if out.is_terminal and not json else {}
    outcome = Supervisor(resolved, screen, {**dds_profile(), **colours}).run()
    screen.end(outcome)
    sys.exit(outcome.code)


def _values(arguments: list[str]) -> dict[str, str]:
    from reflexarc.robot.launching import LaunchError

    values = {}
    for argument in arguments:
        key, sign, value = argument.partition(":=")
        if not sign or not key:
            raise LaunchError(
                expected="arguments as NAME:=VALUE",
                found=repr(argument),
                remedy=f"write {argument.replace('=', ':=', 1)}"
                if "=" in argument
                else f"write {argument}:=VALUE",
            )
        values[key] = value
    return values


def _show_arguments(arguments: dict[str, Argument], *, as_json: bool) -> None:
    from reflexarc.cli.output import table

    if as_json:
        print_json(
            [
                {
                    "name": argument.name,
                    "default": argument.default,
                    "choices": list(argument.choices),
                    "description": argument.description,
                }
                for argument in arguments.values()
            ]
        )
        return
    if not arguments:
        err.print("no arguments")
        return
    rows = []
    for argument in arguments.values():
        default = "(must be given)" if argument.default is None else argument.default or '""'
        words = argument.description
        if argument.choices:
            words = f"{words}: {', '.join(argument.choices)}".removeprefix(": ")
        rows.append((argument.name, default, words))
    out.print(table(("argument", "default", "what it is"), rows))
