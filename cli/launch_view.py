"""A resolved launch file as a tree for people and as data for machines."""

from __future__ import annotations

import shlex
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from reflexarc.robot.launching import Launch, Process
from reflexarc.robot.launching.model import Message, Section


def as_tree(launch: Launch) -> Tree:
    """What would be started, with its parameters, remaps and environment."""
    tree = Tree(f"[bold]{escape(str(launch.file))}[/]")
    given = {a.name: a.value for a in launch.arguments.values() if a.value is not None}
    if given:
        branch = tree.add("arguments")
        for name, value in given.items():
            branch.add(escape(f"{name} := {value or repr('')}"))
    _fill(tree, launch.root)
    return tree


def as_data(launch: Launch) -> dict[str, Any]:
    """The same for JSON; the tree's nesting is left out."""
    return {
        "file": str(launch.file),
        "arguments": {a.name: a.value for a in launch.arguments.values()},
        "processes": [_data(process) for process in launch.processes],
    }


def _fill(tree: Tree, section: Section) -> None:
    for item in section.items:
        if isinstance(item, Process):
            _add(tree, item)
        elif isinstance(item, Message):
            tree.add(f"[dim]log: {escape(item.text)}[/]")
        elif item.items:
            _fill(tree.add(f"[dim]{escape(item.title)}[/]"), item)


def _add(tree: Tree, process: Process) -> None:
    notes = []
    if process.lifecycle is not None:
        notes.append("lifecycle")
    if process.required:
        notes.append("required")
    if process.respawn is not None:
        notes.append(f"respawn after {process.respawn.delay_s:g} s")
    package = f"{process.package} " if process.package else ""
    title = f"[bold cyan]{escape(process.label)}[/]  {escape(package + str(process.executable))}"
    branch = tree.add(title + (f"  [dim]({', '.join(notes)})[/]" if notes else ""))
    if process.missing is not None:
        branch.add(f"[red]missing: {escape(process.missing.remedy)}[/]")
    if process.namespace is not None:
        branch.add(escape(f"namespace {process.namespace}"))
    for name, value in process.parameters.items():
        branch.add(escape(f"{name}: {value!r}"))
    for old, new in process.remaps:
        branch.add(escape(f"{old} -> {new}"))
    for name, text in process.changes.items():
        branch.add(escape(f"{name}={text}" if text is not None else f"unset {name}"))
    if process.cwd is not None:
        branch.add(escape(f"in {process.cwd}"))
    if process.package is None and process.command:
        branch.add(f"[dim]{escape(shlex.join(process.command))}[/]")


def _data(process: Process) -> dict[str, Any]:
    respawn = process.respawn
    return {
        "label": process.label,
        "line": process.where.line,
        "file": str(process.where.file),
        "package": process.package,
        "executable": process.executable,
        "name": process.node_name,
        "namespace": process.namespace,
        "command": list(process.command),
        "parameters": process.parameters,
        "remaps": [{"from": old, "to": new} for old, new in process.remaps],
        "environment": process.changes,
        "cwd": str(process.cwd) if process.cwd is not None else None,
        "lifecycle": process.lifecycle.name if process.lifecycle is not None else None,
        "required": process.required,
        "respawn": {"delay_s": respawn.delay_s, "most": respawn.most} if respawn else None,
        "missing": process.missing.as_dict() if process.missing is not None else None,
    }
