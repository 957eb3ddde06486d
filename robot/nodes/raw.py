"""Topics of any type as the bytes that travel: for recording them, and for passing them on."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from reflexarc.robot.nodes.definitions import (
    UnknownTypeError,
    definition,
    message_class,
    type_hash,
)

IMAGE_TYPES = frozenset({"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"})


@dataclass(frozen=True)
class RawTopic:
    """A topic that somebody publishes.

    Attributes:
        name: whole, with its leading slash.
        type_name: as in ``std_msgs/msg/String``.
        offered: the quality of service of each publisher.
    """

    name: str
    type_name: str
    offered: tuple[QoSProfile, ...]

    @property
    def schema(self) -> str:
        """The type's definition (``ros2msg``)."""
        return definition(self.type_name)

    @property
    def hash(self) -> str:
        """The type's RIHS01 hash."""
        return type_hash(self.type_name)

    def quality(self, depth: int) -> QoSProfile:
        """The best quality of service that every publisher offers: none is left out."""
        reliable = all(one.reliability == ReliabilityPolicy.RELIABLE for one in self.offered)
        latched = all(one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in self.offered)
        return QoSProfile(
            depth=depth,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )


class Topics:
    """What there is to hear in the graph, as it changes.

    Topics whose names have a hidden part (``_action``) are left out, as ROS 2's tools do.
    """

    def __init__(self, node: Node, patterns: Iterable[str], *, images: bool) -> None:
        """Nothing is looked for yet.

        Args:
            node: whose graph, namespace and log.
            patterns: of names, as a shell's; without a leading slash in the node's namespace.
                ``*`` is everything.
            images: with topics of pictures, which cost work to make and much room.
        """
        self._node = node
        self._patterns = [self._whole(pattern) for pattern in patterns]
        self._images = images
        self._known: dict[str, RawTopic] = {}
        self._refused: set[tuple[str, str]] = set()

    def look(self) -> dict[str, RawTopic]:
        """All wanted topics that have a publisher now, or had one, by name."""
        for name, types in self._node.get_topic_names_and_types():
            publishers = self._node.count_publishers(name)
            known = self._known.get(name)
            if not publishers or (known is not None and len(known.offered) == publishers):
                continue
            if known is None and not self._is_wanted(name, types):
                continue
            offers = self._node.get_publishers_info_by_topic(name)
            types_here = [offer.topic_type for offer in offers]
            type_name = known.type_name if known else next(iter(types_here), types[0])
            if not self._is_usable(name, type_name, types_here):
                continue
            offered = tuple(offer.qos_profile for offer in offers if offer.topic_type == type_name)
            if offered:
                self._known[name] = RawTopic(name, type_name, offered)
        return dict(self._known)

    def _whole(self, pattern: str) -> str:
        if pattern == "*" or pattern.startswith("/"):
            return pattern
        return f"{self._node.get_namespace().rstrip('/')}/{pattern}"

    def _is_wanted(self, name: str, types: list[str]) -> bool:
        if "/_" in name or (not self._images and not IMAGE_TYPES.isdisjoint(types)):
            return False
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)

    def _is_usable(self, name: str, type_name: str, types: list[str]) -> bool:
        if others := set(types) - {type_name}:
            self._warn(name, f"also has publishers of {', '.join(sorted(others))}: ignored")
        try:
            definition(type_name)
        except UnknownTypeError as error:
            self._warn(name, str(error))
            return False
        return True

    def _warn(self, name: str, text: str) -> None:
        if (name, text) not in self._refused:
            self._refused.add((name, text))
            self._node.get_logger().warning(f"{name}: {text}")


class RawSubscription:
    """Hears a topic, and keeps hearing all of its publishers when others join."""

    def __init__(
        self,
        node: Node,
        topic: RawTopic,
        take: Callable[[RawTopic, bytes], None],
        *,
        depth: int = 100,
    ) -> None:
        """Subscribe.

        Args:
            node: that subscribes.
            topic: to what.
            take: is given each message, serialised (CDR).
            depth: messages kept while `take` is busy.
        """
        self.topic = topic
        self._node = node
        self._take = take
        self._depth = depth
        self._made = self._subscribe()

    def follow(self, topic: RawTopic) -> None:
        """Adapt to the topic's publishers of now."""
        changed = topic.quality(self._depth) != self.topic.quality(self._depth)
        self.topic = topic
        if changed:
            self._node.destroy_subscription(self._made)
            self._made = self._subscribe()

    def close(self) -> None:
        """Hear no more."""
        self._node.destroy_subscription(self._made)

    def _subscribe(self) -> Any:
        return self._node.create_subscription(
            message_class(self.topic.type_name),
            self.topic.name,
            lambda data: self._take(self.topic, data),
            self.topic.quality(self._depth),
            raw=True,
        )
