"""The nodes with a camera inside, as real processes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from ros_graph import Ear, Graph, NodeProcess
from std_msgs.msg import String

from reflexarc.perception.cameras.synthetic import read_counter
from reflexarc.robot.nodes import graph as names
from reflexarc.robot.nodes.ros_camera import rgb_of

PERCEPTION = "reflexarc.robot.nodes.perception"
CAMERA = "reflexarc.robot.nodes.camera"
DIGIT = Path(__file__).resolve().parents[2] / "data" / "digits"


def start(graph: Graph, module: str, **parameters: Any) -> NodeProcess:
    return graph.start(module, **{"source": "synthetic:?fps=20", **parameters})


def tasks_heard(ear: Ear, since: int = 0) -> set[str]:
    return {message.task for message in ear.messages[since:]}


def test_a_camera_gives_nothing_to_nobody_and_pictures_to_who_asks(graph: Graph) -> None:
    node = start(graph, CAMERA)
    node.wait_for_text("active")
    compressed = graph.hear(names.COMPRESSED)
    info = graph.hear(names.CAMERA_INFO)
    message = compressed.wait_for()
    picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    assert "jpeg" in message.format
    assert message.header.frame_id == names.CAMERA_FRAME
    told = info.wait_for()
    assert (told.width, told.height) == (640, 480)
    assert told.k[0] == pytest.approx(320 / np.tan(np.radians(62.2 / 2)))
    raw = graph.hear(names.IMAGE)
    image = rgb_of(raw.wait_for())
    assert image.shape == (480, 640, 3)
    assert read_counter(image) is not None, "pixel for pixel what the camera gave"
    age_ns = graph.node.get_clock().now().nanoseconds - (
        message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    )
    assert age_ns < 60e9


def test_tasks_come_with_the_brains_need_and_go_with_it(graph: Graph) -> None:
    observations = graph.hear(names.OBSERVATIONS)
    start(graph, PERCEPTION, tasks="digits")
    seen = observations.wait_for()
    assert (seen.task, seen.image_width, seen.image_height) == ("digits", 640, 480)
    assert seen.captured_ns
    need = graph.speaker(names.NEEDED_TASKS)
    need(String(data="digits,mask"))
    observations.wait_for(lambda message: bool(message.task == "mask"))
    need(String(data=""))
    # One that was being looked at may still come.
    graph.wait_until(lambda: quiet(observations, "mask"))
    assert "digits" in tasks_heard(observations, len(observations.messages) - 5)


def quiet(ear: Ear, task: str) -> bool:
    count = len(ear.messages)
    time.sleep(0.5)
    return len(ear.messages) > count and task not in tasks_heard(ear, count)


def test_a_need_that_was_told_before_it_began_is_heard(graph: Graph) -> None:
    topic = names.NEEDED_TASKS
    latched = graph.node.create_publisher(topic.type, topic.name, topic.quality.profile)
    latched.publish(String(data="mask"))
    observations = graph.hear(names.OBSERVATIONS)
    start(graph, PERCEPTION)
    assert observations.wait_for().task == "mask"


def test_what_cannot_be_opened_is_said_and_the_rest_looks(graph: Graph, tmp_path: Path) -> None:
    config = tmp_path / "robot.yaml"
    config.write_text("perception: {tasks: {mask: {model: /no/such.tflite}}}")
    observations = graph.hear(names.OBSERVATIONS)
    node = start(graph, PERCEPTION, tasks="digits,mask", config=config)
    observations.wait_for()
    node.wait_for_text("mask: ")
    assert tasks_heard(observations) == {"digits"}
    health = graph.hear(names.DIAGNOSTICS)
    levels = {status.name: status.level for status in health.wait_for().status}
    assert levels["/perception: camera"] == DiagnosticStatus.OK
    assert levels["/perception: task digits"] == DiagnosticStatus.OK
    assert levels["/perception: task mask"] == DiagnosticStatus.ERROR


def test_a_misspelt_task_is_a_clear_error(graph: Graph) -> None:
    node = start(graph, PERCEPTION, tasks="digit")
    node.wait_for_text("tasks among")
    assert node.process.poll() is None, "it tries again"


def test_a_camera_that_is_not_there_is_said_and_tried_again(graph: Graph, tmp_path: Path) -> None:
    node = graph.start(PERCEPTION, source=f"{tmp_path / 'eye'}?loop=1", tasks="digits")
    node.wait_for_text("no file or folder")
    observations = graph.hear(names.OBSERVATIONS)
    (tmp_path / "new").mkdir()
    cv2.imwrite(str(tmp_path / "new" / "eye.png"), np.full((120, 160, 3), 255, np.uint8))
    (tmp_path / "new").rename(tmp_path / "eye")
    seen = observations.wait_for()
    assert (seen.image_width, seen.image_height) == (160, 120)


def test_no_camera_named_is_said(graph: Graph) -> None:
    node = graph.start(CAMERA)
    node.wait_for_text("perception.source in robot.yaml, or the parameter source")


def test_a_camera_that_breaks_is_opened_again(graph: Graph) -> None:
    observations, health = graph.hear(names.OBSERVATIONS), graph.hear(names.DIAGNOSTICS)
    source = "synthetic:?fps=50&fail=200&stall=0.5&seed=1"
    node = start(graph, PERCEPTION, source=source, tasks="digits")
    broke = health.wait_for(lambda message: outages(message) > 0)
    before = outages(broke)
    observations.wait_for()
    health.wait_for(lambda message: outages(message) > before)
    observations.wait_for()
    assert node.process.poll() is None


def outages(message: Any) -> int:
    (camera,) = (status for status in message.status if status.name.endswith(": camera"))
    return int(next(pair.value for pair in camera.values if pair.key == "outages"))


def test_the_annotated_picture_is_drawn_for_who_looks(graph: Graph) -> None:
    annotated = graph.hear(names.ANNOTATED)
    start(graph, PERCEPTION, tasks="digits")
    message = annotated.wait_for()
    picture = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)


def test_in_a_namespace_its_relative_topic_is_the_namespaces(graph: Graph) -> None:
    graph.start(CAMERA, "-r", "__ns:=/one", source="synthetic:?fps=20&size=320x240")
    graph.start(
        PERCEPTION, "-r", "__ns:=/one", source="ros:camera/image_raw/compressed", tasks="digits"
    )
    topic = names.OBSERVATIONS
    ear = Ear()
    graph.node.create_subscription(
        topic.type, f"/one/{topic.name}", ear.take, topic.quality.profile
    )
    seen = ear.wait_for()
    assert (seen.image_width, seen.image_height) == (320, 240)
    told = "/one/camera/image_raw/compressed"
    graph.wait_until(lambda: graph.node.get_publishers_info_by_topic(told))
    tellers = {info.node_name for info in graph.node.get_publishers_info_by_topic(told)}
    assert tellers == {"camera"}, "perception would hear itself"


def test_it_rests_and_works_again(graph: Graph) -> None:
    observations = graph.hear(names.OBSERVATIONS)
    node = start(graph, PERCEPTION, tasks="digits")
    observations.wait_for()
    assert graph.change("perception", "deactivate")
    graph.wait_until(lambda: silent(observations))
    assert graph.change("perception", "activate")
    observations.wait_for()
    assert graph.change("perception", "deactivate")
    assert graph.change("perception", "cleanup")
    assert graph.state_of("perception") == "unconfigured"
    assert node.terminate() == 0


def silent(ear: Ear) -> bool:
    count = len(ear.messages)
    time.sleep(0.5)
    return len(ear.messages) == count
