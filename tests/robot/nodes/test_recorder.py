"""A recorded run, as ROS 2's tools will read it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("rclpy")

from geometry_msgs.msg import Twist, Vector3
from mcap.reader import make_reader
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from reflexarc_interfaces.msg import Detection, Observation
from ros_graph import Graph
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from reflexarc.robot.nodes import graph as topics
from reflexarc.robot.nodes.bag import whole_records
from reflexarc.robot.nodes.definitions import type_hash

if TYPE_CHECKING:
    from ros_graph import NodeProcess

MODULE = "reflexarc.robot.nodes.recorder"
SEEN = Observation(
    captured_ns=12345678901234567,
    source="box",
    task="digits",
    detections=[Detection(label="3", score=0.1 + 0.2, x=1 / 3)],
)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return tmp_path / "a run"


@pytest.fixture
def record(graph: Graph, bag: Path) -> Callable[..., NodeProcess]:
    def record(**parameters: Any) -> NodeProcess:
        process = graph.start(MODULE, output=bag, **parameters)
        process.wait_for_text("recording into")
        return process

    return record


def read(bag: Path) -> dict[str, list[bytes]]:
    """By the library rosbags: the messages of every topic, as bytes."""
    heard: dict[str, list[bytes]] = {}
    with AnyReader([bag]) as reader:
        for connection, _, data in reader.messages():
            heard.setdefault(connection.topic, []).append(bytes(data))
    return heard


def read_by_mcap(bag: Path) -> Iterator[tuple[Any, Any, Any]]:
    with (bag / f"{bag.name}.mcap").open("rb") as stream:
        yield from make_reader(stream).iter_messages()


def test_what_was_said_is_in_the_bag_byte_for_byte(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record()
    see = graph.speaker(topics.OBSERVATIONS)
    drive = graph.speaker(topics.CMD_VEL)
    for number in range(20):
        SEEN.seq = number
        see(SEEN)
    drive(Twist(linear=Vector3(x=0.25)))
    graph.speaker(topics.ORDERS)(String(data="that was all"))
    wait_for(bag, "that was all")
    assert recorder.terminate() == 0

    heard = read(bag)
    seen = [deserialize_message(data, Observation) for data in heard["/observations"]]
    assert [one.seq for one in seen] == list(range(20))
    assert seen[-1] == SEEN
    assert deserialize_message(heard["/cmd_vel"][0], Twist).linear.x == 0.25
    by_mcap = [
        bytes(message.data)
        for _, channel, message in read_by_mcap(bag)
        if channel.topic == "/observations"
    ]
    assert by_mcap == heard["/observations"]


def test_the_bag_brings_its_own_definitions(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record()
    graph.speaker(topics.OBSERVATIONS)(SEEN)
    wait_for(bag, "digits")
    recorder.terminate()
    with AnyReader([bag]) as reader:  # knows none of our types but from the bag
        connection = next(one for one in reader.connections if one.topic == "/observations")
        _, _, data = next(reader.messages([connection]))
        seen: Any = reader.deserialize(data, connection.msgtype)
    assert seen.detections[0].score == 0.1 + 0.2
    assert connection.digest == type_hash("reflexarc_interfaces/msg/Observation")
    assert connection.ext.offered_qos_profiles[0].reliability.name == "RELIABLE"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_it_with_a_whole_bag(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess], number: signal.Signals
) -> None:
    recorder = record()
    graph.speaker(topics.ORDERS)(String(data="stop"))
    wait_for(bag, "stop")
    recorder.process.send_signal(number)
    assert recorder.wait() == 0
    assert len(read(bag)["/orders"]) == 1


def test_a_killed_recorder_leaves_what_can_be_made_whole(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record()
    order = graph.speaker(topics.ORDERS)
    order(String(data="turn left"))
    file = bag / f"{bag.name}.mcap"
    wait_for(bag, "turn left")
    recorder.kill()
    with file.open("ab") as torn:
        torn.write(b"\x06\x00\x01")  # a chunk that was being written
    assert not (bag / "metadata.yaml").exists()

    words = [sys.executable, "-m", "reflexarc.robot.nodes.bag", str(bag)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert deserialize_message(read(bag)["/orders"][0], String).data == "turn left"
    assert [path.name for path in bag.parent.iterdir()] == [bag.name]
    again = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1
    assert "nothing to repair" in again.stderr
    assert "Traceback" not in again.stderr


def wait_for(bag: Path, words: str) -> None:
    """Until that is on the disk."""

    def on_disk() -> bool:
        records = whole_records(bag / f"{bag.name}.mcap")
        return any(words.encode() in getattr(record, "data", b"") for record in records)

    Graph.wait_until(on_disk)


def test_who_joins_late_with_less_quality_is_heard_too(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record()
    graph.speaker(topics.ORDERS)(String(data="reliable"))
    hasty = graph.node.create_publisher(
        String, "orders", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    )
    graph.wait_until(lambda: hasty.get_subscription_count() >= 1)
    for _ in range(5):
        hasty.publish(String(data="hasty"))
        time.sleep(0.05)
    wait_for(bag, "hasty")
    recorder.terminate()
    words = {deserialize_message(data, String).data for data in read(bag)["/orders"]}
    assert words == {"reliable", "hasty"}


def test_what_was_said_before_is_recorded_where_it_is_held(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    held = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    graph.node.create_publisher(String, "needed_tasks", held).publish(String(data="digits,mask"))
    recorder = record(topics="[needed_*]")
    wait_for(bag, "digits,mask")
    recorder.terminate()
    heard = read(bag)
    assert list(heard) == ["/needed_tasks"]
    assert deserialize_message(heard["/needed_tasks"][0], String).data == "digits,mask"


def test_pictures_are_recorded_only_when_asked_for(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    picture = graph.node.create_publisher(
        CompressedImage, topics.COMPRESSED.name, topics.COMPRESSED.quality.profile
    )
    recorder = record()
    graph.speaker(topics.ORDERS)(String(data="stop"))
    wait_for(bag, "stop")
    assert picture.get_subscription_count() == 0  # so that nobody makes them
    recorder.terminate()
    assert "/camera/image_raw/compressed" not in read(bag)


def test_an_existing_folder_is_left_alone(graph: Graph, bag: Path) -> None:
    bag.mkdir()
    recorder = graph.start(MODULE, output=bag)
    assert recorder.wait() == 2
    assert "name another" in recorder.text
    assert "Traceback" not in recorder.text
    assert list(bag.iterdir()) == []


def test_a_recording_of_nothing_leaves_nothing(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record(topics="[no_such_topic]")
    assert recorder.terminate() == 0
    assert not bag.exists()


def test_it_ends_when_the_bag_is_full(
    graph: Graph, bag: Path, record: Callable[..., NodeProcess]
) -> None:
    recorder = record(max_megabytes=1, topics="[orders]")
    order = graph.speaker(topics.ORDERS)
    for number in range(40):
        order(String(data=random.Random(number).randbytes(30_000).hex()))
        time.sleep(0.01)
    recorder.wait_for_text("the recording has ended")
    assert recorder.terminate() == 0
    assert read(bag)["/orders"]
    assert (bag / f"{bag.name}.mcap").stat().st_size < 4 << 20
