"""Over a late and lossy network, a perception that lives counts as living, and a cut is noticed.

50 ms each way, 1 % of the frames lost.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from emulated_network import network
from emulated_network.streams import ros

from reflexarc.robot.nodes.graph import EYES

_WATCHED_S = 20.0
_PROGRAM = """
import sys, time
import rclpy
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.experimental import EventsExecutor
from reflexarc.robot.nodes.graph import EYES

rclpy.init()
node = rclpy.create_node("life")
if sys.argv[1] == "live":
    made = node.create_publisher(EYES.type, EYES.name, EYES.quality.offered)
else:
    tell = lambda change: print(f"{change.alive_count} {time.monotonic()}", flush=True)
    events = SubscriptionEventCallbacks(liveliness=tell)
    made = node.create_subscription(
        EYES.type, EYES.name, lambda m: None, EYES.quality.profile, event_callbacks=events
    )
executor = EventsExecutor()
executor.add_node(node)
while True:
    executor.spin_once(timeout_sec=0.1)
"""
_PROFILE = Path(__file__).resolve().parents[3] / "launch" / "fastdds.xml"


def test_a_late_and_lossy_line_is_no_death_and_a_cut_is_one() -> None:
    environment = {**ros(), "FASTDDS_DEFAULT_PROFILES_FILE": str(_PROFILE)}
    with network("robot", "laptop") as (segment, (robot, laptop)):
        robot.start([sys.executable, "-c", _PROGRAM, "live"], environment)
        watcher = laptop.start([sys.executable, "-c", _PROGRAM, "watch"], environment)
        deadline = time.monotonic() + 30
        while "\n" not in watcher.text:
            assert time.monotonic() < deadline, watcher.text
            time.sleep(0.05)
        time.sleep(_WATCHED_S)
        _, lost = segment.counts
        assert lost, "the line lost nothing"
        assert [line.split()[0] for line in watcher.text.splitlines()] == ["1"]
        cut = segment.cut(robot)
        time.sleep(1.0)
        alive, heard = watcher.text.splitlines()[-1].split()
        assert alive == "0"
        noticed_s = float(heard) - cut
        print(f"the cut was noticed after {noticed_s * 1e3:.0f} ms, {lost} frames lost before")
        assert noticed_s < EYES.quality.lease_s + 0.2
