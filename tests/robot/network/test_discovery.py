"""Nodes on two hosts find each other in each of the ways that docs/network.md describes."""

from __future__ import annotations

import sys
import time

import pytest
from emulated_network import Host, network
from emulated_network.streams import Stream, ros

_ALONE = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
_ENOUGH = 20
"""Of 200 messages: a busy machine may be late to take them, and only the newest waits."""


def serve(host: Host) -> dict[str, str]:
    """Start a discovery server there; gives what its clients need."""
    host.start([sys.executable, "-m", "reflexarc.robot.nodes.discovery", "--address", host.address])
    return {"ROS_DISCOVERY_SERVER": f"{host.address}:11811"}


def test_by_multicast() -> None:
    with network("robot", "laptop") as (_, (robot, laptop)):
        stream = Stream(laptop, robot, ros())
        assert len(stream.wait_for_end()) > _ENOUGH


def test_not_at_all_by_multicast_where_discovery_is_limited_to_the_own_machine() -> None:
    with network("robot", "laptop", delay_ms=0, loss=0.0) as (_, (robot, laptop)):
        assert not Stream(laptop, robot, ros(**_ALONE)).wait_for_message(4.0)


@pytest.mark.parametrize("who", ["laptop", "both"])
def test_by_a_list_of_peers_without_multicast(who: str) -> None:
    with network("robot", "laptop") as (_, (robot, laptop)):
        environment = ros(**_ALONE, ROS_STATIC_PEERS=robot.address)
        hearer = {"ROS_STATIC_PEERS": laptop.address if who == "both" else ""}
        stream = Stream(laptop, robot, environment, hearer=hearer)
        assert len(stream.wait_for_end()) > _ENOUGH


def test_by_a_discovery_server_on_the_robot() -> None:
    with network("robot", "laptop") as (_, (robot, laptop)):
        stream = Stream(laptop, robot, ros(**serve(robot)))
        assert len(stream.wait_for_end()) > _ENOUGH


def test_by_a_discovery_server_that_starts_last_of_all() -> None:
    with network("robot", "laptop") as (_, (robot, laptop)):
        server = {"ROS_DISCOVERY_SERVER": f"{robot.address}:11811"}
        stream = Stream(laptop, robot, ros(**server))
        time.sleep(2.0)
        assert not stream.heard
        serve(robot)
        assert len(stream.wait_for_end()) > _ENOUGH


def test_what_has_met_goes_on_without_the_discovery_server() -> None:
    with network("robot", "laptop", "server") as (segment, (robot, laptop, server)):
        stream = Stream(laptop, robot, ros(**serve(server)), "--count=500")
        assert stream.wait_for_message()
        segment.cut(server)
        before = len(stream.heard)
        assert len(stream.wait_for_end()) > before + _ENOUGH
