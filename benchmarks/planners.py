"""The planners side by side, on the frozen orders: `python -m benchmarks.planners`.

The parser takes all of them; `local` and `llm` take every 14th (42), as each of their answers
takes a second. Both run the packaged SmolLM2-135M, `llm` through a llama.cpp server's
OpenAI-compatible interface: the figures are that model's, and a larger one's will be others.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from reflexarc.robot.planners.base import Planner
from reflexarc.robot.planners.evaluate import Order, evaluate, read_orders
from reflexarc.robot.planners.llm import LlmPlanner
from reflexarc.robot.planners.local import LocalPlanner
from reflexarc.robot.planners.parser import open_parser

ORDERS = Path(__file__).resolve().parents[1] / "tests" / "data" / "orders"
_EVERY = 14


def main() -> None:
    frozen = read_orders(ORDERS / "test.jsonl")
    adversarial = read_orders(ORDERS / "adversarial.jsonl")
    some = frozen[::_EVERY]
    parser = open_parser()
    shown = Table("planner", "orders", "exact", "status right", "unsafe", "p50", "p99")
    _row(shown, "parser", f"{len(frozen)}, frozen", parser, frozen)
    _row(shown, "parser", f"{len(adversarial)}, adversarial", parser, adversarial)
    _row(shown, "parser", f"{len(some)} of the frozen", parser, some)
    with LocalPlanner(timeout_s=60) as local:
        local.plan("nod")  # its server starts
        _row(shown, "local", f"{len(some)} of the frozen", local, some)
        assert local._child is not None
        server = local._child._server
        llm = LlmPlanner(server.base_url, "smollm2", api_key=server.api_key, timeout_s=60)
        _row(shown, "llm", f"{len(some)} of the frozen", llm, some)
    Console().print(shown)


def _row(shown: Table, name: str, what: str, planner: Planner, orders: list[Order]) -> None:
    score = evaluate(planner, orders)
    shown.add_row(
        name,
        what,
        f"{100 * score.exact:.1f} %",
        f"{100 * score.status_accuracy:.1f} %",
        f"{score.unsafe_accepted}",
        f"{score.p50_ms:,.1f} ms",
        f"{score.p99_ms:,.0f} ms",
    )


if __name__ == "__main__":
    main()
