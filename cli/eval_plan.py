"""`reflexarc eval-plan`: how often a planner makes exactly the right plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.command(name)(eval_plan)


def eval_plan(
    files: Annotated[list[Path], typer.Argument(help="Orders with their plans, JSON lines.")],
    planner: Annotated[
        list[str] | None, typer.Option(help="parser, llm, local; a row for each.")
    ] = None,
    robot: Annotated[Path | None, typer.Option(help="The robot.yaml.")] = None,
    json: JsonOption = False,
) -> None:
    """Compare plans with those that are wanted, exactly; unsafe ones are counted apart."""
    from reflexarc.cli.robots import config_of, one_planner
    from reflexarc.robot.planners.evaluate import evaluate, read_orders

    config = config_of(robot)
    orders = [order for path in files for order in read_orders(path)]
    rows, scores = [], {}
    for name in planner or config.language.planners:
        made = one_planner(config, name)
        with err.status(f"{name}: {len(orders)} orders"):
            score = evaluate(made, orders)
        scores[name] = score.as_json()
        rows.append(
            (
                name,
                f"{score.n}",
                f"{100 * score.exact:.1f} %",
                f"{100 * score.status_accuracy:.1f} %",
                f"{score.unsafe_accepted}",
                ", ".join(f"{k} {100 * v.exact:.1f} %" for k, v in score.by_language.items()),
                f"{score.p50_ms:.1f} ms",
                f"{score.p99_ms:.1f} ms",
            )
        )
    if json:
        print_json(scores if len(scores) > 1 else next(iter(scores.values())))
        return
    columns = ("planner", "orders", "exact", "status", "unsafe", "by language", "p50", "p99")
    out.print(table(columns, rows))
    for name, told in scores.items():
        for wrong in told["errors"][:20]:
            out.print(f"[dim]{name}[/] {escape(str(wrong))}", highlight=False)
