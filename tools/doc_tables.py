"""Renew the tables of the documentation from the code. `--check PAGE` only says if they differ.

docs/perception.md needs nothing; docs/architecture.md needs ROS 2's Python packages.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from reflexarc.perception.cameras import camera_kinds, live_options
from reflexarc.perception.tasks import task_options, tasks
from reflexarc.sim.scenario import load_scenario, packaged_scenarios

DOCS = Path(__file__).parents[1] / "docs"


def cameras() -> str:
    lines = ["| source | what it is | options (default) |", "|---|---|---|"]
    usages = set()
    for kind in camera_kinds():
        # http and https, rtsp and rtsps are one camera.
        if kind.usage in usages:
            continue
        usages.add(kind.usage)
        live = "" if kind.live else " Waits: no frame is lost."
        options = {option.name: option.default for option in kind.options}
        lines.append(f"| `{kind.usage}` | {kind.text}{live} | {_options(options)} |")
    return "\n".join(lines)


def live() -> str:
    lines = ["| option | meaning | default |", "|---|---|---|"]
    for option in live_options():
        lines.append(f"| `{option.name}` | {option.text} | {option.default:g} |")
    return "\n".join(lines)


def task_table() -> str:
    lines = ["| task | what it says | options (default) |", "|---|---|---|"]
    for name in tasks():
        (entry,) = entry_points(group="reflexarc.tasks", name=name)
        module = sys.modules.get(entry.module) or __import__(entry.module, fromlist=["x"])
        first = (module.__doc__ or "").strip().splitlines()[0]
        said = first.removeprefix(f"The {name} task: ").rstrip(".")
        lines.append(f"| `{name}` | {said} | {_options(task_options(name))} |")
    return "\n".join(lines)


def _options(options: Mapping[str, object]) -> str:
    shown = []
    for name, default in options.items():
        text = {True: "1", False: "0", None: "", "": ""}.get(default, str(default))  # type: ignore[call-overload]
        if isinstance(default, tuple):
            text = "x".join(map(str, default))
        shown.append(f"`{name}`" + (f" ({text})" if text else ""))
    return ", ".join(shown) or "–"


Tables = Mapping[str, Callable[[], str]]


def perception_tables() -> Tables:
    return {"cameras": cameras, "live": live, "tasks": task_table}


def architecture_tables() -> Tables:
    import graph_tables

    return graph_tables.TABLES


def scenarios() -> str:
    lines = ["| scenario | simulated s | what happens |", "|---|---|---|"]
    for name in packaged_scenarios():
        found = load_scenario(name)
        lines.append(f"| `{name}` | {found.seconds:g} | {' '.join(found.about.split())} |")
    return "\n".join(lines)


def simulation_tables() -> Tables:
    return {"scenarios": scenarios}


PAGES: dict[str, Callable[[], Tables]] = {
    "perception.md": perception_tables,
    "architecture.md": architecture_tables,
    "simulation.md": simulation_tables,
}


def renewed(text: str, tables: Tables) -> str:
    for name, make in tables.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = block.sub(lambda found: f"{found[1]}{make()}\n{found[2]}", text)  # noqa: B023
    return text


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    for name in arguments or PAGES:
        page = DOCS / name
        old = page.read_text(encoding="utf-8")
        new = renewed(old, PAGES[name]())
        if "--check" not in sys.argv[1:]:
            page.write_text(new, encoding="utf-8")
        elif new != old:
            sys.exit(f"{name}: its tables differ; run {sys.argv[0]}")


if __name__ == "__main__":
    main()
