"""The launch files of this repository: they resolve, and our nodes know what they are told."""

from __future__ import annotations

import importlib
import inspect
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from reflexarc.robot.launching import Launch, launch_files, resolve
from reflexarc.robot.launching.packages import checkout

ROOT = checkout()
assert ROOT is not None
FILES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.glob("launch/**/*.launch.yaml"))}
# What every ROS node knows.
BUILT_IN = {"use_sim_time"}


def with_everything(path: Path) -> Launch:
    """With every part that an argument switches on."""
    known = resolve(path).arguments
    wanted = {"record": "/tmp/a bag", "foxglove": "true", "split": "true"}
    return resolve(path, {name: value for name, value in wanted.items() if name in known})


def scripts() -> dict[str, str]:
    entries = metadata.distribution("reflexarc").entry_points
    return {entry.name: entry.value for entry in entries if entry.group == "console_scripts"}


def parameters_of(module: Any) -> set[str]:
    """The fields of the model of parameters that a node's module defines or imports."""
    models = [
        model
        for name, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, BaseModel) and name.endswith("Parameters")
    ]
    return set().union(*(model.model_fields for model in models))


def test_the_files_of_the_issue_are_packaged() -> None:
    assert {"robot", "sim", "perception"} <= set(launch_files())


def test_no_two_files_have_one_name() -> None:
    """`ros2 launch PACKAGE FILE` refuses a name that lies in two folders of the package."""
    names = [path.name for path in FILES.values()]
    assert len(names) == len(set(names)), names


@pytest.mark.parametrize("name", FILES)
def test_every_argument_says_what_it_is(name: str) -> None:
    for argument in resolve(FILES[name]).arguments.values():
        assert argument.description, argument.name
        assert argument.default is not None, f"{argument.name}: nobody should have to give it"


@pytest.mark.parametrize("name", FILES)
def test_our_nodes_are_programs_and_know_their_parameters(name: str) -> None:
    pytest.importorskip("rclpy")
    for process in with_everything(FILES[name]).processes:
        if process.package != "reflexarc":
            continue
        assert process.executable in scripts(), process.label
        module = importlib.import_module(scripts()[process.executable].split(":")[0])
        unknown = set(process.parameters) - parameters_of(module) - BUILT_IN
        assert not unknown, f"{process.label} does not know {unknown}"


@pytest.mark.parametrize("name", FILES)
def test_lifecycle_nodes_have_names_and_follow_the_namespace(name: str) -> None:
    known = resolve(FILES[name]).arguments
    if "namespace" not in known:
        pytest.skip("has no namespace")
    launch = resolve(FILES[name], {"namespace": "rover1"})
    for process in launch.processes:
        if process.package == "reflexarc":
            assert process.namespace == "/rover1", process.label


def test_the_box_gives_port_and_camera_of_its_folder_to_the_robot() -> None:
    launch = resolve(launch_files()["sim"], {"folder": "/tmp/my box"})
    found = {process.label: process.parameters for process in launch.processes}
    assert found["base"]["port"] == "/tmp/my box/tty"
    assert found["perception"]["source"] == "box:/tmp/my box/camera"
    assert found["sim"]["folder"] == "/tmp/my box"
    others = [values for label, values in found.items() if label != "sim"]
    assert all(values["use_sim_time"] is True for values in others)
    # The world before the robot, the board last: it comes up when there is something to drive.
    assert list(found) == ["sim", "perception", "brain", "base"]


def test_the_camera_can_be_a_process_of_its_own() -> None:
    file = launch_files()["perception"]
    together = resolve(file, {"source": "walk.mp4"})
    assert [p.parameters["source"] for p in together.processes] == ["walk.mp4"]
    apart = resolve(file, {"source": "walk.mp4", "split": "true"})
    assert [(p.label, p.parameters["source"]) for p in apart.processes] == [
        ("camera", "walk.mp4"),
        ("perception", "ros:camera/image_raw"),
    ]
