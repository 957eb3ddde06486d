"""The definitions as they are installed."""

from __future__ import annotations

import math
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, get_args

import pytest

pytest.importorskip("rclpy")

from reflexarc_interfaces.action import RunPlan
from reflexarc_interfaces.msg import Detection, Event, Observation, Plan, RobotState

from reflexarc.robot.events import Kind
from reflexarc.robot.nodes.definitions import (
    UnknownTypeError,
    definition,
    message_class,
    type_hash,
)
from reflexarc.robot.plan import Status

SOURCES = Path(__file__).resolve().parents[2] / "interfaces"
INSTALLED = Path(sys.prefix) / "share" / "reflexarc_interfaces"
DEFINITIONS = sorted(
    str(path.relative_to(SOURCES))
    for folder in ("msg", "srv", "action")
    for path in (SOURCES / folder).iterdir()
)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_what_is_installed_is_what_stands_here(name: str) -> None:
    assert (INSTALLED / name).read_text() == (SOURCES / name).read_text(), "run tools/setup.sh"


def test_nothing_else_is_installed() -> None:
    there = {
        str(path.relative_to(INSTALLED))
        for folder in ("msg", "srv", "action")
        for path in (INSTALLED / folder).iterdir()
        if path.suffix in (".msg", ".srv", ".action")
    }
    assert there == set(DEFINITIONS)


def test_the_defaults_are_harmless() -> None:
    assert Detection().track == Detection.NO_TRACK == -1
    assert (Plan().status, Plan().actions, Plan().confidence) == ("", "[]", 1.0)
    state = RobotState()
    assert not state.motors_on
    assert state.gate == ""
    assert list(state.servos_deg) == [0.0, 0.0, 0.0]
    assert RunPlan.Goal().confirmed is False
    assert Observation().detections == []
    assert Event().acknowledged_ns == 0


@pytest.mark.parametrize(("name", "words"), [("Event", Kind), ("Plan", Status)])
def test_the_words_in_the_comments_are_those_of_the_code(name: str, words: Any) -> None:
    comments = " ".join(re.findall(r"# (.*)", (SOURCES / "msg" / f"{name}.msg").read_text()))
    assert set(get_args(words)) <= set(re.findall(r"\w+", comments))


def test_numbers_survive_exactly() -> None:
    from rclpy.serialization import deserialize_message, serialize_message

    seen = Detection(score=0.1 + 0.2, x=math.pi, track=2**62)
    assert deserialize_message(serialize_message(seen), Detection) == seen


def test_pip_and_colcon_build_the_same_package() -> None:
    package = ElementTree.parse(SOURCES / "package.xml")
    project = (SOURCES / "pyproject.toml").read_text()
    assert f'version = "{package.findtext("version")}"' in project
    assert f'description = "{package.findtext("description")}"' in project


def test_a_definition_brings_all_that_it_is_made_of() -> None:
    text = definition("reflexarc_interfaces/msg/Observation")
    parts = re.findall(r"^=+\nMSG: (\S+)$", text, re.MULTILINE)
    assert sorted(parts) == [
        "builtin_interfaces/Time",
        "reflexarc_interfaces/Count",
        "reflexarc_interfaces/Detection",
        "reflexarc_interfaces/Keypoint",
        "reflexarc_interfaces/NamedValue",
        "std_msgs/Header",
    ]


@pytest.mark.parametrize(
    "type_name",
    [
        "reflexarc_interfaces/msg/Observation",
        "reflexarc_interfaces/msg/RobotState",
        "nav_msgs/msg/Odometry",
        "sensor_msgs/msg/CameraInfo",
        "diagnostic_msgs/msg/DiagnosticArray",
        "rcl_interfaces/msg/ParameterEvent",
    ],
)
def test_the_hash_of_a_definition_is_ros_2s(type_name: str) -> None:
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types = get_typestore(Stores.EMPTY)
    types.register(get_types_from_msg(definition(type_name), type_name))
    assert types.hash_rihs01(type_name) == type_hash(type_name)


@pytest.mark.parametrize(
    "type_name", ["nothing", "std_msgs/String", "no_package/msg/X", "std_msgs/msg/X", "../msg/X"]
)
def test_a_type_that_is_not_there_is_said_in_words(type_name: str) -> None:
    with pytest.raises(UnknownTypeError, match="expected the message type"):
        message_class(type_name)
