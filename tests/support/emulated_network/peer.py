"""One end of a measured stream of messages: `send` or `hear`, a line for each message.

A message's number is its linear speed's x; its stamp is the monotonic time of its sending,
which both ends share unless a test gives them different clocks. `hear` writes number, sent,
heard; `send` writes number, sent; seconds.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

import rclpy
from geometry_msgs.msg import TwistStamped
from rclpy.duration import Duration
from rclpy.qos import QoSProfile, ReliabilityPolicy

QUALITIES = ("best effort", "reliable", "reliable, lifespan 0.2 s")
_TOPIC = "stream"


def profile(quality: str, depth: int) -> QoSProfile:
    """One of `QUALITIES`."""
    best_effort = quality == "best effort"
    made = QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
    )
    if "lifespan" in quality:
        made.lifespan = Duration(nanoseconds=200_000_000)
    return made


def send(node: Any, quality: QoSProfile, options: argparse.Namespace) -> None:
    """So many messages, from when somebody hears them; then stay, for what was lost."""
    publisher = node.create_publisher(TwistStamped, _TOPIC, quality)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    time.sleep(options.lead)
    due = time.monotonic()
    for number in range(options.count):
        message = TwistStamped()
        message.twist.linear.x = float(number)
        now = time.monotonic_ns()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        publisher.publish(message)
        print(number, now * 1e-9, flush=True)
        due += options.pause
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(options.tail)


def hear(node: Any, quality: QoSProfile) -> None:
    """Whatever comes, until it is ended."""

    def take(message: TwistStamped) -> None:
        stamp = message.header.stamp
        sent = stamp.sec + stamp.nanosec * 1e-9
        print(int(message.twist.linear.x), sent, time.monotonic(), flush=True)

    node.create_subscription(TwistStamped, _TOPIC, take, quality)
    threading.Event().wait()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["send", "hear"])
    parser.add_argument("--quality", choices=QUALITIES, default="best effort")
    parser.add_argument("--depth", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.01, help="s between messages")
    parser.add_argument("--lead", type=float, default=0.0, help="s to wait for the other end")
    parser.add_argument("--tail", type=float, default=0.0, help="s to stay after the last one")
    options = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node(f"peer_{options.what}")
    threading.Thread(target=rclpy.spin, args=(node,), daemon=True).start()
    quality = profile(options.quality, options.depth)
    if options.what == "send":
        send(node, quality, options)
    else:
        hear(node, quality)


if __name__ == "__main__":
    main()
