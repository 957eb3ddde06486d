"""Publishes synthetic frames on ROS topics from a process of its own, until stdin closes.

python ros_publisher.py TOPIC=ENCODING...: rgb8, bgr8, mono8, rgba8, jpeg, odd (an encoding
that nobody knows) or short (too few bytes, every other time). The lines "stop" and "go" on
stdin silence it and let it speak again.
"""

from __future__ import annotations

import sys
import threading

import cv2
import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image

from reflexarc.perception.cameras.synthetic import Synthetic

CONVERSIONS = {
    "bgr8": cv2.COLOR_RGB2BGR,
    "mono8": cv2.COLOR_RGB2GRAY,
    "rgba8": cv2.COLOR_RGB2RGBA,
}
PADDING = 12


def message_of(encoding: str, image: np.ndarray, number: int) -> Image | CompressedImage:
    if encoding == "jpeg":
        _, data = cv2.imencode(".jpg", image[..., ::-1])
        return CompressedImage(format="jpeg", data=data.tobytes())
    if encoding in CONVERSIONS:
        image = cv2.cvtColor(image, CONVERSIONS[encoding])
    height, width = image.shape[:2]
    row = image.reshape(height, -1)
    padded = np.full((height, row.shape[1] + PADDING), 0xEE, np.uint8)
    padded[:, : row.shape[1]] = row
    data = padded.tobytes()
    if encoding == "short" and number % 2:
        data = data[:-50]
    kind = {"odd": "bayer_rggb16", "short": "rgb8"}.get(encoding, encoding)
    return Image(height=height, width=width, step=padded.shape[1], encoding=kind, data=data)


def main() -> None:
    ended, silent = threading.Event(), threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            (silent.set if line.strip() == "stop" else silent.clear)()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    rclpy.init()
    node = rclpy.create_node("publisher")
    publishers = []
    for word in sys.argv[1:]:
        topic, encoding = word.split("=")
        kind = CompressedImage if encoding == "jpeg" else Image
        publishers.append((encoding, node.create_publisher(kind, topic, qos_profile_sensor_data)))
    scene = Synthetic(size=(160, 120), pace="fast")
    number = 0
    while not ended.wait(0.03):
        image = scene.read().image
        for encoding, publisher in () if silent.is_set() else publishers:
            message = message_of(encoding, image, number)
            message.header.stamp = node.get_clock().now().to_msg()
            publisher.publish(message)
        number += 1
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
