"""Records the graph's topics in a bag that ROS 2's tools read.

Every topic is taken as its bytes travel, so unknown types are no obstacle and nothing is
converted. Topics that appear later are recorded from then on.
"""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from rclpy.node import Node
from rosbags.interfaces import Connection

from reflexarc.core import WriteError
from reflexarc.robot.nodes.bag import Bag, bag_quality
from reflexarc.robot.nodes.managed import run
from reflexarc.robot.nodes.parameters import declare
from reflexarc.robot.nodes.raw import RawSubscription, RawTopic, Topics

_LOOK_S = 0.25
_FLUSH_S = 1.0
_MEGA = 1 << 20
# The machine is left some room for itself.
_SPARE = 64 * _MEGA


class RecorderParameters(BaseModel):
    """What the recorder can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    output: str = Field("", description="folder of the bag, new; empty: run_DATE_TIME, here")
    topics: list[str] = Field(["*"], description="patterns of names, as a shell's; *: all")
    images: bool = Field(False, description="with topics of pictures")
    max_megabytes: int = Field(
        2048, ge=1, le=1_000_000, description="the recording ends when the bag has this size"
    )


class RecorderNode(Node):  # type: ignore[misc]
    """Writes what it hears, once a second to the disk, until it is ended or the room is."""

    failure: WriteError | None = None

    def __init__(self) -> None:
        """Begin to record.

        Raises:
            ParameterError: one that cannot be used.
            BagError: the folder exists.
            WriteError: it cannot be made.
        """
        super().__init__("recorder")
        settings = declare(self, RecorderParameters)
        folder = Path(settings.output or f"run_{datetime.now():%Y-%m-%d_%H-%M-%S}")
        self._limit = settings.max_megabytes * _MEGA
        self._bag = Bag(folder.expanduser())
        self._topics = Topics(self, settings.topics, images=settings.images)
        self._heard: dict[str, RawSubscription] = {}
        self._connections: dict[str, Connection] = {}
        self._is_simulated = bool(self.get_parameter("use_sim_time").value)
        # The wall clock may be set while we record; stamps have to stay in order.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._timers_made = [
            self.create_timer(_LOOK_S, self._look),
            self.create_timer(_FLUSH_S, self._flush),
        ]
        self.get_logger().info(f"recording into {self._bag.folder}")

    def end(self) -> None:
        """Finish the bag."""
        self._stop()

    def _look(self) -> None:
        for name, topic in self._topics.look().items():
            if name in self._heard:
                self._heard[name].follow(topic)
                continue
            offered = [bag_quality(one) for one in topic.offered]
            self._connections[name] = self._bag.topic(
                name, topic.type_name, topic.schema, topic.hash, offered
            )
            self._heard[name] = RawSubscription(self, topic, self._take)

    def _take(self, topic: RawTopic, data: bytes) -> None:
        if self._is_simulated:
            at_ns = self.get_clock().now().nanoseconds
        else:
            at_ns = time.monotonic_ns() + self._epoch_ns
        try:
            self._bag.write(self._connections[topic.name], at_ns, data)
        except WriteError as error:
            self.failure = error

    def _flush(self) -> None:
        try:
            self._bag.flush()
        except WriteError as error:
            self.failure = error
            return
        if self._bag.size >= self._limit:
            self._stop(f"the bag has its {self._limit // _MEGA} MB (max_megabytes)")
        elif shutil.disk_usage(self._bag.folder).free < _SPARE:
            self._stop(f"the disk has less than {_SPARE // _MEGA} MB left")

    def _stop(self, why: str = "") -> None:
        for timer in self._timers_made:
            timer.cancel()
        for subscription in self._heard.values():
            subscription.close()
        self._heard.clear()
        try:
            self._bag.close()
        except WriteError as error:
            self.failure = error
            self.get_logger().error(str(error))
            return
        if why:
            self.get_logger().warning(
                f"the recording has ended: {why}; it is in {self._bag.folder}"
            )


def main() -> None:
    """The program `recorder_node`."""
    run(RecorderNode)


if __name__ == "__main__":
    main()
