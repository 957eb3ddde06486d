"""The brain node over the real base node, the real firmware and a simulated body.

Times are the simulation's, from its flight log.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from reflexarc_interfaces.srv import Arm
from ros_graph import Ear, Graph, NodeProcess
from std_msgs.msg import String

from reflexarc.robot.nodes import graph as names
from reflexarc.sim.flight_reader import Flight

SCENARIO = "name: empty\nseconds: 600\n"


class Rover:
    """Sim, base and brain as processes."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.folder = graph, folder
        scenario, config = folder / "empty.yaml", folder / "robot.yaml"
        scenario.write_text(SCENARIO)
        config.write_text(f"name: boxed{graph.domain}")
        self.events: Ear = graph.hear(names.EVENTS)
        self.states: Ear = graph.hear(names.ROBOT_STATE)
        common = {"config": config, "use_sim_time": True}
        self.sim = graph.start(
            "reflexarc.robot.nodes.sim", scenario=scenario, folder=folder / "box", camera_fps=0.0
        )
        self.base = graph.start("reflexarc.robot.nodes.base", port=folder / "box" / "tty", **common)
        self.brain: NodeProcess = graph.start(
            "reflexarc.robot.nodes.brain", state_folder=folder, listen=False, **common
        )
        self.say_to = graph.speaker(names.ORDERS)
        self.wait_for_gate("armed")
        graph.wait_until(lambda: graph.state_of("brain") == "active")

    def wait_for_gate(self, gate: str) -> None:
        self.graph.wait_until(
            lambda: bool(self.states.messages) and self.states.last.gate == gate, 40.0
        )

    def order(self, text: str) -> str:
        """Say it and wait for its end; gives "finished", or why it failed."""
        heard = len(self.events.messages)
        self.say_to(String(data=text))

        def ends() -> list[str]:
            told = self.events.messages[heard:]
            return [e.text if e.kind == "failed" else e.kind for e in told if e.kind in ENDS]

        self.graph.wait_until(lambda: bool(ends()), 40.0)
        return ends()[0]

    @property
    def flight(self) -> Flight:
        return Flight.read(self.folder / "box" / "flight.jsonl")


ENDS = ("finished", "failed")


@pytest.fixture
def rover(graph: Graph, tmp_path: Path) -> Iterator[Rover]:
    rover = Rover(graph, tmp_path)
    yield rover
    print(rover.sim.text, rover.base.text, rover.brain.text)


def test_orders_end_where_they_should(rover: Rover) -> None:
    assert rover.order("go forward 50 cm") == "finished"
    x, y, yaw = rover.flight.pose[-1]
    assert math.hypot(x - 0.5, y) < 0.02
    assert rover.order("turn left 90 degrees") == "finished"
    turned = math.degrees(rover.flight.pose[-1][2] - yaw)
    assert abs(turned - 90) < 2
    assert rover.states.last.gate == "armed", "nothing was an alarm"


def test_a_brain_that_dies_in_mid_move_leaves_the_wheels_at_rest(rover: Rover) -> None:
    rover.say_to(String(data="go forward 2 metres"))
    rover.graph.wait_until(lambda: abs(rover.states.last.speed[0]) > 800)
    rover.brain.kill()
    killed_t = rover.flight.t[-1]
    rover.wait_for_gate("stopped")
    rover.graph.wait_until(lambda: rover.flight.t[-1] > killed_t + 1.0)
    flight = rover.flight
    later = flight.t > killed_t + 0.4 + 0.1  # the log is written every 0.1 s
    assert not flight.duty[later].any()


def test_a_base_that_dies_and_comes_back_moves_nothing_until_somebody_arms(rover: Rover) -> None:
    rover.say_to(String(data="go forward 2 metres"))
    rover.graph.wait_until(lambda: abs(rover.states.last.speed[0]) > 800)
    rover.base.kill()
    rover.graph.wait_until(lambda: any("lost" in e.text for e in rover.events.messages))
    heard = len(rover.states.messages)
    rover.base = rover.graph.start(
        "reflexarc.robot.nodes.base",
        port=rover.folder / "box" / "tty",
        config=rover.folder / "robot.yaml",
        use_sim_time=True,
    )
    rover.graph.wait_until(lambda: len(rover.states.messages) > heard + 10, 40.0)
    # Who arms a base that the brain has not met yet gets it stopped again: the brain says when.
    rover.graph.wait_until(lambda: any("is back" in e.text for e in rover.events.messages), 40.0)
    assert "not armed" in rover.order("go forward 20 cm")
    assert rover.graph.call(names.ARM, Arm.Request(arm=True)).success
    rover.graph.wait_until(lambda: rover.states.last.gate == "armed")
    before = rover.flight.pose[-1]
    assert rover.order("turn right 45 degrees") == "finished"
    turned = math.degrees(rover.flight.pose[-1][2] - before[2])
    assert abs(turned + 45) < 3
