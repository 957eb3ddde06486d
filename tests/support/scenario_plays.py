"""Scenarios, played whole: the real firmware, a simulated body, the real robot or its graph."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from reflexarc.cli.box.judges import Judge
from reflexarc.cli.box.live import Live
from reflexarc.cli.box.pictures import MissingPictureError
from reflexarc.cli.box.record import Check, EngineName, Run
from reflexarc.cli.box.run import run
from reflexarc.models.assets import AssetError

_ATTEMPTS = 3
_numbers = itertools.count()

Play = Callable[..., tuple[Run, list[Check]]]


def needs(engine: EngineName) -> None:
    """Skip where the engine cannot run."""
    if engine == "ros":
        for name in ("rclpy", "reflexarc_interfaces"):
            if importlib.util.find_spec(name) is None:
                pytest.skip(f"no {name} here")


def own_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ROS graph of its own, on this machine only."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str((os.getpid() * 17 + next(_numbers)) % 101 + 1))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Play a scenario to its end: ``play("courier", "ros")``.

    A run in which something failed while this machine was busy with other things is played
    again, and says so: the robot lives in real time, so such a run says nothing about it.
    One that fails on a machine of its own has failed.
    """

    def played(
        name: str | Path,
        engine: EngineName,
        step: Callable[[Live], bool] | None = None,
        seconds: float | None = None,
    ) -> tuple[Run, list[Check]]:
        needs(engine)
        data = Path(
            os.environ.get(
                "REFLEXARC_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"
            )
        )
        for attempt in range(1, _ATTEMPTS + 1):
            own_domain(monkeypatch)
            judge = Judge()
            folder = tmp_path / f"run{attempt}"
            try:
                done = run(
                    name,
                    engine,
                    folder,
                    data=data if data.is_dir() else None,
                    seconds=seconds,
                    step=step or judge.is_over,
                )
            except (MissingPictureError, AssetError) as error:
                pytest.skip(str(error))
            checks = judge.checks(done)
            wrong = [check for check in checks if not check.held]
            if not (wrong and done.was_held_up and attempt < _ATTEMPTS and step is None):
                break
            print(
                f"\n{name}: others used {done.others_cores:.1f} cores of this machine, the box "
                f"stood still for {done.stall_s:.2f} s; played again. "
                f"Then failed: {'; '.join(f'{c.name}: {c.found}' for c in wrong)}"
            )
        return done, checks

    return played


def story(done: Run, checks: list[Check]) -> str:
    """What happened, for a failure's message."""
    lines = [f"{done.scenario.name} ({done.engine}), {done.why}, in {done.folder}"]
    lines += [
        f"stall {done.stall_s:.2f} s, real time factor {done.real_time_factor:.2f}, "
        f"others used {done.others_cores:.1f} cores"
    ]
    lines += [f"{'ok ' if c.held else 'NOT'} {c.name}: {c.found}" for c in checks]
    lines += [f"{o.t:8.2f} order {o.value}" for o in done.orders]
    lines += [f"{e.t:8.2f} {e.value['event']} {e.value['text']}" for e in done.events]
    lines += [f"{f.t:8.2f} FAILED {f.value}" for f in done.failures]
    return "\n".join(lines)


Until = Callable[[], bool]
Told = Generator[Until, None, None]


class Script:
    """What somebody does during a run, as a generator that yields what it waits for.

    Nothing waits longer than some simulated seconds: then the test has failed.
    """

    def __init__(self, tell: Callable[[Live], Told], patience_s: float = 25.0) -> None:
        self._tell, self._patience_s = tell, patience_s
        self._told: Told | None = None
        self._until: Until = lambda: True
        self._since = 0.0

    def __call__(self, live: Live) -> bool:
        """A step of the run; True when all of it is told."""
        if self._told is None:
            self._told = self._tell(live)
        while self._until():
            try:
                self._until, self._since = next(self._told), live.now
            except StopIteration:
                return True
            frame = self._told.gi_frame
            print(f"{live.now:6.2f} s: waits in line {frame.f_lineno if frame else 0}")
        if live.now > self._since + self._patience_s:
            at = self._told.gi_frame.f_lineno if self._told.gi_frame else 0
            raise AssertionError(
                f"it never came to what line {at} waits for; "
                f"state {live.state}, events {[e['text'] for _, e in live.events[-5:]]}, "
                f"failures {[text for _, text in live.failures]}"
            )
        return False


def processes_below(pid: int) -> dict[int, str]:
    """All processes that descend from one, with their command lines."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: dict[int, str] = {}
    line = [pid]
    while line:
        parent = line.pop()
        for child in [child for child, its in parents.items() if its == parent]:
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                found[child] = b" ".join(words).decode(errors="replace")
            line.append(child)
    return found
