"""`python -m benchmarks`: run them all, print tables, write out/bench/*.json."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import bridge, perception
from reflexarc.core import atomic_write


def main() -> None:
    console = Console()
    for module in (perception, bridge):
        name = module.__name__.rsplit(".", 1)[-1]
        with console.status(f"benchmark {name}"):
            rows = module.measure()
        table = Table("what", "measured", "at most", title=f"{name}: {module.__doc__}")
        for row in rows:
            table.add_row(row.what, row.text, row.limit)
        console.print(table)
        with atomic_write(Path("out/bench") / f"{name}.json") as temporary:
            temporary.write_text(json.dumps([row._asdict() for row in rows], indent=1))


main()
