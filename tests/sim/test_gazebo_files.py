"""The files for Gazebo agree: model, world, bridge, launch file, and the nodes' own names.

Gazebo itself runs nowhere here. What its parts are called is written down below, from its own
sources: gz-sim 8 (Harmonic) and 9 (Ionic), and the README of ros_gz_bridge (jazzy).
"""

from __future__ import annotations

import importlib
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
import yaml

from reflexarc.robot.launching import Process, launch_files, resolve
from reflexarc.sim.description import rover
from reflexarc.sim.sdf import to_sdf, topics

LAUNCH = launch_files()["gazebo"]
FOLDER = LAUNCH.parent / "gazebo"
WORLD = FOLDER / "world.sdf"
BRIDGE: list[dict[str, Any]] = yaml.safe_load((FOLDER / "bridge.yaml").read_text())

# https://github.com/gazebosim/gz-sim/tree/gz-sim8/src/systems: file and alias of each system.
SYSTEMS = {
    "gz-sim-physics-system": "Physics",
    "gz-sim-user-commands-system": "UserCommands",
    "gz-sim-scene-broadcaster-system": "SceneBroadcaster",
    "gz-sim-sensors-system": "Sensors",
    "gz-sim-imu-system": "Imu",
    "gz-sim-diff-drive-system": "DiffDrive",
    "gz-sim-joint-position-controller-system": "JointPositionController",
    "gz-sim-joint-state-publisher-system": "JointStatePublisher",
}
# The elements that each model system reads, from its header there.
ELEMENTS = {
    "DiffDrive": {
        "left_joint", "right_joint", "wheel_separation", "wheel_radius",
        "odom_publish_frequency", "topic", "odom_topic", "tf_topic", "frame_id",
        "child_frame_id", "min_linear_velocity", "max_linear_velocity",
        "min_linear_acceleration", "max_linear_acceleration",
    },
    "JointPositionController": {
        "joint_name", "topic", "p_gain", "i_gain", "d_gain", "cmd_max", "cmd_min",
    },
    "JointStatePublisher": {"topic", "joint_name", "update_rate"},
}  # fmt: skip
# Which world system a sensor of the model needs.
SENSORS = {"camera": "Sensors", "gpu_lidar": "Sensors", "imu": "Imu"}
# https://github.com/gazebosim/ros_gz/tree/jazzy/ros_gz_bridge: what it can translate.
PAIRS = {
    ("rosgraph_msgs/msg/Clock", "gz.msgs.Clock"),
    ("geometry_msgs/msg/Twist", "gz.msgs.Twist"),
    ("std_msgs/msg/Float64", "gz.msgs.Double"),
    ("sensor_msgs/msg/JointState", "gz.msgs.Model"),
    ("sensor_msgs/msg/LaserScan", "gz.msgs.LaserScan"),
    ("sensor_msgs/msg/Image", "gz.msgs.Image"),
    ("sensor_msgs/msg/CameraInfo", "gz.msgs.CameraInfo"),
    ("sensor_msgs/msg/Imu", "gz.msgs.IMU"),
    ("nav_msgs/msg/Odometry", "gz.msgs.Odometry"),
}
# The same README and bridge_config.cpp: the keys of an entry.
KEYS = {
    "ros_topic_name", "gz_topic_name", "ros_type_name", "gz_type_name", "direction",
    "subscriber_queue", "publisher_queue", "lazy",
}  # fmt: skip
# What Gazebo says on each topic of the model, and whether it says or hears it.
CARRIES = {
    "cmd_vel": ("gz.msgs.Twist", "ROS_TO_GZ"),
    "odometry": ("gz.msgs.Odometry", "GZ_TO_ROS"),
    "joint_state": ("gz.msgs.Model", "GZ_TO_ROS"),
    "camera": ("gz.msgs.Image", "GZ_TO_ROS"),
    "camera_info": ("gz.msgs.CameraInfo", "GZ_TO_ROS"),
    "imu": ("gz.msgs.IMU", "GZ_TO_ROS"),
    "range": ("gz.msgs.LaserScan", "GZ_TO_ROS"),
    "pan_joint": ("gz.msgs.Double", "ROS_TO_GZ"),
    "tilt_joint": ("gz.msgs.Double", "ROS_TO_GZ"),
    "gripper_joint": ("gz.msgs.Double", "ROS_TO_GZ"),
}
# base says where the robot is, and its transform: two would quarrel.
NOT_BRIDGED = {"tf"}


def model() -> Element:
    found = ElementTree.fromstring(to_sdf(rover())).find("model")
    assert found is not None
    return found


def world() -> Element:
    found = ElementTree.parse(WORLD).getroot().find("world")
    assert found is not None
    return found


def systems_of(element: Element) -> dict[str, str]:
    return {
        str(plugin.get("filename")): str(plugin.get("name")) for plugin in element.findall("plugin")
    }


def processes(**arguments: str) -> dict[str, Process]:
    return {process.label: process for process in resolve(LAUNCH, arguments).processes}


# ---- model and world


@pytest.mark.parametrize("element", [model, world])
def test_systems_are_called_as_in_gazebo(element: Any) -> None:
    systems = systems_of(element())
    assert systems
    for file, name in systems.items():
        assert name == f"gz::sim::systems::{SYSTEMS[file]}"


def test_systems_of_the_model_get_what_they_know() -> None:
    for plugin in model().findall("plugin"):
        name = str(plugin.get("name")).rpartition("::")[2]
        assert {child.tag for child in plugin} <= ELEMENTS[name], name


def test_systems_of_the_model_name_its_joints() -> None:
    joints = {joint.get("name") for joint in model().findall("joint")}
    for plugin in model().findall("plugin"):
        for tag in ("left_joint", "right_joint", "joint_name"):
            assert {element.text for element in plugin.findall(tag)} <= joints


def test_the_world_has_the_systems_that_the_models_sensors_need() -> None:
    names = {name.rpartition("::")[2] for name in systems_of(world()).values()}
    needed = {SENSORS[str(sensor.get("type"))] for sensor in model().iter("sensor")}
    # Physics moves it, UserCommands spawns it, SceneBroadcaster shows it.
    assert names == needed | {"Physics", "UserCommands", "SceneBroadcaster"}
    assert world().findtext("plugin/render_engine") == "ogre2"


def test_nothing_stands_where_the_robot_starts() -> None:
    clear = 0.5
    for thing in world().findall("model"):
        if thing.get("name") == "floor":
            continue
        x, y, *_ = map(float, (thing.findtext("pose") or "").split())
        size = thing.findtext("link/collision/geometry/box/size") or "0.2 0.2 0.2"
        half = [float(edge) / 2 for edge in size.split()]
        away = math.hypot(max(abs(x) - half[0], 0), max(abs(y) - half[1], 0))
        assert away > clear, thing.get("name")


def test_nothing_of_the_world_is_called_as_the_robot() -> None:
    names = [thing.get("name") for thing in world().findall("model")]
    assert len(names) == len(set(names))
    assert rover().name not in names


def test_libsdformat_finds_nothing_wrong_with_the_world() -> None:
    ign = shutil.which("ign") or shutil.which("gz")
    if ign is None:
        pytest.skip("no ign or gz (apt-get install ignition-tools libsdformat-dev)")
    checked = subprocess.run(
        [ign, "sdf", "--check", str(WORLD)], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0
    assert "Valid." in checked.stdout
    assert [line for line in checked.stderr.splitlines() if "backward" not in line] == []


def test_libsdformat_finds_nothing_wrong_with_the_robot_in_the_world(tmp_path: Path) -> None:
    """As after spawning: what is named twice, or is not there, is found."""
    ign = shutil.which("ign") or shutil.which("gz")
    if ign is None:
        pytest.skip("no ign or gz (apt-get install ignition-tools libsdformat-dev)")
    tree = ElementTree.parse(WORLD)
    place = tree.getroot().find("world")
    assert place is not None
    place.append(model())
    path = tmp_path / "both.sdf"
    tree.write(path)
    checked = subprocess.run(
        [ign, "sdf", "--check", str(path)], capture_output=True, text=True, timeout=60
    )
    assert "Valid." in checked.stdout
    assert [line for line in checked.stderr.splitlines() if "backward" not in line] == []


def test_the_board_shows_a_seven_to_the_digits_task() -> None:
    """Rendered by MuJoCo from the world's own file, in a process without TensorFlow."""
    pytest.importorskip("mujoco")
    support = Path(__file__).parents[1] / "support"
    done = subprocess.run(
        [sys.executable, str(support / "gazebo_view.py"), str(WORLD)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["7"]


# ---- the bridge


@pytest.mark.parametrize("entry", BRIDGE, ids=lambda entry: entry["ros_topic_name"])
def test_the_bridge_can_translate_it(entry: dict[str, Any]) -> None:
    assert set(entry) <= KEYS
    assert entry["direction"] in ("ROS_TO_GZ", "GZ_TO_ROS")
    assert (entry["ros_type_name"], entry["gz_type_name"]) in PAIRS
    # Who is told to be lazy looks for subscribers on the ROS side.
    assert entry["direction"] == "GZ_TO_ROS" or not entry.get("lazy")
    pytest.importorskip("rclpy")
    package, _, kind = entry["ros_type_name"].split("/")
    assert hasattr(importlib.import_module(f"{package}.msg"), kind)


def test_the_bridge_carries_each_topic_of_the_model_the_right_way() -> None:
    names = topics(rover())
    assert set(names) == CARRIES.keys() | NOT_BRIDGED
    bridged = {
        entry["gz_topic_name"]: (entry["gz_type_name"], entry["direction"])
        for entry in BRIDGE
        if entry["gz_topic_name"] != "/clock"
    }
    assert bridged == {names[what]: carried for what, carried in CARRIES.items()}
    assert len(bridged) == len(BRIDGE) - 1


def test_no_ros_name_is_bridged_twice_and_only_the_clock_is_global() -> None:
    names = [entry["ros_topic_name"] for entry in BRIDGE]
    assert len(names) == len(set(names))
    assert [name for name in names if name.startswith("/")] == ["/clock"]


def test_the_bridge_has_what_base_says_and_hears_and_nothing_else_moves_the_body() -> None:
    pytest.importorskip("rclpy")
    from reflexarc.robot.nodes import gazebo_base

    ours = gazebo_base.GazeboBaseNode
    bridged = {entry["ros_topic_name"]: entry for entry in BRIDGE}

    def kind(topic: Any) -> str:
        return f"{topic.type.__module__.split('.')[0]}/msg/{topic.type.__name__}"

    said = [gazebo_base.BODY_CMD_VEL, *gazebo_base.BODY_ANGLES.values()]
    heard = [gazebo_base.BODY_JOINTS, gazebo_base.BODY_SCAN]
    assert set(said) <= set(ours.PUBLISHES)
    assert set(heard) <= set(ours.SUBSCRIBES)
    for topic, direction in [(t, "ROS_TO_GZ") for t in said] + [(t, "GZ_TO_ROS") for t in heard]:
        assert bridged[topic.name]["ros_type_name"] == kind(topic)
        assert bridged[topic.name]["direction"] == direction
    to_body = {name for name, entry in bridged.items() if entry["direction"] == "ROS_TO_GZ"}
    assert to_body == {topic.name for topic in said}


def test_nothing_of_the_graph_is_bridged_but_the_clock() -> None:
    """A second publisher of `odom` or `joint_states` would contradict base."""
    pytest.importorskip("rclpy")
    from reflexarc.robot.nodes import graph

    names = {value.name for value in vars(graph).values() if isinstance(value, graph.Topic)}
    assert {entry["ros_topic_name"] for entry in BRIDGE} & names == {"/clock"}


def test_the_document_has_every_topic_of_the_bridge() -> None:
    rows = (LAUNCH.parents[1] / "docs" / "gazebo.md").read_text(encoding="utf-8").splitlines()
    for entry in BRIDGE:
        arrow = "→" if entry["direction"] == "GZ_TO_ROS" else "←"
        row = (
            f"| `{entry['gz_topic_name']}` | `{entry['gz_type_name']}` | {arrow} "
            f"| `{entry['ros_topic_name']}` | `{entry['ros_type_name']}` |"
        )
        assert any(line.startswith(row) for line in rows), row


def test_the_robots_joints_are_those_of_the_graph() -> None:
    pytest.importorskip("rclpy")
    from reflexarc.robot.nodes import graph

    assert rover().wheels == graph.WHEEL_JOINTS
    assert rover().servos == tuple(graph.JOINTS.values())


# ---- the launch file


def test_the_launch_file_starts_gazebo_bridge_robot_and_nodes() -> None:
    found = processes()
    assert list(found) == ["gazebo", "bridge", "spawn", "perception", "brain", "base"]
    packages = [(found[name].package, found[name].executable) for name in ("bridge", "spawn")]
    assert packages == [("ros_gz_bridge", "parameter_bridge"), ("ros_gz_sim", "create")]
    assert Path(str(found["bridge"].parameters["config_file"])) == FOLDER / "bridge.yaml"
    assert all(
        process.parameters["use_sim_time"] is True
        for name, process in found.items()
        if name not in ("gazebo", "spawn")
    )
    # What its death leaves moving ends with it.
    required = {name for name, process in found.items() if process.required}
    assert required == {"gazebo", "bridge", "base"}


def test_perception_looks_at_what_the_bridge_brings_and_not_at_its_own_pictures() -> None:
    pytest.importorskip("rclpy")
    from reflexarc.robot.nodes import graph

    source = str(processes()["perception"].parameters["source"])
    topic = source.removeprefix("ros:")
    entry = next(entry for entry in BRIDGE if entry["ros_topic_name"] == topic)
    assert entry["gz_topic_name"] == topics(rover())["camera"]
    assert topic != graph.IMAGE.name


def test_the_spawned_model_is_the_one_that_base_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rclpy")
    from reflexarc.robot.nodes import gazebo_base

    programs(tmp_path, monkeypatch)
    command = processes(x="0.5", yaw="1.57")["spawn"].command
    words = [str(word) for word in command[1:11]]
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "-topic": gazebo_base.MODEL.name,
        "-name": rover().name,
        "-x": "0.5",
        "-y": "0.0",
        "-Y": "1.57",
    }
    served = ElementTree.fromstring(to_sdf(rover())).find("model")
    assert served is not None and served.get("name") == rover().name


def test_gazebo_gets_the_world_as_one_word_with_and_without_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch)
    seen = processes(world="/tmp/my worlds/a.sdf")["gazebo"].command
    assert list(seen[1:]) == ["sim", "-r", "/tmp/my worlds/a.sdf"]
    unseen = processes(headless="true")["gazebo"].command
    assert list(unseen[1:]) == ["sim", "-r", "-s", "--headless-rendering", str(WORLD)]


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for Gazebo's programs, so that the launch file finds them."""
    for name in ("bin/gz", "lib/ros_gz_sim/create", "lib/ros_gz_bridge/parameter_bridge"):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for package in ("ros_gz_sim", "ros_gz_bridge"):
        marker = folder / "share/ament_index/resource_index/packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text("")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{folder}:{sys.prefix}")
    monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")
