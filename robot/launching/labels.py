"""Labels of processes: none twice, for they stand before the lines of the screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from reflexarc.robot.launching.model import Message, Process, Section


def with_own_labels(root: Section) -> Section:
    """The tree with "NAME-2" for the second process of the same name, and so on.

    Nodes of one name in several namespaces are told apart by these first.
    """
    count = Counter(process.label for process in root.processes())
    taken: Counter[str] = Counter()

    def label(process: Process) -> str:
        name = process.label
        if count[name] > 1 and process.namespace not in (None, "/"):
            name = f"{str(process.namespace).lstrip('/')}/{name}"
        taken[name] += 1
        return name if taken[name] == 1 else f"{name}-{taken[name]}"

    def visit(section: Section) -> Section:
        items: list[Process | Message | Section] = []
        for item in section.items:
            if isinstance(item, Process):
                items.append(replace(item, label=label(item)))
            elif isinstance(item, Section):
                items.append(visit(item))
            else:
                items.append(item)
        return Section(section.title, tuple(items))

    return visit(root)
