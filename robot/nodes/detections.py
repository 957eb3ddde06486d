"""Observations as vision_msgs, for programs that know only those."""

from __future__ import annotations

from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from reflexarc.perception.observation import Observation
from reflexarc.robot.nodes.graph import CAMERA_FRAME


def detections_message(observation: Observation, stamp: Time) -> Any:
    """A vision_msgs/Detection2DArray: boxes by their centres, labels as class ids.

    The task's name goes before each label ("digits/3"): one topic serves all tasks.

    Raises:
        ImportError: vision_msgs is not installed.
    """
    from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

    header = Header(stamp=stamp, frame_id=CAMERA_FRAME)
    array = Detection2DArray(header=header)
    for found in observation.detections:
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = f"{observation.task}/{found.label}"
        hypothesis.hypothesis.score = float(found.score)
        one = Detection2D(header=header, results=[hypothesis])
        one.id = "" if found.track is None else str(found.track)
        one.bbox.center.position.x = float(found.box.x + found.box.width / 2)
        one.bbox.center.position.y = float(found.box.y + found.box.height / 2)
        one.bbox.size_x = float(found.box.width)
        one.bbox.size_y = float(found.box.height)
        array.detections.append(one)
    return array
