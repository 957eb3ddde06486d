"""`python -m benchmarks`: run them all, print tables, write out/bench/*.json."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from benchmarks import perception, reflexes, runtime, serial
from benchmarks.row import table
from reflexarc.core import atomic_write


def main() -> None:
    console = Console()
    for module in (runtime, perception, reflexes, serial):
        name = module.__name__.rsplit(".", 1)[-1]
        console.print(f"benchmark {name} ...")
        rows = module.measure()
        console.print(table(name, (module.__doc__ or "").splitlines()[0], rows))
        with atomic_write(Path("out/bench") / f"{name}.json") as temporary:
            temporary.write_text(json.dumps([row._asdict() for row in rows], indent=1))


main()
