"""Measure what commands and single messages meet on a bad network; prints a table.

python tests/support/emulated_network, or with --help; needs root.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from emulated_network import missing, network
from emulated_network.peer import QUALITIES
from emulated_network.streams import Heard, Stream, ros

_LOSSY = Path(__file__).parents[3] / "launch" / "fastdds.xml"
_OUTAGE_S = 2.5


def row(*cells: object) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def stream(quality: str, delay_ms: float, loss: float, seconds: float) -> None:
    """100 commands a second: how old they arrive, the longest silence."""
    with network("robot", "laptop", delay_ms=delay_ms, loss=loss) as (segment, (robot, laptop)):
        count = round(seconds * 100)
        made = Stream(
            laptop, robot, ros(), f"--count={count}", "--lead=2", "--tail=1", quality=quality
        )
        heard = made.wait_for_end(seconds + 40)
        ages = sorted(one.age_ms for one in heard)
        silences = [(b.heard - a.heard) * 1e3 for a, b in itertools.pairwise(heard)]
        row(
            quality,
            f"{delay_ms:g} ms, {loss:.0%}",
            f"{len(heard)} of {made.sent}",
            f"{statistics.median(ages):.0f}",
            f"{ages[len(ages) * 99 // 100]:.0f}",
            f"{ages[-1]:.0f}",
            f"{max(silences):.0f}",
            sum(segment.counts),
        )


def outage(quality: str) -> None:
    """A stream that ends while the cable is out: what arrives after it is back?"""
    with network("robot", "laptop") as (segment, (robot, laptop)):
        made = Stream(laptop, robot, ros(), "--count=200", "--tail=7", quality=quality)
        made.wait_for_message()
        time.sleep(1.0)
        segment.cut(laptop)
        time.sleep(_OUTAGE_S)
        back = segment.restore(laptop)
        late = [one for one in made.wait_for_end(20) if one.heard > back]
        row(quality, len(late), ", ".join(f"{one.age_ms:.0f}" for one in late) or "none")


def single(name: str, loss: float, count: int, environment: dict[str, str]) -> None:
    """Single reliable messages (an order, a halt) that nothing follows for 0.7 s."""
    with network("robot", "laptop", loss=loss) as (_, (robot, laptop)):
        words = ("--depth=50", f"--count={count}", "--pause=0.7", "--lead=5", "--tail=7")
        made = Stream(laptop, robot, ros(**environment), *words, quality="reliable")
        heard: list[Heard] = made.wait_for_end(count + 40)
        ages = sorted(one.age_ms for one in heard)
        late = sum(age > 200 for age in ages)
        median = statistics.median(ages)
        row(
            name,
            f"50 ms, {loss:.0%}",
            f"{len(ages)} of {count}",
            f"{median:.0f}",
            late,
            f"{ages[-1]:.0f}",
        )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each stream")
    options = parser.parse_args()
    if missing():
        raise SystemExit(missing())
    row(
        "commands, 100/s",
        "each way",
        "arrived",
        "p50 ms",
        "p99 ms",
        "max ms",
        "silence ms",
        "frames",
    )
    row(*["---"] * 8)
    for delay_ms, loss in ((0, 0.0), (50, 0.01), (50, 0.05)):
        for quality in QUALITIES[:2]:
            stream(quality, delay_ms, loss, options.seconds)
    print()
    row("stream that ended in an outage", "arrived after it", "their age, ms")
    row(*["---"] * 3)
    for quality in QUALITIES:
        outage(quality)
    print()
    row("single reliable messages", "each way", "arrived", "p50 ms", "later than 200 ms", "max ms")
    row(*["---"] * 6)
    for name, environment in (
        ("as it is", {}),
        ("fastdds.xml", {"FASTDDS_DEFAULT_PROFILES_FILE": str(_LOSSY)}),
    ):
        single(name, 0.01, round(2 * options.seconds), environment)
        single(name, 0.10, round(2 * options.seconds), environment)


if __name__ == "__main__":
    main()
