"""Tables and the picture of docs/architecture.md, from the nodes' own declarations."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import distribution
from typing import Any

from reflexarc.robot.nodes import graph, qos
from reflexarc.robot.nodes.graph import Call, Topic
from reflexarc.robot.nodes.managed import ManagedNode
from reflexarc.robot.nodes.qos import Quality

ORDER = ("perception", "camera", "brain", "base", "sim", "gazebo_base")


def nodes() -> Iterator[tuple[str, type[ManagedNode[Any]]]]:
    """Program and class of every lifecycle node of ours, in the order of a frame's way."""
    found: dict[str, tuple[str, type[ManagedNode[Any]]]] = {}
    for entry in distribution("reflexarc").entry_points:
        if entry.group != "console_scripts" or not entry.name.endswith("_node"):
            continue
        module = importlib.import_module(entry.module)
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, ManagedNode)
                and value.__module__ == module.__name__
                and hasattr(value, "NAME")
            ):
                found[entry.module.rpartition(".")[2]] = (entry.name, value)
    yield from (found[name] for name in sorted(found, key=ORDER.index))


def _topics() -> list[Topic]:
    return [value for value in vars(graph).values() if isinstance(value, Topic)]


def _calls() -> list[Call]:
    return [value for value in vars(graph).values() if isinstance(value, Call)]


def _type_name(kind: Any) -> str:
    package, _, rest = kind.__module__.partition(".")
    return f"{package}/{rest.split('.')[0]}/{kind.__name__}"


def _names(table: str, entry: Topic | Call) -> str:
    return ", ".join(node.NAME for _, node in nodes() if entry in getattr(node, table)) or "anyone"


def node_table() -> str:
    """Program, node, what it is, in the words of its module."""
    lines = ["| node | program | what it is |", "|---|---|---|"]
    for program, node in nodes():
        module = importlib.import_module(node.__module__)
        first = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        lines.append(f"| `{node.NAME}` | `{program}` | {first} |")
    return "\n".join(lines)


def picture() -> str:
    """The graph of a robot, for Mermaid: who tells whom what."""
    lines = ["```mermaid", "flowchart LR"]
    every = {node.NAME: node for _, node in nodes() if node.NAME not in ("gazebo_base",)}
    lines += [f"  {name}[{name}]" for name in every]
    for sender, one in every.items():
        for receiver, other in every.items():
            shared = [t.name for t in one.PUBLISHES if t in other.SUBSCRIBES]
            if shared and sender != receiver:
                lines.append(f'  {sender} -- "{"<br>".join(shared)}" --> {receiver}')
    for name, node in every.items():
        free = [t.name for t in node.SUBSCRIBES if _names("PUBLISHES", t) == "anyone"]
        if free:
            lines.append(f'  anyone((anyone)) -- "{"<br>".join(free)}" --> {name}')
    return "\n".join([*lines, "```"])


def topic_table() -> str:
    """Every topic: type, direction, rate, quality of service."""
    lines = ["| topic | type | from → to | rate | QoS | what |", "|---|---|---|---|---|---|"]
    for topic in _topics():
        way = f"{_names('PUBLISHES', topic)} → {_names('SUBSCRIBES', topic)}"
        lines.append(
            f"| `{topic.name}` | `{_type_name(topic.type)}` | {way} | {topic.rate} "
            f"| {topic.quality.name} | {topic.what} |"
        )
    return "\n".join(lines)


def call_table() -> str:
    """Services and actions."""
    lines = ["| name | type | of | what |", "|---|---|---|---|"]
    for call in _calls():
        of = _names("SERVES", call)
        lines.append(f"| `{call.name}` | `{_type_name(call.type)}` | {of} | {call.what} |")
    return "\n".join(lines)


def quality_table() -> str:
    """Each QoS profile and why."""
    lines = ["| QoS | profile | why |", "|---|---|---|"]
    for quality in (value for value in vars(qos).values() if isinstance(value, Quality)):
        lines.append(f"| {quality.name} | {quality} | {quality.why} |")
    return "\n".join(lines)


def parameter_table() -> str:
    """Each node's parameters."""
    lines = ["| node | parameter | default | what |", "|---|---|---|---|"]
    for _, node in nodes():
        for name, field in node.PARAMETERS.model_fields.items():
            default = "" if field.default in ("", None, [""], []) else f"`{field.default}`"
            lines.append(f"| `{node.NAME}` | `{name}` | {default} | {field.description} |")
    return "\n".join(lines)


TABLES = {
    "nodes": node_table,
    "picture": picture,
    "topics": topic_table,
    "calls": call_table,
    "qos": quality_table,
    "parameters": parameter_table,
}
