"""Who is on a node's topics and yet cannot talk with it; the middleware says nothing of it.

rclpy would have it told by events of the middleware's, whose locks can wait for each other for
ever (ros2/rmw_fastrtps#890), and Fast DDS has none for another type: so a node looks for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rclpy.qos import QoSCompatibility, qos_check_compatible


class Strangers:
    """Tells of each once."""

    def __init__(self, node: Any) -> None:
        """For that node."""
        self._node = node
        self._told: set[str] = set()

    def look(self, subscriptions: Iterable[Any], publishers: Iterable[Any]) -> None:
        """Say who publishes another type on a topic that is heard, and where the quality of
        service keeps messages away."""
        for made in subscriptions:
            self._tell(self._unheard(made))
        for made in publishers:
            self._tell(self._unhearing(made))

    def _unheard(self, made: Any) -> Iterator[str]:
        topic = made.topic_name
        ours = f"{made.msg_type.__module__.split('.')[0]}/msg/{made.msg_type.__name__}"
        wanted = self._mine(self._node.get_subscriptions_info_by_topic(topic))
        for other in self._node.get_publishers_info_by_topic(topic):
            words = f"{_name(other)} publishes {other.topic_type} on {topic}: not heard"
            if other.topic_type != ours:
                yield f"{words}, it has to be {ours}"
            elif wanted and (lacks := _lacks(other.qos_profile, wanted[0])):
                yield f"{words} ({lacks})"

    def _unhearing(self, made: Any) -> Iterator[str]:
        topic = made.topic_name
        offered = self._mine(self._node.get_publishers_info_by_topic(topic))
        for other in self._node.get_subscriptions_info_by_topic(topic):
            if offered and (lacks := _lacks(offered[0], other.qos_profile)):
                yield f"{_name(other)} listens on {topic} and hears nothing ({lacks})"

    def _mine(self, endpoints: Iterable[Any]) -> list[Any]:
        """Qualities of the node's own endpoints, as others see them: what it left open is
        filled in."""
        name = self._node.get_fully_qualified_name()
        return [each.qos_profile for each in endpoints if _name(each) == name]

    def _tell(self, found: Iterable[str]) -> None:
        for words in found:
            if words not in self._told:
                self._told.add(words)
                self._node.get_logger().warning(words)


def _name(endpoint: Any) -> str:
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


def _lacks(offered: Any, wanted: Any) -> str:
    """Why a publisher and a subscription do not match, in the middleware's words; or nothing."""
    compatibility, reason = qos_check_compatible(offered, wanted)
    if compatibility != QoSCompatibility.ERROR:  # the C module's: it is never the same object
        return ""
    return str(reason).removeprefix("ERROR: ").rstrip("; ")
