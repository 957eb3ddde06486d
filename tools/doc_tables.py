"""Renew the tables of docs/perception.md from the code. `--check` only says if they differ."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from reflexarc.perception.cameras import camera_kinds, live_options
from reflexarc.perception.tasks import task_options, tasks

PAGE = Path(__file__).parents[1] / "docs" / "perception.md"


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


TABLES: dict[str, Callable[[], str]] = {"cameras": cameras, "live": live, "tasks": task_table}


def renewed(text: str) -> str:
    for name, make in TABLES.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = block.sub(lambda found: f"{found[1]}{make()}\n{found[2]}", text)  # noqa: B023
    return text


def main() -> None:
    old = PAGE.read_text(encoding="utf-8")
    new = renewed(old)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if new == old else f"{PAGE.name}: its tables differ; run {sys.argv[0]}")
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
