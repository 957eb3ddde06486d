"""The box as a node, a real process."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from ros_graph import Ear, Graph

from reflexarc.robot.nodes import graph as names

MODULE = "reflexarc.robot.nodes.sim"
EMPTY = "name: empty\nseconds: 60\n"


def seconds(ear: Ear) -> list[float]:
    return [m.clock.sec + m.clock.nanosec * 1e-9 for m in ear.messages]


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "empty.yaml"
    path.write_text(EMPTY)
    return path


def test_it_publishes_time_and_pose_and_ends_with_its_box(
    graph: Graph, scenario: Path, tmp_path: Path
) -> None:
    clock, pose = graph.hear(names.CLOCK), graph.hear(names.GROUND_TRUTH)
    node = graph.start(
        MODULE, scenario=scenario, folder=tmp_path / "box", camera_fps=0.0, seconds=3.0
    )
    assert node.wait(60) == 0, node.text
    times = seconds(clock)
    assert times == sorted(times)
    assert times[-1] == pytest.approx(3.0, abs=0.1)
    steps = {round((b - a) * 100) for a, b in itertools.pairwise(times)}
    assert min(steps) == 1, "a hundred times a simulated second"
    truth = pose.last
    assert truth.child_frame_id == names.BASE_FRAME
    assert truth.pose.pose.position.x == pytest.approx(0.0, abs=0.01)
    assert truth.pose.pose.orientation.w == pytest.approx(1.0, abs=0.01)
    assert not (tmp_path / "box" / "tty").exists()


def test_time_stands_still_until_it_is_active(graph: Graph, scenario: Path, tmp_path: Path) -> None:
    clock = graph.hear(names.CLOCK)
    node = graph.start(
        MODULE, scenario=scenario, folder=tmp_path / "box", camera_fps=0.0, autostart=False
    )
    assert graph.change("sim", "configure")
    assert (tmp_path / "box" / "tty").exists(), "others may connect"
    assert not clock.messages
    assert graph.change("sim", "activate")
    clock.wait_for()
    assert graph.change("sim", "deactivate")
    assert not (tmp_path / "box" / "tty").exists()
    assert graph.change("sim", "activate")
    clock.wait_for(lambda message: message.clock.sec == 0)
    assert node.terminate() == 0


def test_a_scenario_that_is_none_is_said(graph: Graph) -> None:
    node = graph.start(MODULE, scenario="curier")
    node.wait_for_text("courier")


def test_a_pace_that_is_none_is_said(graph: Graph) -> None:
    node = graph.start(MODULE, pace="quick")
    assert node.wait() == 2
    assert "real, fast, or a number" in node.text
