"""`reflexarc log`: what the robot was asked, what it did, and why; and that nobody changed it."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, out, print_json, print_line

if TYPE_CHECKING:
    from reflexarc.robot.audit import Entry

PathArgument = Annotated[Path | None, typer.Argument(help="The log; the robot's if left out.")]
RobotOption = Annotated[Path | None, typer.Option("--robot", help="The robot.yaml.")]


def register(app: typer.Typer, name: str) -> None:
    """Add the verb and what it does."""
    verbs = typer.Typer(help="Read the audit log, or verify its chain.", no_args_is_help=True)
    verbs.command("show")(show)
    verbs.command("verify")(verify)
    app.add_typer(verbs, name=name)


def show(
    path: PathArgument = None,
    robot: RobotOption = None,
    last: Annotated[int, typer.Option(min=1, help="So many of the newest entries.")] = 30,
    kind: Annotated[str | None, typer.Option(help="Only these: drive, plan, stop, ...")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON line an entry.")] = False,
) -> None:
    """The newest entries, oldest first. 2 where the chain is broken, after what is before it."""
    from collections import deque

    from reflexarc.robot import audit

    entries: deque[Entry] = deque(maxlen=last)
    try:
        entries.extend(e for e in audit.read(_log(path, robot)) if kind in (None, e.kind))
    finally:
        for entry in entries:
            _show(entry, json)


def _show(entry: Entry, json: bool) -> None:
    if json:
        print_line({"n": entry.number, "time": entry.time, "kind": entry.kind, **entry.data})
        return
    data = escape(jsonlib.dumps(entry.data, ensure_ascii=False))
    stamp = escape(entry.time[11:23])
    out.print(f"[dim]{stamp}[/] [bold]{escape(entry.kind)}[/] {data}", highlight=False)


def _log(path: Path | None, robot: Path | None) -> Path:
    from reflexarc.cli.robots import config_of
    from reflexarc.robot import audit

    return path or audit.path_of(config_of(robot))


def verify(path: PathArgument = None, robot: RobotOption = None, json: JsonOption = False) -> None:
    """Check that no entry was changed, taken out or put in. 2 if one was."""
    from reflexarc.robot import audit

    first = last = None
    number = 0
    for entry in audit.read(_log(path, robot)):
        first = first or entry
        last = entry
        number += 1
    if json:
        print_json({"entries": number, "first": first and first.time, "last": last and last.time})
    elif first is None or last is None:
        out.print("the log is empty")
    else:
        more = "" if first.number == 0 else f"; the {first.number} before were rotated away"
        out.print(f"{number} entries, {first.time} to {last.time}: unbroken{more}")
