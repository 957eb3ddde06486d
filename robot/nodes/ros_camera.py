"""A ROS 2 image topic as a camera: ``ros:/camera/image_raw``."""

from __future__ import annotations

import importlib.util
import threading
import time
from typing import Annotated, Any, ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from reflexarc.perception.cameras import CameraError, CorruptFrame, Device, Shot
from reflexarc.perception.cameras.base import Image
from reflexarc.perception.cameras.clock import CLOCK, Clock
from reflexarc.perception.cameras.picture import decode_picture

_INSTALL = "source /opt/ros/…/setup.bash, or on x86_64: pip install 'reflexarc[ros]'"
_OLDEST_NS = 10_000_000_000
_LOOK_S = 0.1

# What sensor_msgs/Image calls them, and how they become RGB.
_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1, "8UC1": 1, "8UC3": 3}
_TO_RGB = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "8UC3": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
    "8UC1": cv2.COLOR_GRAY2RGB,
}


class RosCamera(Device):
    """ROS 2 topic of sensor_msgs/Image or CompressedImage."""

    USAGE: ClassVar[str] = "ros:/camera/image_raw"

    def __init__(
        self,
        address: str,
        *,
        type: Annotated[
            Literal["auto", "raw", "compressed"],
            Field(description="of message; auto: by the topic's name"),
        ] = "auto",
        clock: Clock = CLOCK,
    ) -> None:
        """Subscribe, with the QoS of sensor data. That nobody publishes yet is no error.

        Raises:
            CameraError: rclpy is not here, or that is no topic's name.
        """
        try:
            import rclpy
            from rclpy.exceptions import InvalidTopicNameException
            from rclpy.executors import SingleThreadedExecutor
            from rclpy.qos import QoSProfile, ReliabilityPolicy
            from sensor_msgs.msg import CompressedImage
            from sensor_msgs.msg import Image as ImageMessage
        except ImportError as error:
            raise CameraError(
                expected="ROS 2's rclpy", found=str(error), remedy=_INSTALL
            ) from error
        self._topic = address
        self._clock = clock
        self._woken = threading.Event()
        self._message: Any = None
        compressed = type == "compressed" or (type == "auto" and address.endswith("compressed"))
        self._to_shot = self._from_compressed if compressed else self._from_raw
        # A context of its own: the program around may have one, and shut it down.
        self._context = rclpy.Context()
        self._context.init()
        try:
            self._node = rclpy.create_node(
                "reflexarc_camera", context=self._context, use_global_arguments=False
            )
            # One deep: what waits there would be old.
            quality = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            kind = CompressedImage if compressed else ImageMessage
            self._node.create_subscription(kind, address, self._take, quality)
        except (InvalidTopicNameException, ValueError) as error:
            self._context.shutdown()
            raise CameraError(
                expected="a ROS topic, as in ros:/camera/image_raw",
                found=f"{address!r}: {str(error).splitlines()[0]}",
                remedy="`ros2 topic list` shows those that there are",
            ) from error
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def read(self) -> Shot:
        """The newest picture of the topic, stamped by its publisher.

        Raises:
            CorruptFrame: an encoding that is not known, or too few bytes.
            CameraError: the camera is being closed.
        """
        self._message = None
        while self._message is None:
            self._executor.spin_once(timeout_sec=_LOOK_S)
            if self._woken.is_set():
                raise CameraError(
                    expected=f"pictures on {self._topic}",
                    found="none",
                    remedy="start what publishes them; `ros2 topic info -v` shows who does",
                )
        return self._to_shot(self._message)

    def close(self) -> None:
        """Leave the topic."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def interrupt(self) -> None:
        """Let `read` go."""
        self._woken.set()

    def _take(self, message: Any) -> None:
        self._message = message

    def _from_raw(self, message: Any) -> Shot:
        return Shot(rgb_of(message), self._stamp_ns(message))

    def _from_compressed(self, message: Any) -> Shot:
        image, fault = decode_picture(bytes(message.data))
        if image is None:
            raise _corrupt(fault)
        return Shot(image, self._stamp_ns(message))

    def _stamp_ns(self, message: Any) -> int:
        """The publisher's stamp, in time of day, on the monotonic clock.

        Another machine's clock may be off, and a simulation has its own time: then now.
        """
        now_ns = self._clock.now_ns()
        stamp = message.header.stamp
        old_ns = time.time_ns() - (stamp.sec * 1_000_000_000 + stamp.nanosec)
        return now_ns - old_ns if 0 <= old_ns <= _OLDEST_NS else now_ns

    @staticmethod
    def missing() -> str | None:
        """ROS 2 comes from its own packages, or from wheels on x86_64."""
        return None if importlib.util.find_spec("rclpy") else _INSTALL


def rgb_of(message: Any) -> Image:
    """The pixels of a sensor_msgs/Image: uint8, (height, width, 3), RGB.

    Rows may be padded (`step`). rgb8 without padding is not copied; else there is one copy.

    Raises:
        CorruptFrame: an encoding that is not known, or too few bytes.
    """
    channels = _CHANNELS.get(message.encoding)
    if channels is None:
        raise _corrupt(f"encoding {message.encoding!r}, not one of {', '.join(_CHANNELS)}")
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(message.data, np.uint8)
    if not height or not width or step < width * channels or len(data) < height * step:
        raise _corrupt(f"{len(data)} bytes for {width}x{height}, {step} a row")
    rows = data[: height * step].reshape(height, step)[:, : width * channels]
    pixels = np.lib.stride_tricks.as_strided(
        rows, (height, width, channels), (step, channels, 1), writeable=False
    )
    if message.encoding in _TO_RGB:
        return np.asarray(cv2.cvtColor(pixels, _TO_RGB[message.encoding]), np.uint8)
    return np.ascontiguousarray(pixels)


def _corrupt(found: str) -> CorruptFrame:
    return CorruptFrame(expected="a picture on the topic", found=found, remedy="")
