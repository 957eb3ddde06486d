"""`reflexarc plan`: what an order would do; nothing moves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, out, print_json


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(plan)


def plan(
    text: Annotated[str, typer.Argument(help="The order, in English or Chinese.")],
    planner: Annotated[
        list[str] | None, typer.Option(help="parser, llm or local; several are asked in turn.")
    ] = None,
    robot: Annotated[Path | None, typer.Option(help="The robot.yaml.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the plan of an order. 0: it could be done; 1: refused, or a question back."""
    from reflexarc.cli.robots import config_of, planner_of
    from reflexarc.robot.plan_check import checked, needs_word
    from reflexarc.robot.words import describe_plan, language_of

    config = config_of(robot)
    language = language_of(text[:200])
    made = checked(planner_of(config, planner).plan(text), config.limits, language)
    if json:
        print_json(made.model_dump(mode="json"))
    else:
        words = describe_plan(made.actions, language) if made.status == "ok" else made.message
        out.print(f"[bold]{made.status}[/]: {escape(words)}", highlight=False)
        for action in made.actions:
            out.print(f"  {escape(str(action))}", highlight=False)
        asks = ", asks first" if needs_word(made, config.language.confirm) else ""
        out.print(f"[dim]{made.planner}, {100 * made.confidence:.0f} % sure{asks}[/]")
    if made.status != "ok":
        raise typer.Exit(1)
