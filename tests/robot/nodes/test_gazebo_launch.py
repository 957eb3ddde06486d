"""`reflexarc launch gazebo` with stand-ins for Gazebo's three programs: the whole group.

The launch file, the bridge's file, the world and our three nodes are the real ones.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from launched import Launched
from ros_graph import Ear, Graph
from std_msgs.msg import String

from reflexarc.robot.nodes import graph as names

SUPPORT = Path(__file__).parents[2] / "support"
# gz sim -r -s --headless-rendering WORLD
GZ = """#!/bin/sh
export PYTHONPATH={support}
exec {python} -m gazebo_stand_in "$5"
"""
# create -topic NAME -name NAME ...: the stand-in for Gazebo takes the topic itself.
CREATE = """#!/bin/sh
echo "create $1 $2 $3 $4"
"""
BRIDGE = """#!/bin/sh
echo "bridge $*"
exec sleep 600
"""


@pytest.fixture
def launched(graph: Graph, tmp_path: Path) -> Iterator[Launched]:
    program(tmp_path / "bin/gz", GZ.format(support=SUPPORT, python=sys.executable))
    for package, name, text in (
        ("ros_gz_sim", "create", CREATE),
        ("ros_gz_bridge", "parameter_bridge", BRIDGE),
    ):
        program(tmp_path / "lib" / package / name, text)
        marker = tmp_path / "share/ament_index/resource_index/packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text("")
    config = tmp_path / "robot.yaml"
    config.write_text(f"name: gazebo{graph.domain}\naudit: {{enabled: false}}\n")
    environment = {
        **graph.environment,
        "AMENT_PREFIX_PATH": f"{tmp_path}:{sys.prefix}",
        "PATH": f"{tmp_path}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "MUJOCO_GL": "egl",
    }
    launched = Launched(["gazebo", "headless:=true", f"config:={config}"], environment)
    try:
        yield launched
    finally:
        print(launched.transcript())
        launched.close()


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_the_group_comes_up_obeys_and_ends_with_ctrl_c(graph: Graph, launched: Launched) -> None:
    truth: Ear = graph.hear(names.GROUND_TRUTH)
    events: Ear = graph.hear(names.EVENTS)
    states: Ear = graph.hear(names.ROBOT_STATE)
    states.wait_for(lambda state: state.gate == "armed", timeout=90.0)
    graph.speaker(names.ORDERS)(String(data="go forward 30 cm"))
    ended = events.wait_for(lambda event: event.kind in ("finished", "failed"), timeout=60.0)
    assert ended.kind == "finished", ended.text
    assert truth.wait_for().pose.pose.position.x == pytest.approx(0.3, abs=0.03)
    assert launched.end() == 130
    assert launched.left() == []
    assert "create -topic gazebo/model -name rover" in launched.transcript()


@pytest.mark.parametrize("victim", ["base", "gazebo", "bridge"])
def test_what_nothing_could_stop_any_more_ends_with_it(
    graph: Graph, launched: Launched, victim: str
) -> None:
    pid = launched.started(victim)
    states: Ear = graph.hear(names.ROBOT_STATE)
    states.wait_for(lambda state: state.gate == "armed", timeout=90.0)
    os.kill(pid, signal.SIGKILL)
    assert launched.wait() == 128 + signal.SIGKILL
    assert launched.left() == []
