"""A robot that is driven from another host over a late and lossy network, and loses it.

The robot's host runs the real base node and the real firmware on the emulated chip; the
laptop's clock has nothing to do with the robot's. 50 ms each way, 1 % of the frames lost.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emulated_network
import pytest
from emulated_network import Host, Network, Program, network
from emulated_network.streams import ros

from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.firmware_bridge.emulator.records import CPU_HZ

ROOT = Path(__file__).resolve().parents[3]
# As the launch files of launch/network start their nodes.
_LOSSY = {"FASTDDS_DEFAULT_PROFILES_FILE": str(ROOT / "launch" / "fastdds.xml")}
_DRIVER = str(Path(emulated_network.__file__).with_name("driver.py"))
_CLOCKS_APART_S = 5000
_PATIENCE_S = 40.0
_MOVING = 300.0
"""Counts/s: about a third of what is asked for."""


@dataclass
class Robot:
    """A robot on the network: its chip, base beside it, and the laptop's program for it."""

    chip: EmulatedBoard
    base: Program
    driver: Program

    def arm(self) -> None:
        """Ask for it until it is granted; an answer, or the question, may be lost for a while."""
        before = self.driver.text.count('"armed": true')
        self.driver.say("arm")
        until(lambda: self.driver.text.count('"armed": true') > before, self)

    def drive_until_it_moves(self, ahead: float = 0.2) -> None:
        """Arm and command it until the wheels turn. This machine may be busy, and a gate that
        stops for want of commands is what it should be: then once more."""
        self.driver.say(f"drive {ahead} 0")
        for _ in range(5):
            self.arm()
            if self.moves_within(3.0):
                return
        raise AssertionError(f"it does not move: {self.said[-3:]} {self.base.text[-2000:]}")

    def moves_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if min(self.chip.status().speed) > _MOVING:
                return True
            time.sleep(0.005)
        return False

    @property
    def said(self) -> list[dict[str, Any]]:
        """What the laptop has heard of it."""
        text = self.driver.text
        return [
            json.loads(line) for line in text.splitlines()[: text.count("\n")] if line[0] == "{"
        ]

    @property
    def gate(self) -> str:
        """As the laptop knows it."""
        return next((line["gate"] for line in reversed(self.said) if "gate" in line), "")


def until(what: Callable[[], bool], robot: Robot) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, f"{robot.driver.text[-2000:]} {robot.base.text[-2000:]}"
        time.sleep(0.01)


Start = Callable[..., Robot]


@pytest.fixture
def start(firmware: FirmwareImage) -> Iterator[Start]:
    """Start a robot's programs on two hosts."""
    with ExitStack() as stack:

        def begin(
            host: Host,
            laptop: Host,
            environment: dict[str, str] | None = None,
            namespace: str = "",
            topic: str = "BRAIN_CMD_VEL",
            ahead_s: float = 0.0,
        ) -> Robot:
            environment = {**(environment or ros()), **_LOSSY}
            chip = stack.enter_context(EmulatedBoard(firmware))
            words = ["--ros-args", "-p", f"port:={chip.port}"]
            words += ["-r", f"__ns:={namespace}"] if namespace else []
            module = "reflexarc.robot.nodes.base"
            base = host.start([sys.executable, "-m", module, *words], environment)
            words = [f"--namespace={namespace}", f"--topic={topic}", f"--ahead={ahead_s}"]
            return Robot(chip, base, laptop.start([sys.executable, _DRIVER, *words], environment))

        yield begin


def seconds_to_rest(robot: Robot, since_cycle: int) -> float:
    """Chip time from that cycle to the last moment with a motor driven."""
    robot.chip.wait(1.0)
    assert robot.chip.status().duty == (0, 0)
    trace = robot.chip.trace()
    assert not trace.lost
    ends = [change.cycle for change in trace.motor if change.duty == 0]
    return (max(ends, default=since_cycle) - since_cycle) / CPU_HZ


def cycle_of(chip: EmulatedBoard, act: Callable[[], float]) -> int:
    """Do something to the network; gives the chip's cycle at which it was done."""
    chip.trace()
    before = chip.status()
    wall_s = act()
    return max(before.cycle, chip.status().cycle_at(round(wall_s * 1e9)))


@contextmanager
def standing_still(robot: Robot, seconds: float) -> Iterator[None]:
    """The wheels do not turn by a single count in the block and for so long after it."""
    before = robot.chip.status().encoder
    yield
    robot.chip.wait(seconds)
    assert robot.chip.status().encoder == before


def by_multicast(robot: Host) -> dict[str, str]:
    return ros()


def by_peers(robot: Host) -> dict[str, str]:
    return ros(ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST", ROS_STATIC_PEERS=robot.address)


def by_server(robot: Host) -> dict[str, str]:
    module = "reflexarc.robot.nodes.discovery"
    robot.start([sys.executable, "-m", module, "--address", robot.address])
    return ros(ROS_DISCOVERY_SERVER=f"{robot.address}:11811")


@pytest.mark.parametrize("find", [by_multicast, by_peers, by_server])
def test_the_laptop_drives_the_robot_however_they_find_each_other(
    start: Start, find: Callable[[Host], dict[str, str]]
) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (_, (host, laptop)):
        robot = start(host, laptop, find(host))
        robot.drive_until_it_moves()
        robot.driver.say("drive 0 0")
        until(lambda: robot.chip.status().duty == (0, 0), robot)


def cut(segment: Network, laptop: Host) -> float:
    return segment.cut(laptop)


def stall(segment: Network, laptop: Host) -> float:
    return segment.stall(laptop)


def switch_off(segment: Network, laptop: Host) -> float:
    laptop.close()
    return time.monotonic()


@pytest.mark.parametrize("lose", [cut, stall, switch_off])
@pytest.mark.parametrize("topic", ["BRAIN_CMD_VEL", "CMD_VEL"])
def test_the_wheels_rest_soon_after_the_last_command_that_arrived(
    start: Start, lose: Callable[[Network, Host], float], topic: str
) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        robot = start(host, laptop, topic=topic)
        robot.drive_until_it_moves()
        lost = cycle_of(robot.chip, lambda: lose(segment, laptop))
        # command_stale_s is 200 ms, the firmware's own limit 300 ms; some were still under way.
        late_s = 0.05 if lose is switch_off else 0.0
        rest_s = seconds_to_rest(robot, lost)
        print(
            f"{topic}, {lose.__name__}: at rest after {rest_s * 1e3:.0f} ms"
        )  # for docs/network.md
        assert rest_s < 0.4 + late_s


def test_after_an_outage_in_mid_move_nothing_moves_until_somebody_arms(start: Start) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        robot = start(host, laptop)
        robot.drive_until_it_moves()
        segment.cut(laptop)
        robot.chip.wait(1.5)
        with standing_still(robot, 1.0):
            segment.restore(laptop)
            # The laptop has gone on commanding all the time.
            until(lambda: robot.gate == "stopped", robot)
        robot.drive_until_it_moves()


def test_brain_on_the_laptop_loses_its_body_in_mid_move_and_takes_it_up_again_when_armed(
    start: Start, tmp_path: Path
) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        environment = ros()
        robot = start(host, laptop, environment)
        brain = start_brain(laptop, environment, tmp_path)
        until(lambda: robot.gate == "armed", robot)  # by brain
        order(robot, "go forward 2 meters", brain)
        lost = cycle_of(robot.chip, lambda: segment.cut(laptop))
        assert seconds_to_rest(robot, lost) < 0.4
        with standing_still(robot, 1.0):
            segment.restore(laptop)
            until(lambda: robot.gate == "stopped", robot)
        robot.arm()
        order(robot, "go forward 2 meters", brain)


def start_brain(host: Host, environment: dict[str, str], folder: Path) -> Program:
    words = ["--ros-args", "-p", f"state_folder:={folder}", "-p", "listen:=false"]
    module = "reflexarc.robot.nodes.brain"
    return host.start([sys.executable, "-m", module, *words], {**environment, **_LOSSY})


def order(robot: Robot, words: str, brain: Program) -> None:
    """Say it until the wheels turn."""
    for _ in range(5):
        robot.driver.say(f"order {words}")
        if robot.moves_within(5.0):
            return
        robot.arm()
    raise AssertionError(f"{robot.said[-5:]} {brain.text[-2000:]} {robot.base.text[-2000:]}")


def test_a_burst_of_old_commands_moves_nothing(start: Start) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        robot = start(host, laptop)
        robot.drive_until_it_moves()
        segment.stall(laptop)
        robot.chip.wait(1.5)
        with standing_still(robot, 1.0):
            segment.flow(laptop)
            until(lambda: robot.gate == "stopped", robot)


@pytest.mark.parametrize("topic", ["BRAIN_CMD_VEL", "CMD_VEL", "CMD_VEL_STAMPED"])
def test_a_command_given_during_an_outage_is_never_obeyed_later(start: Start, topic: str) -> None:
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        robot = start(host, laptop, topic=topic)
        robot.arm()
        segment.cut(laptop)
        robot.driver.say("drive 0.2 0")
        robot.chip.wait(0.5)
        robot.driver.say("quiet")
        robot.chip.wait(0.5)
        # Fast DDS offers again what was not acknowledged every 3 s.
        with standing_still(robot, 5.0):
            segment.restore(laptop)
        robot.drive_until_it_moves()


@pytest.mark.parametrize("ahead_s", [-3.0, 3.0])
def test_stamped_commands_of_a_clock_that_is_off_are_refused_in_words(
    start: Start, ahead_s: float
) -> None:
    with network("robot", "laptop") as (_, (host, laptop)):
        robot = start(host, laptop, topic="CMD_VEL_STAMPED", ahead_s=ahead_s)
        robot.arm()
        with standing_still(robot, 1.0):
            robot.driver.say("drive 0.2 0")
            until(lambda: "are the clocks in step?" in robot.base.text, robot)


def test_an_order_given_during_an_outage_is_not_obeyed_long_after(
    start: Start, tmp_path: Path
) -> None:
    # This time the brain is on the robot, and only the person is somewhere else.
    with network("robot", "laptop", monotonic_s=_CLOCKS_APART_S) as (segment, (host, laptop)):
        environment = ros()
        robot = start(host, laptop, environment)
        brain = start_brain(host, environment, tmp_path)
        until(lambda: robot.gate == "armed", robot)
        order(robot, "go forward 0.2 meters", brain)
        until(lambda: robot.chip.status().duty == (0, 0), robot)
        segment.cut(laptop)
        robot.driver.say("order go forward 2 meters")
        robot.chip.wait(3.0)
        with standing_still(robot, 2.0):
            segment.restore(laptop)
        order(robot, "go forward 2 meters", brain)


def test_two_robots_in_one_graph_do_not_disturb_each_other(start: Start) -> None:
    with network("one", "two", "laptop") as (segment, (host_1, host_2, laptop)):
        environment = ros()
        first = start(host_1, laptop, environment, "/r1")
        second = start(host_2, laptop, environment, "/r2")
        second.arm()
        with standing_still(second, 0.5):
            first.drive_until_it_moves()
        second.drive_until_it_moves()
        lost = cycle_of(first.chip, lambda: segment.cut(host_1))
        assert seconds_to_rest(first, lost) < 0.4
        second.drive_until_it_moves()
