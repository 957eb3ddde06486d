"""`python -m benchmarks`: run them all, print tables, write out/bench/*.json."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from benchmarks import perception, reflexes, runtime, serial
from benchmarks.row import save, table


def main() -> None:
    console = Console()
    for module in (runtime, perception, reflexes, serial):
        name = module.__name__.rsplit(".", 1)[-1]
        console.print(f"benchmark {name} ...")
        rows = module.measure()
        console.print(table(name, (module.__doc__ or "").splitlines()[0], rows))
        save(Path("out/bench") / f"{name}.json", rows)


main()
