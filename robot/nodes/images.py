"""A camera's pictures as topics, made only while somebody subscribes."""

from __future__ import annotations

import math
from array import array
from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, CompressedImage
from sensor_msgs.msg import Image as ImageMessage
from std_msgs.msg import Header

from reflexarc.perception.cameras.base import Image
from reflexarc.perception.frame import Frame
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.managed import ManagedNode

JPEG_QUALITY = 80


class ImageTopics:
    """image_raw, image_raw/compressed and camera_info of one camera.

    Each frame, each topic's subscribers are counted (a microsecond); for none, nothing is
    made. Everything is done in the caller's thread.

    Args:
        node: that declares the three topics.
        horizontal_fov_deg: of the camera.
    """

    TOPICS = (graph.IMAGE, graph.COMPRESSED, graph.CAMERA_INFO)

    def __init__(self, node: ManagedNode[Any], horizontal_fov_deg: float) -> None:
        self._raw, self._compressed, self._info = (node.publisher(topic) for topic in self.TOPICS)
        self._fov_deg = horizontal_fov_deg

    def publish(self, frame: Frame, stamp: Time) -> None:
        """What of it somebody wants. `stamp` is the capture time."""
        header = Header(stamp=stamp, frame_id=graph.CAMERA_FRAME)
        if self._raw.get_subscription_count():
            self._raw.publish(image_message(frame.image, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(jpeg_message(frame.image, header))
        if self._info.get_subscription_count():
            height, width = frame.image.shape[:2]
            self._info.publish(camera_info(width, height, self._fov_deg, header))


def image_message(image: Image, header: Header) -> ImageMessage:
    """uint8 RGB, shape (height, width, 3), uncompressed."""
    height, width = image.shape[:2]
    # An array is taken as it is; of bytes rclpy would look at each.
    return ImageMessage(
        header=header,
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=3 * width,
        data=array("B", np.ascontiguousarray(image).tobytes()),
    )


def jpeg_message(image: Image, header: Header) -> CompressedImage:
    """uint8 RGB, shape (height, width, 3), as JPEG. `format` is image_transport's."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return CompressedImage(
        header=header, format="rgb8; jpeg compressed bgr8", data=array("B", data.tobytes())
    )


def camera_info(width: int, height: int, horizontal_fov_deg: float, header: Header) -> CameraInfo:
    """A pinhole without distortion, with square pixels and its centre in the middle.

    Args:
        width, height: of the picture in pixels.
        horizontal_fov_deg: from its left edge to its right edge.
        header: the picture's.
    """
    focal = width / 2 / math.tan(math.radians(horizontal_fov_deg) / 2)
    x, y = width / 2, height / 2
    return CameraInfo(
        header=header,
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal, 0.0, x, 0.0, 0.0, focal, y, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
