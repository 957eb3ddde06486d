"""The ROS graph in the box: from a camera's stamp to a motor pin, idle CPU, memory, start.

``python -m benchmarks.graph``. A board shows the digit 1, then nothing, then 9, again and again;
each card moves the robot a little. Every figure is of one run of the real nodes, the real
firmware on the emulated chip, and the simulated body in real time.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from reflexarc.cli.box import latency, pictures
from reflexarc.cli.box.engines import ENGINES, Order
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.run import run
from reflexarc.cli.box.tail import Tail
from reflexarc.sim.scenario import load_scenario

STARTS = 60
_EVERY_S = 1.0
_IDLE_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def scenario(folder: Path, starts: int) -> Path:
    """Cards that come and go, as a file."""
    board = {"at": [0.9, 0.0], "yaw_deg": 180, "height": 0.26, "lean_deg": 8, "show": None}
    events = []
    for number in range(starts):
        at = 1.0 + number * _EVERY_S
        show = {"board": "card", "picture": number % 2}
        events.append({"at": at, "do": {"show": show}})
        events.append(
            {"at": at + 0.6 * _EVERY_S, "do": {"show": {"board": "card", "picture": None}}}
        )
    rules = [
        {"event": "digit_seen", "value": digit, "hold_s": 0.0, "cooldown_s": 0.1,
         "actions": [{"do": "move", "distance_m": distance}]}
        for digit, distance in ((1, 0.02), (6, -0.02))
    ]  # fmt: skip
    values = {
        "name": "sprints",
        "about": "Many short starts, for the time from a frame to the motor pins.",
        "seconds": 2.0 + starts * _EVERY_S,
        "boards": {"card": {**board, "pictures": [{"digit": 1}, {"digit": 6}]}},
        "events": events,
        "robot": {
            "reflexes": [
                *rules,
                {"event": "mask_missing", "actions": [{"do": "light", "color": "red"}]},
            ]
        },
    }
    path = folder / "sprints.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def measure_latency(engine: Any, folder: Path) -> None:
    """One run of many starts, by station."""
    done = run(scenario(folder, STARTS), engine, folder / engine)
    taken = latency.samples(done)
    how = "over the ROS graph" if engine == "ros" else "one process"
    table = Table(
        title=f"camera stamp -> PWM pin, {how}, {len(taken)} starts, "
        f"{done.real_time_factor:.2f} x real time, ready after {done.start_s:.1f} s"
    )
    for column in ("station", "clock", "p50 ms", "p99 ms", "worst ms"):
        table.add_column(column, justify="left" if column in ("station", "clock") else "right")
    for row in latency.table(taken):
        table.add_row(
            row.name, row.clock, f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}", f"{row.worst_ms:.2f}"
        )
    Console().print(table)


def measure_idle(folder: Path) -> None:
    """CPU and memory of each program of a graph at rest, the camera at 10 frames/s."""
    source = scenario(folder, 1)
    place = folder / "idle"
    order = Order(
        scenario=str(source),
        config=_config(load_scenario(source).robot, place),
        pictures=pictures.fill(load_scenario(source), None),
        folder=place,
        pace="real",
        films=False,
        environment={"XDG_STATE_HOME": str(place / "state"), "MUJOCO_GL": "egl"},
    )
    begin = time.monotonic()
    started = ENGINES["ros"](order)
    try:
        live = Live(load_scenario(source), started, Tail(started.flight))
        while not live.observations:
            live.take()
            time.sleep(0.01)
        first_s = time.monotonic() - begin
        started.children["spectator"].close()  # it listens to everything, which costs the others
        time.sleep(3.0)
        programs = _programs(os.getpid())
        before = {pid: _cpu_s(pid) for pid in programs}
        time.sleep(_IDLE_S)
        table = Table(title=f"the graph at rest, camera at 10 frames/s, {_IDLE_S:g} s")
        for column in ("program", "CPU, % of a core", "RSS, MB", "of it mapped files, MB"):
            table.add_column(column, justify="left" if column == "program" else "right")
        total = 0.0
        for pid, name in sorted(programs.items(), key=lambda item: item[1]):
            used = 100 * (_cpu_s(pid) - before[pid]) / _IDLE_S
            if name in ("perception_node", "brain_node", "base_node"):
                total += used
            table.add_row(name, f"{used:.1f}", *(f"{size:.0f}" for size in _rss_mb(pid)))
        Console().print(table)
        print(f"perception (with its camera), brain and base: {total:.1f} % of a core in all")
        print(f"launch to the first observation: {first_s:.1f} s")
    finally:
        started.close()


def _config(robot: dict[str, Any], place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    path = place / "robot.yaml"
    path.write_text(yaml.safe_dump({"name": "idle", **robot}), encoding="utf-8")
    return path


def _programs(root: int) -> dict[int, str]:
    """Every process below this one, by its program's name."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(after[1])
    found = {}
    for pid in parents:
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            named = next((Path(w).name for w in words if w.endswith(("_node", "-emulator"))), None)
            if named is not None:
                found[pid] = named
    return found


def _cpu_s(pid: int) -> float:
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / _TICKS


def _rss_mb(pid: int) -> tuple[float, float]:
    """All that is resident, and what of it are pages of files (libraries), which the kernel
    shares between processes and may drop."""
    _, resident, of_files = Path(f"/proc/{pid}/statm").read_text().split()[:3]
    return int(resident) * _PAGE / 1e6, int(of_files) * _PAGE / 1e6


def main() -> None:
    """Measure it all; print tables."""
    with tempfile.TemporaryDirectory(prefix="reflexarc-bench-") as name:
        for engine in ("process", "ros"):
            measure_latency(engine, Path(name))
        measure_idle(Path(name))


if __name__ == "__main__":
    main()
