"""`reflexarc say`: one order in plain words, to the robot that runs or to the board itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

"""Of pictures and videos in place of a camera."""


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(say)


def say(
    text: Annotated[str, typer.Argument(help="The order, in English or Chinese.")],
    robot: Annotated[Path | None, typer.Option(help="The robot.yaml.")] = None,
    port: Annotated[str | None, typer.Option(help="Instead of board.port.")] = None,
    source: Annotated[str | None, typer.Option(help="Instead of perception.source.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before risky orders.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON line an event.")] = False,
) -> None:
    """Do an order. If a robot runs already, it is told; otherwise the board is taken for it.

    Ctrl-C stops the robot. 0: done; 1: refused or not understood; 2: it could not be done.
    """
    from reflexarc.cli.robots import (
        camera_of,
        config_of,
        connected,
        manual,
        order,
        order_remotely,
        planner_of,
        running_robot,
    )
    from reflexarc.robot.living import living, watching

    socket = running_robot(robot) if port is None else None
    if socket is not None:
        code = order_remotely(socket, text, yes=yes, as_json=json)
    else:
        config = config_of(robot)
        eyes = source or config.perception.source
        with (
            connected(config, port) as board,
            living(config, board, planner_of(config), listen=False, answer=manual()) as alive,
            contextlib.ExitStack() as looking,
        ):

            def ask(sentence: str) -> Iterator[dict[str, Any]]:
                for told in alive.converse(sentence):
                    if eyes and not looking_at and alive.robot.controller.needed_tasks():
                        looking_at.append(eyes)
                        frames = looking.enter_context(camera_of(eyes, config))
                        looking.enter_context(watching(alive.robot, frames))
                    yield told.as_dict()

            looking_at: list[str] = []
            code = order(ask, text, yes=yes, as_json=json)
    if code:
        raise typer.Exit(code)
