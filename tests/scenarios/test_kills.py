"""SIGKILL of each single process in mid-move: the wheels stop, on simulated time.

Held to 400 ms are the wheels' true speed (below 1 cm/s) and the drive at the motors' pins.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from scenario_plays import Play, Script, Told, processes_below, story

from reflexarc.cli.box.live import Live
from reflexarc.cli.box.record import Run
from reflexarc.sim.control import BoxControl

PINS_S = STAND_S = 0.4
FLOOR = """
name: floor
seconds: 90
arena: [8.0, 4.0]
centre: [3.0, 0.0]
robot:
  name: floor
  limits: {distance_m: 20}
  language: {confirm: never}
"""


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    path = tmp_path / "floor.yaml"
    path.write_text(FLOOR)
    return path


def drives(live: Live) -> bool:
    speeds = live.tail.state.get("wheel_speed", (0.0, 0.0))
    return min(speeds) > 0.3


def armed(live: Live) -> bool:
    return bool(live.state.get("gate") == "armed" and live.state["connection"] == "connected")


def until_driving(live: Live) -> Told:
    """Say it again where nobody seems to have heard, and arm again where one has stopped the
    others: a node that has just come back may not be known to everybody yet."""
    while not drives(live):
        if not armed(live):
            live.engine.tell(arm=True)
            yield after(live, 0.5)
        live.say("drive 5 meters")
        patience = after(live, 4.0)
        yield lambda: drives(live) or patience()  # noqa: B023


def after(live: Live, seconds: float) -> Callable[[], bool]:
    end = live.now + seconds
    return lambda: live.now >= end


class Kills:
    """When which process was killed."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}

    def kill(self, live: Live, what: str, pid: int) -> None:
        self.times[what] = live.clock_ns()
        os.kill(pid, signal.SIGKILL)

    def check(self, done: Run) -> None:
        for what, mono_ns in self.times.items():
            at = done.flight.t_at(mono_ns)
            before, off = done.flight.duty_at(at - 0.03), done.flight.motors_off_at(at) - at
            stand = done.flight.wheels_stopped_at(at) - at
            print(f"\n{what} killed: pins off {1000 * off:.0f} ms, wheels {1000 * stand:.0f} ms")
            assert min(map(abs, before)) > 0, f"{what}: it did not drive\n{story(done, [])}"
            assert off <= PINS_S, f"{what}: {off:.3f} s\n{story(done, [])}"
            assert stand <= STAND_S, f"{what}: {stand:.3f} s\n{story(done, [])}"


def test_the_robot_in_one_process_is_killed(floor: Path, play: Play) -> None:
    kills = Kills()

    def tell(live: Live) -> Told:
        live.say("drive 5 meters")
        yield lambda: drives(live)
        kills.kill(live, "robot", live.engine.children["robot"].pid)
        yield after(live, 1.2)

    done, _ = play(floor, "process", Script(tell))
    kills.check(done)
    assert done.exits["robot"] == -signal.SIGKILL


def test_each_node_and_the_chip_are_killed(floor: Path, play: Play) -> None:
    """One graph, one after the other: each time it is back by itself, armed by a person, and
    drives again; the chip comes last, for it does not come back."""
    kills = Kills()

    def pid_of(live: Live, node: str) -> int:
        found = [
            pid
            for pid, command in processes_below(live.engine.children["launch"].pid).items()
            if f"{node}_node" in command or f"nodes.{node}" in command
        ]
        return min(found, default=0)

    def tell(live: Live) -> Told:
        for node in ("perception", "brain", "base"):
            yield from until_driving(live)
            old = pid_of(live, node)
            kills.kill(live, node, old)
            yield after(live, 1.2)
            yield lambda node=node, old=old: pid_of(live, node) not in (0, old)  # type: ignore[misc]
            yield after(live, 2.0)  # its successor configures itself meanwhile
        yield from until_driving(live)
        with BoxControl(live.engine.control) as box:
            chip = int(box.status()["emulator_pid"])
        kills.kill(live, "chip", chip)
        yield lambda: live.tail.ended is not None

    done, _ = play(floor, "ros", Script(tell))
    kills.check(done)
    assert set(kills.times) == {"brain", "base", "perception", "chip"}
