"""Listens to robot_state and takes a second for each message, until it is ended."""

from __future__ import annotations

import time

import rclpy

from reflexarc.robot.nodes import graph

rclpy.init()
node = rclpy.create_node("slow_listener")
topic = graph.ROBOT_STATE
node.create_subscription(
    topic.type, topic.name, lambda message: time.sleep(1.0), topic.quality.profile
)
print("listening", flush=True)
rclpy.spin(node)
