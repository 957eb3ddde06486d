"""The `reflexarc` command. One verb is one module; this file only lists them.

Verbs import what they need when they run, so that `--help` is quick and a
Raspberry Pi without TensorFlow can use every verb that does not train.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any

import typer
import typer.core
from rich.markup import escape

from reflexarc.cli.output import err, print_json
from reflexarc.core import ReflexarcError

# In the order in which a user needs them.
VERBS = {
    "demo": "reflexarc.cli.demo",
    "doctor": "reflexarc.cli.doctor",
    "assets": "reflexarc.cli.assets",
    "train": "reflexarc.cli.train",
    "export": "reflexarc.cli.export",
    "check": "reflexarc.cli.check",
    "evaluate": "reflexarc.cli.evaluate",
    "bench": "reflexarc.cli.bench",
    "card": "reflexarc.cli.card",
    "edgetpu": "reflexarc.cli.edgetpu",
    "zoo": "reflexarc.cli.zoo",
    "see": "reflexarc.cli.see",
    "replay": "reflexarc.cli.replay",
    "board": "reflexarc.cli.board",
    "emulate": "reflexarc.cli.emulate",
    "sim": "reflexarc.cli.sim",
    "describe": "reflexarc.cli.describe",
    "run": "reflexarc.cli.run",
    "say": "reflexarc.cli.say",
    "plan": "reflexarc.cli.plan",
    "chat": "reflexarc.cli.chat",
    "stop": "reflexarc.cli.stop",
    "launch": "reflexarc.cli.launch",
    "know": "reflexarc.cli.know",
    "log": "reflexarc.cli.log",
    "eval-plan": "reflexarc.cli.eval_plan",
}


class _InOrder(typer.core.TyperGroup):
    """Lists the verbs as VERBS does; typer would put those with sub-verbs last."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(VERBS)


app = typer.Typer(
    cls=_InOrder,
    help="From Keras to INT8 to a turning wheel: models, eyes, reflexes and motors of a robot.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every verb."""
    # main() reads --debug from the arguments: it must know before typer has parsed them.


for _name, _module in VERBS.items():
    importlib.import_module(_module).register(app, _name)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: 0 done, 1 a check failed, 2 bad input, 130 Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # TensorFlow reads it once, at import.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app(arguments)
    except ReflexarcError as error:
        if "--debug" in arguments:
            raise
        _report(error, as_json="--json" in arguments)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _report(error: ReflexarcError, *, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = error.as_dict()
        print_json(data)
    err.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
