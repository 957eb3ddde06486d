"""`reflexarc chat`: talk to the robot at the terminal."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import err, out

if TYPE_CHECKING:
    from reflexarc.robot.living import Living

PROMPT = "> "


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(chat)


def chat(
    robot: Annotated[Path | None, typer.Option(help="The robot.yaml.")] = None,
    port: Annotated[str | None, typer.Option(help="Instead of board.port.")] = None,
    source: Annotated[str | None, typer.Option(help="Instead of perception.source.")] = None,
    planner: Annotated[
        list[str] | None, typer.Option(help="parser, llm or local; several are asked in turn.")
    ] = None,
) -> None:
    """Preview, confirm, progress. Ctrl-C stops the robot; Ctrl-D, or "bye", ends the talk."""
    from reflexarc.cli.robots import camera_of, config_of, connected, manual, planner_of
    from reflexarc.robot.living import living, watching

    config = config_of(robot)
    eyes = source or config.perception.source
    with (
        connected(config, port) as board,
        living(config, board, planner_of(config, planner), answer=manual()) as alive,
        contextlib.ExitStack() as looking,
    ):
        if eyes:
            frames = looking.enter_context(camera_of(eyes, config))
            looking.enter_context(watching(alive.robot, frames))
        err.print(f"{config.name}: armed. Ctrl-C stops it, Ctrl-D ends the talk.")
        _talk(alive)


def _talk(alive: Living) -> None:
    while True:
        try:
            text = input(PROMPT)
        except EOFError:
            err.print()
            return
        except KeyboardInterrupt:
            _stop(alive)
            continue
        if text.strip().casefold() in ("bye", "exit", "quit", "再见", "退出"):
            return
        if text.strip():
            _answer(alive, text)


def _answer(alive: Living, text: str) -> None:
    from reflexarc.cli.robots import carry_on

    answers = (told.as_dict() for told in alive.converse(text))
    try:
        with contextlib.closing(answers):
            carry_on(answers, as_json=False)
    except KeyboardInterrupt:
        _stop(alive)


def _stop(alive: Living) -> None:
    out.print(f"[bold]{escape(alive.hear('stop').text)}[/]", highlight=False)
