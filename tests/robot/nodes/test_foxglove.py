"""The Foxglove server as a viewer meets it: a real WebSocket client, Foxglove's protocol."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("foxglove")

from geometry_msgs.msg import Twist, Vector3
from rclpy.serialization import deserialize_message, serialize_message
from reflexarc_interfaces.msg import Detection, Observation
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from websockets.sync.client import ClientConnection, connect

from reflexarc.robot.nodes import graph as topics
from reflexarc.robot.nodes.foxglove import FoxgloveParameters
from reflexarc.robot.nodes.graph import Topic

if TYPE_CHECKING:
    from ros_graph import Graph, NodeProcess

ROOT = Path(__file__).resolve().parents[3]
MODULE = "reflexarc.robot.nodes.foxglove"
_MESSAGE = 1


class Viewer:
    """What Foxglove does, over the wire."""

    def __init__(self, url: str) -> None:
        self.socket: ClientConnection = connect(url, subprotocols=["foxglove.sdk.v1"])  # type: ignore[list-item]
        self.channels: dict[str, dict[str, Any]] = {}
        self.statuses: list[str] = []
        self._ids = 0

    def _next(self, timeout: float = 20.0) -> bytes | None:
        """The payload of a message; None for what is no message."""
        frame = self.socket.recv(timeout)
        if isinstance(frame, bytes):
            kind, _, _ = struct.unpack_from("<BIQ", frame)
            return frame[13:] if kind == _MESSAGE else None
        told = json.loads(frame)
        for channel in told.get("channels", []):
            self.channels[channel["topic"]] = channel
        if told["op"] == "status":
            self.statuses.append(told["message"])
        return None

    def channel(self, topic: str) -> dict[str, Any]:
        while topic not in self.channels:
            self._next()
        return self.channels[topic]

    def look(self, topic: str) -> int:
        self._ids += 1
        asked = {"id": self._ids, "channelId": self.channel(topic)["id"]}
        self.socket.send(json.dumps({"op": "subscribe", "subscriptions": [asked]}))
        return self._ids

    def look_away(self, number: int) -> None:
        self.socket.send(json.dumps({"op": "unsubscribe", "subscriptionIds": [number]}))

    def message(self) -> bytes:
        while (data := self._next()) is None:
            pass
        return data

    def status(self) -> str:
        while not self.statuses:
            self._next()
        return self.statuses.pop(0)

    def say(self, topic: str, type_name: str, data: bytes, encoding: str = "cdr") -> None:
        self._ids += 1
        channel = {"id": self._ids, "topic": topic, "encoding": encoding, "schemaName": type_name}
        self.socket.send(json.dumps({"op": "advertise", "channels": [channel]}))
        self.socket.send(struct.pack("<BI", _MESSAGE, self._ids) + data)


@pytest.fixture
def view(graph: Graph) -> Iterator[Callable[..., Viewer]]:
    viewers: list[Viewer] = []

    def view(**parameters: Any) -> Viewer:
        server = graph.start(MODULE, port=0, **parameters)
        viewers.append(Viewer(url_of(server)))
        return viewers[-1]

    yield view
    for viewer in viewers:
        viewer.socket.close()


def url_of(server: NodeProcess) -> str:
    server.wait_for_text("ws://")
    matched = re.search(r"ws://[\d.]+:\d+", server.text)
    assert matched is not None
    return matched[0]


def test_a_viewer_gets_an_observation_with_its_definition(
    graph: Graph, view: Callable[..., Viewer]
) -> None:
    seen = Observation(task="digits", detections=[Detection(label="3", score=0.1 + 0.2)])
    publisher = graph.node.create_publisher(
        Observation, "observations", topics.OBSERVATIONS.quality.profile
    )
    viewer = view()
    channel = viewer.channel("/observations")
    assert channel["encoding"] == "cdr"
    assert channel["schemaName"] == "reflexarc_interfaces/msg/Observation"
    assert channel["schemaEncoding"] == "ros2msg"
    assert "MSG: reflexarc_interfaces/Detection\n" in channel["schema"]
    viewer.look("/observations")
    graph.wait_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(seen)
    assert deserialize_message(viewer.message(), Observation) == seen


def test_a_topic_is_subscribed_to_only_while_somebody_looks(
    graph: Graph, view: Callable[..., Viewer]
) -> None:
    picture = graph.node.create_publisher(
        CompressedImage, topics.COMPRESSED.name, topics.COMPRESSED.quality.profile
    )
    viewer = view()
    viewer.channel("/camera/image_raw/compressed")
    assert picture.get_subscription_count() == 0
    number = viewer.look("/camera/image_raw/compressed")
    graph.wait_until(lambda: picture.get_subscription_count() == 1)
    viewer.look_away(number)
    graph.wait_until(lambda: picture.get_subscription_count() == 0)
    viewer.look("/camera/image_raw/compressed")
    graph.wait_until(lambda: picture.get_subscription_count() == 1)
    viewer.socket.close()  # without a word
    graph.wait_until(lambda: picture.get_subscription_count() == 0)


def test_a_viewer_gives_orders_and_drives(graph: Graph, view: Callable[..., Viewer]) -> None:
    orders, speeds = graph.hear(topics.ORDERS), graph.hear(topics.CMD_VEL)
    viewer = view()
    until_heard(
        lambda: viewer.say(
            "/orders", "std_msgs/msg/String", serialize_message(String(data="turn left"))
        ),
        lambda: [one.data for one in orders.messages],
        "turn left",
    )
    forward = json.dumps({"linear": {"x": 1}}).encode()
    until_heard(
        lambda: viewer.say("/cmd_vel", "geometry_msgs/msg/Twist", forward, "json"),
        lambda: speeds.messages,
        Twist(linear=Vector3(x=1.0)),
    )


def until_heard(say: Callable[[], None], heard: Callable[[], list[Any]], what: Any) -> None:
    """The first message makes the publisher, which has yet to be found by who listens."""
    deadline = time.monotonic() + 20
    while what not in heard():
        assert time.monotonic() < deadline, heard()
        say()
        time.sleep(0.1)


_WRONG = [
    ("/robot_state", "std_msgs/msg/String", b"", "cdr", "accept"),
    ("/cmd_vel", "no_package/msg/Thing", b"", "cdr", "install the ROS 2 package no_package"),
    ("/cmd_vel", "../../etc", b"", "cdr", "no name of a message"),
    ("/orders", "geometry_msgs/msg/Twist", b"{}", "json", "type std_msgs/msg/String"),
    ("/orders", "std_msgs/msg/String", b"{", "json", "/orders"),
    ("/orders", "std_msgs/msg/String", b'{"data": 5}', "json", "data as string"),
    ("/orders", "std_msgs/msg/String", b'{"date": "x"}', "json", "one of the fields data"),
    ("/orders", "std_msgs/msg/String", b"\0\1\0\0\xff\xff\xff\xff", "cdr", "/orders"),
    ("/orders", "std_msgs/msg/String", b"", "cdr", "/orders"),
    ("/cmd_vel", "geometry_msgs/msg/Twist", b'{"linear": 3}', "json", "an object"),
    ("/cmd_vel", "geometry_msgs/msg/Twist", b'{"linear": {"x": "a"}}', "json", "x as double"),
]


def test_what_is_wrong_is_said_and_the_server_lives_on(
    graph: Graph, view: Callable[..., Viewer]
) -> None:
    graph.node.create_publisher(String, "orders", topics.ORDERS.quality.profile)
    viewer = view()
    viewer.channel("/orders")  # it knows the topic's type
    for topic, type_name, data, encoding, words in _WRONG:
        viewer.say(topic, type_name, data, encoding)
        said = viewer.status()
        assert words in said, (data, said)
        assert "Traceback" not in said
    speeds = graph.hear(topics.CMD_VEL)
    twist = serialize_message(Twist(linear=Vector3(x=0.5)))
    until_heard(
        lambda: viewer.say("/cmd_vel", "geometry_msgs/msg/Twist", twist),
        lambda: speeds.messages,
        Twist(linear=Vector3(x=0.5)),
    )


def test_a_taken_port_is_said_in_words(graph: Graph, view: Callable[..., Viewer]) -> None:
    viewer = view()
    _, port = viewer.socket.remote_address[:2]
    second = graph.start(MODULE, port=port)
    assert second.wait() == 2
    assert "choose another" in second.text
    assert "Traceback" not in second.text


def test_sigterm_ends_it(graph: Graph) -> None:
    server = graph.start(MODULE, port=0)
    viewer = Viewer(url_of(server))
    assert server.terminate() == 0
    viewer.socket.close()


LAYOUT = json.loads((ROOT / "launch" / "foxglove" / "reflexarc.json").read_text())
TYPES = {
    f"/{topic.name.lstrip('/')}": topic.type
    for topic in vars(topics).values()
    if isinstance(topic, Topic)
}
ELSEWHERE = {"/rosout"}  # ROS 2's own


def panels_of(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        yield from panels_of(layout["first"])
        yield from panels_of(layout["second"])


def paths_of(config: Any) -> Iterator[str]:
    """Every topic, with fields where a plot shows them, of a panel's settings."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key == "topics":
                yield from value
            elif key in _PATHS and isinstance(value, str) and value.startswith("/"):
                yield value
            yield from paths_of(value)
    elif isinstance(config, list):
        for one in config:
            yield from paths_of(one)


_PATHS = ("imageTopic", "topicPath", "topicName", "topic", "topicToRender", "value")


def test_the_layout_shows_each_of_its_panels() -> None:
    assert sorted(panels_of(LAYOUT["layout"])) == sorted(LAYOUT["configById"])


@pytest.mark.parametrize("path", sorted(set(paths_of(LAYOUT["configById"])) - ELSEWHERE))
def test_the_layout_shows_what_the_graph_has(path: str) -> None:
    topic, _, fields = path.partition(".")
    value = TYPES[topic]()
    for field in fields.split(".") if fields else []:
        name, _, index = field.rstrip("]").partition("[")
        value = getattr(value, name)
        if index:
            value = value[int(index)]
    assert not fields or isinstance(float(value), float)


def test_the_layout_publishes_only_what_is_accepted() -> None:
    configs = LAYOUT["configById"].values()
    said = {one["topicName"] for one in configs if "topicName" in one}
    said |= {one["topic"] for one in configs if "publishRate" in one}
    assert said == {f"/{name}" for name in FoxgloveParameters().accept}
