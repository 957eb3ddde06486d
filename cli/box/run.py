"""Run a scenario from beginning to end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError

from reflexarc.cli.box import pictures
from reflexarc.cli.box.conduct import Conduct, Step, begin
from reflexarc.cli.box.engines import ENGINES, Order
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.machine import Machine
from reflexarc.cli.box.record import EngineName, Heard, Run
from reflexarc.cli.box.tail import Tail
from reflexarc.core import ReflexarcError, atomic_write
from reflexarc.robot.config import RobotConfig
from reflexarc.sim.flight_reader import Flight
from reflexarc.sim.scenario import Scenario, load_scenario


class RunError(ReflexarcError):
    """A run that could not be brought to its end."""


def run(
    source: str | Path,
    engine: EngineName,
    folder: Path,
    *,
    data: Path | None = None,
    pace: str = "real",
    seconds: float | None = None,
    films: bool = False,
    step: Step = lambda live: False,
) -> Run:
    """Run a scenario; every program that it starts is gone afterwards, whatever happens.

    Args:
        source: name of a packaged scenario, or a file.
        engine: with ROS or without.
        folder: for flight log and all else; made if missing, should be empty.
        data: folder of the user's photos and films.
        pace: real, fast or a factor. The robot lives in real time: other paces are for
            scenarios that only roll.
        seconds: instead of the scenario's, simulated.
        films: keep what the robot sees, with what it finds drawn in.
        step: called some thirty times a second with the run so far; True ends it.

    Raises:
        ReflexarcError: it could not be run to its end.
    """
    folder = folder.expanduser().resolve()
    scenario = load_scenario(source)
    lasts_s = scenario.seconds if seconds is None else seconds
    order = Order(
        scenario=str(source) if not Path(source).exists() else str(Path(source).resolve()),
        config=_write_config(scenario, folder),
        pictures=pictures.fill(scenario, data),
        folder=folder,
        pace=pace,
        films=films,
        environment={
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONUNBUFFERED": "1",
            "MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl"),
        },
    )
    machine = Machine()
    started_ns = time.monotonic_ns()
    started = ENGINES[engine](order)
    try:
        live = Live(scenario, started, Tail(started.flight))
        ready_ns = time.monotonic_ns()
        begin(live)
        begun_ns = time.monotonic_ns()
        why = Conduct(live, lasts_s, step).until_end()
        ended_ns = time.monotonic_ns()
    finally:
        exits = started.close()
    live.take()
    live.tail.read()
    flight = Flight.read(started.flight)

    def heard(lines: list[tuple[int, Any]]) -> list[Heard]:
        """What came before the end: then everything is switched off, in some order."""
        return [
            Heard(flight.t_at(mono_ns), mono_ns, value)
            for mono_ns, value in lines
            if mono_ns <= ended_ns
        ]

    end_s = flight.t_at(ended_ns)
    return Run(
        scenario,
        engine,
        folder,
        flight,
        live.begin_s,
        end_s,
        heard(live.events),
        heard(live.observations),
        heard(live.replies),
        heard(live.states),
        heard(live.orders),
        live.pictures,
        heard(live.failures),
        exits,
        why,
        (end_s - live.begin_s) / max(1e-9, (ended_ns - begun_ns) * 1e-9),
        (ready_ns - started_ns) * 1e-9,
        _longest_stall(flight, live.begin_s, end_s),
        machine.others_cores(),
    )


def _longest_stall(flight: Flight, begin: float, end: float) -> float:
    """By how much the clock ran ahead of the simulation at most, between two states: seconds."""
    inside = (flight.t >= begin) & (flight.t <= end)
    if inside.sum() < 2:
        return 0.0
    late = np.diff(flight.mono_ns[inside] * 1e-9) - np.diff(flight.t[inside])
    return float(late.max())


def _write_config(scenario: Scenario, folder: Path) -> Path:
    """robot.yaml as the scenario wants it.

    Who wrote the scenario has agreed to its orders: they are not asked back, unless it says so.
    """
    values = {"name": f"box-{scenario.name}", **scenario.robot}
    values["language"] = {"confirm": "never", **values.get("language", {})}
    try:
        RobotConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RunError(
            expected=f"a robot.yaml below robot: in {scenario.name}",
            found=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            remedy="correct the scenario",
        ) from error
    path = folder / "robot.yaml"
    with atomic_write(path) as temporary:
        temporary.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path
