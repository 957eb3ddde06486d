"""A robot in the box: started, spoken with, ended. Without ROS, or as its graph."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reflexarc.cli.box.children import Child, ChildError
from reflexarc.robot.launching import dds_profile

START_S = 60.0
"""Wall time that programs have to start; on a busy machine they take long."""
_LOOK_S = 0.03
_ENDED_BY_FORCE = re.compile(r"^\[launch\] (\S+) stopped only by (SIG\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Order:
    """What a run needs to start.

    Attributes:
        scenario: name or file.
        config: robot.yaml.
        pictures: folder of what boards show.
        folder: where all goes.
        pace: real, fast, or a factor.
        films: the robot's view is to be kept.
        environment: for all programs.
    """

    scenario: str
    config: Path
    pictures: Path
    folder: Path
    pace: str
    films: bool
    environment: Mapping[str, str]


class Engine(Protocol):
    """A robot and its box.

    Attributes:
        flight: the flight log's path.
        control: the box's control socket.
        children: the programs that were started, by name.
    """

    flight: Path
    control: Path
    children: dict[str, Child]

    def take(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Lines that the robot has said since the last time, see `lines`.

        Raises:
            ChildError: a program has ended that should not have.
        """
        ...

    def tell(self, **line: Any) -> None:
        """Say something to the robot."""
        ...

    def close(self) -> dict[str, int]:
        """End everything; exit codes by program."""
        ...


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


class ProcessEngine:
    """The box in a process, the robot in another, no ROS."""

    def __init__(self, order: Order) -> None:
        """Start both; returns when the robot is ready.

        Raises:
            ChildError: one of them did not start.
        """
        self.children: dict[str, Child] = {}
        self._is_dead = False
        try:
            box = Child(
                "sim",
                _python(
                    "reflexarc.sim",
                    order.scenario,
                    f"--folder={order.folder / 'box'}",
                    f"--pictures={order.pictures}",
                    f"--pace={order.pace}",
                    "--seconds=0",  # we end it
                    "--wait",
                ),
                order.folder,
                order.environment,
            )
            self.children["sim"] = box
            said = box.wait_line("flight", START_S)
            self.flight = Path(said["flight"])
            self.control = Path(said["control"])
            self.children["robot"] = _robot(order, said["port"], said["camera"])
            self.children["robot"].wait_line("ready", START_S)
        except BaseException:
            self.close()
            raise

    def take(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """As `Engine`. A robot that has died is a failure, not the end of the run: what its
        body does then is worth to be seen."""
        robot = self.children["robot"]
        has_ended = robot.exit_code is not None
        yield from robot.take()
        if has_ended and not self._is_dead:
            self._is_dead = True
            yield time.monotonic_ns(), {"failed": str(robot.ended())}

    def tell(self, **line: Any) -> None:
        """As `Engine`."""
        self.children["robot"].tell(**line)

    def close(self) -> dict[str, int]:
        """As `Engine`; the robot first."""
        self._is_dead = True  # on purpose now
        return _close(self.children, ("robot", "sim"))


def _robot(order: Order, port: str, camera: str) -> Child:
    arguments = [
        f"--config={order.config}",
        f"--camera={camera}",
        f"--port={port}",
        f"--state={order.folder / 'state'}",
    ]
    if order.films:
        arguments.append(f"--pictures={order.folder / 'pictures'}")
    command = _python("reflexarc.cli.box.lone", *arguments)
    return Child("robot", command, order.folder, order.environment)


class RosEngine:
    """`reflexarc launch sim`, and a spectator that speaks for us."""

    def __init__(self, order: Order) -> None:
        """Start the graph; returns when the robot's state comes.

        Raises:
            ChildError: it did not start.
        """
        self.children: dict[str, Child] = {}
        self._is_closed = False
        environment = {**order.environment, **dds_profile()}
        if "ROS_DOMAIN_ID" not in os.environ:
            environment.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 101))
        if "ROS_AUTOMATIC_DISCOVERY_RANGE" not in os.environ:
            environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        self.flight = order.folder / "box" / "flight.jsonl"
        self.control = order.folder / "box" / "control"
        try:
            self.children["launch"] = Child(
                "launch",
                _python(
                    "reflexarc.cli",
                    "launch",
                    "sim",
                    f"scenario:={order.scenario}",
                    f"config:={order.config}",
                    f"pictures:={order.pictures}",
                    f"folder:={order.folder / 'box'}",
                    f"pace:={order.pace}",
                    "camera_fps:=-1.0",  # the scenario's own
                    "waits:=true",
                ),
                order.folder,
                environment,
            )
            album = [f"--pictures={order.folder / 'pictures'}"] if order.films else []
            self.children["spectator"] = Child(
                "spectator",
                _python("reflexarc.robot.nodes.spectator", *album),
                order.folder,
                environment,
            )
            self._wait_armed()
        except BaseException:
            self.close()
            raise

    def _wait_armed(self) -> None:
        """Until the robot is armed: then all its nodes are active."""
        deadline = time.monotonic() + START_S
        state = {"gate": "no word", "gate_reason": "from the base"}
        while time.monotonic() < deadline:
            for child in self.children.values():
                child.check()
            for _, line in self.children["spectator"].take():
                state = line.get("state", state)
            if state["gate"] == "armed":
                return
            time.sleep(_LOOK_S)
        raise ChildError(
            expected=f"an armed robot within {START_S:g} s",
            found=f"{state['gate']}: {state['gate_reason']}",
            remedy=f"see {self.children['launch'].log}",
        )

    def take(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """As `Engine`."""
        yield from self.children["spectator"].take()
        if not self._is_closed:
            for child in self.children.values():
                child.check()

    def tell(self, **line: Any) -> None:
        """As `Engine`."""
        self.children["spectator"].tell(**line)

    def close(self) -> dict[str, int]:
        """As `Engine`; the spectator last, so that it sees the end. Nodes that SIGINT did not
        end are among them, with the signal that did."""
        self._is_closed = True
        exits = _close(self.children, ("launch", "spectator"))
        if "launch" in self.children:
            log = self.children["launch"].log.read_text("utf-8", "replace")
            exits |= {name: -signal.Signals[by] for name, by in _ENDED_BY_FORCE.findall(log)}
        return exits


def _close(children: dict[str, Child], order: tuple[str, ...]) -> dict[str, int]:
    exits = {}
    with ExitStack() as stack:  # the others too, should one of them fail to end

        def end(name: str) -> None:
            exits[name] = children[name].close(signal.SIGINT)

        for name in reversed(order):
            if name in children:
                stack.callback(end, name)
    return exits


ENGINES: dict[str, Callable[[Order], Engine]] = {"process": ProcessEngine, "ros": RosEngine}
