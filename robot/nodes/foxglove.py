"""The graph in Foxglove: a WebSocket server that passes topics on while somebody looks.

Open https://app.foxglove.dev, "Open connection", ws://localhost:8765, and import the layout
launch/foxglove/reflexarc.json. Messages go as their bytes travel; a topic is subscribed to
only while a panel shows it, so that a picture nobody sees is never made.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from typing import Any

import foxglove
from foxglove import Channel, Context, Schema, WebSocketServer
from foxglove.websocket import (
    Capability,
    ChannelView,
    Client,
    ClientChannel,
    ServerListener,
    StatusLevel,
)
from pydantic import BaseModel, ConfigDict, Field
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from reflexarc.core import ReflexarcError
from reflexarc.robot.nodes import graph, qos
from reflexarc.robot.nodes.definitions import UnknownTypeError, message_class
from reflexarc.robot.nodes.managed import run
from reflexarc.robot.nodes.message_json import message_from
from reflexarc.robot.nodes.parameters import declare
from reflexarc.robot.nodes.raw import RawSubscription, RawTopic, Topics

_LOOK_S = 0.5
# How soon a panel that opens gets its topic, and a message of a client its way.
_SERVE_S = 0.05
_DEPTH = 10
# Of messages that a client sends faster than they can be passed on.
_LONGEST_QUEUE = 100
_OURS = (
    graph.CMD_VEL,
    graph.CMD_VEL_STAMPED,
    graph.ORDERS,
    graph.JOINT_COMMANDS,
    graph.HALT,
    graph.LIGHT,
)


class FoxgloveError(ReflexarcError):
    """The server cannot be started."""


class FoxgloveParameters(BaseModel):
    """What the server can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field("127.0.0.1", description="to listen at; 0.0.0.0: for other machines too")
    port: int = Field(8765, ge=0, le=65535, description="to listen at; 0: any free one")
    topics: list[str] = Field(["*"], description="patterns of names, as a shell's; *: all")
    accept: list[str] = Field(
        ["cmd_vel", "orders"], description="topics that a viewer may publish to"
    )


class _Listener(ServerListener):  # type: ignore[misc]
    """What viewers want. Called by the server's threads: only notes it down.

    Attributes:
        wanted: topics by the channels that are shown somewhere, and how often.
        said: (topic, encoding, type, data) of what viewers publish.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._viewers: dict[str, set[int]] = {}
        self._advertised: dict[tuple[int, int], ClientChannel] = {}
        self.said: queue.Queue[tuple[ClientChannel, bytes]] = queue.Queue(_LONGEST_QUEUE)

    @property
    def wanted(self) -> set[str]:
        """Topics that somebody looks at."""
        with self._lock:
            return {topic for topic, viewers in self._viewers.items() if viewers}

    def on_subscribe(self, client: Client, channel: ChannelView) -> None:
        with self._lock:
            self._viewers.setdefault(channel.topic, set()).add(client.id)

    def on_unsubscribe(self, client: Client, channel: ChannelView) -> None:
        with self._lock:
            self._viewers.get(channel.topic, set()).discard(client.id)

    def on_client_advertise(self, client: Client, channel: ClientChannel) -> None:
        with self._lock:
            self._advertised[client.id, channel.id] = channel

    def on_client_unadvertise(self, client: Client, client_channel_id: int) -> None:
        with self._lock:
            self._advertised.pop((client.id, client_channel_id), None)

    def on_message_data(self, client: Client, client_channel_id: int, data: bytes) -> None:
        with self._lock:
            channel = self._advertised.get((client.id, client_channel_id))
        if channel is not None:
            try:
                self.said.put_nowait((channel, data))
            except queue.Full:  # too fast for us: of speeds only the newest matters anyway
                logging.getLogger(__name__).debug("dropped a message to %s", channel.topic)


class FoxgloveNode(Node):  # type: ignore[misc]
    """Shows topics and takes orders."""

    def __init__(self) -> None:
        """Listen.

        Raises:
            ParameterError: one that cannot be used.
            FoxgloveError: the port is taken, or the address is not ours.
        """
        super().__init__("foxglove")
        settings = declare(self, FoxgloveParameters)
        self._topics = Topics(self, settings.topics, images=True)
        self._accepted = {self.resolve_topic_name(name) for name in settings.accept}
        self._shown = Context()
        self._channels: dict[str, Channel] = {}
        self._heard: dict[str, RawSubscription] = {}
        self._found: dict[str, RawTopic] = {}
        self._publishers_made: dict[str, Any] = {}
        self._listener = _Listener()
        self._server = self._serve(settings.address, settings.port)
        self.create_timer(_LOOK_S, self._look)
        self.create_timer(_SERVE_S, self._attend)
        self.get_logger().info(f"ws://{settings.address}:{self._server.port}")

    def end(self) -> None:
        """Stop to listen."""
        self._server.stop()

    def _serve(self, address: str, port: int) -> WebSocketServer:
        try:
            return foxglove.start_server(
                name="reflexarc",
                host=address,
                port=port,
                capabilities=[Capability.ClientPublish],
                server_listener=self._listener,
                supported_encodings=["cdr", "json"],
                context=self._shown,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise FoxgloveError(
                expected=f"to listen at {address}, port {port}",
                found=str(error),
                remedy="choose another port:=, or 0 for a free one",
            ) from error

    def _look(self) -> None:
        self._found = self._topics.look()
        for name, topic in self._found.items():
            if name not in self._channels:
                self._channels[name] = Channel(
                    name,
                    message_encoding="cdr",
                    schema=Schema(
                        name=topic.type_name, encoding="ros2msg", data=topic.schema.encode()
                    ),
                    context=self._shown,
                )
            elif name in self._heard:
                self._heard[name].follow(topic)

    def _attend(self) -> None:
        """Do what viewers want, in the thread of the node."""
        wanted = self._listener.wanted
        for name in wanted - self._heard.keys():
            if name in self._found:
                self._heard[name] = RawSubscription(
                    self, self._found[name], self._pass_on, depth=_DEPTH
                )
        for name in self._heard.keys() - wanted:
            self._heard.pop(name).close()
        while not self._listener.said.empty():
            channel, data = self._listener.said.get()
            self._publish(channel, data)

    def _pass_on(self, topic: RawTopic, data: bytes) -> None:
        self._channels[topic.name].log(data, log_time=self.get_clock().now().nanoseconds)

    def _publish(self, channel: ClientChannel, data: bytes) -> None:
        """Pass on what a viewer says, where it may."""
        try:
            name = self.resolve_topic_name(channel.topic)
            if name not in self._accepted:
                raise FoxgloveError(
                    expected=f"one of {', '.join(sorted(self._accepted))}",
                    found=channel.topic,
                    remedy="name it in the parameter `accept`, if viewers may publish to it",
                )
            self._publisher(name, channel.schema_name).publish(self._message(channel, data))
        except ReflexarcError as error:
            self._refuse(str(error))
        except Exception as error:  # bytes from anybody: whatever is wrong, it is said
            self._refuse(f"{channel.topic}: {error}")

    def _message(self, channel: ClientChannel, data: bytes) -> Any:
        kind = message_class(channel.schema_name)
        if channel.encoding == "cdr":
            return deserialize_message(data, kind)
        return message_from(kind, json.loads(data))

    def _publisher(self, name: str, type_name: str) -> Any:
        there = dict(self.get_topic_names_and_types()).get(name, [type_name])
        if type_name not in there:
            raise UnknownTypeError(
                expected=f"messages of type {there[0]} for {name}",
                found=type_name,
                remedy="choose the right schema in the panel",
            )
        if name not in self._publishers_made:
            # Speeds must not be kept for later: each topic travels as the graph wants it.
            own = {self.resolve_topic_name(topic.name): topic.quality for topic in _OURS}
            quality = own.get(name, qos.EVERY).offered
            self._publishers_made[name] = self.create_publisher(
                message_class(type_name), name, quality
            )
        return self._publishers_made[name]

    def _refuse(self, text: str) -> None:
        self.get_logger().warning(text)
        self._server.publish_status(text, StatusLevel.Warning)


def main() -> None:
    """The program `foxglove_node`."""
    run(FoxgloveNode)


if __name__ == "__main__":
    main()
