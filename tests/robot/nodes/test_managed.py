"""What all nodes have in common: parameters, lifecycle, starting, ending and failing."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("rclpy")

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from reflexarc.robot.nodes import graph as names

if TYPE_CHECKING:
    from ros_graph import Graph

MODULE = "plain_node"


def test_it_starts_by_itself_and_ends_with_0_on_either_signal(graph: Graph) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        node = graph.start(MODULE)
        node.wait_for_text("active")
        assert graph.state_of("plain") == "active"
        node.process.send_signal(number)
        assert node.wait() == 0
        assert node.text.index("paused") < node.text.index("closed")
        assert "Traceback" not in node.text


def test_it_starts_though_simulated_time_stands_still(graph: Graph) -> None:
    graph.start(MODULE, use_sim_time=True).wait_for_text("active")


def test_what_is_missing_is_said_once_and_tried_again(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "file"
    node = graph.start(MODULE, how="later", path=str(path))
    node.wait_for_text("expected the file; found none; make it")
    assert graph.state_of("plain") == "unconfigured"
    path.touch()
    node.wait_for_text("active")
    assert node.text.count("expected the file") == 1


def test_without_autostart_it_waits_to_be_told(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "file"
    node = graph.start(MODULE, autostart=False, how="later", path=str(path))
    assert graph.state_of("plain") == "unconfigured"
    assert not graph.change("plain", "configure")
    assert "expected the file" in node.text
    path.touch()
    assert graph.change("plain", "configure")
    assert graph.state_of("plain") == "inactive"
    assert graph.change("plain", "activate")
    assert graph.change("plain", "deactivate")
    assert graph.change("plain", "cleanup")
    assert graph.change("plain", "configure")
    assert graph.change("plain", "shutdown")
    assert graph.state_of("plain") == "finalized"
    assert node.terminate() == 0


def test_an_inactive_node_hears_nothing(graph: Graph) -> None:
    node = graph.start(MODULE)
    node.wait_for_text("active")
    replies, say = graph.hear(names.REPLIES), graph.speaker(names.ORDERS)
    say(String(data="one"))
    assert replies.wait_for().data == "one"
    graph.change("plain", "deactivate")
    say(String(data="two"))
    graph.change("plain", "activate")
    say(String(data="three"))
    assert replies.wait_for().data == "three"
    assert [message.data for message in replies.messages] == ["one", "three"]


def test_a_message_that_cannot_be_used_is_a_word_in_the_log(graph: Graph) -> None:
    node = graph.start(MODULE)
    node.wait_for_text("active")
    replies, say = graph.hear(names.REPLIES), graph.speaker(names.ORDERS)
    say(String(data="refuse"))
    node.wait_for_text("expected a good order; found a bad one; think")
    say(String(data="and now"))
    assert replies.wait_for().data == "and now"


def test_who_cannot_be_heard_or_hear_for_its_quality_of_service_is_named(graph: Graph) -> None:
    node = graph.start(MODULE)
    node.wait_for_text("active")
    faint = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    graph.node.create_publisher(String, "orders", faint)
    node.wait_for_text(
        "/test_probe publishes std_msgs/msg/String on /orders: "
        "not heard (Best effort publisher and reliable subscription)"
    )
    choosy = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    graph.node.create_subscription(String, "replies", lambda message: None, choosy)
    node.wait_for_text("/test_probe listens on /replies and hears nothing (")
    fitting = graph.hear(names.REPLIES)
    graph.speaker(names.ORDERS)(String(data="and now"))
    assert fitting.wait_for().data == "and now"
    assert node.text.count("hears nothing") == node.text.count("not heard") == 1


def test_a_bug_in_a_callback_ends_it_with_1_and_lets_go_of_everything(graph: Graph) -> None:
    node = graph.start(MODULE)
    node.wait_for_text("active")
    graph.speaker(names.ORDERS)(String(data="break"))
    assert node.wait() == 1
    assert "ZeroDivisionError: a bug of ours" in node.text
    assert node.text.index("paused") < node.text.index("closed")


def test_one_that_hangs_at_its_end_says_where_and_ends_with_1(graph: Graph) -> None:
    node = graph.start(MODULE, how="clings")
    node.wait_for_text("active")
    node.process.send_signal(signal.SIGINT)
    assert node.wait() == 1
    assert node.text.index("closed") < node.text.index("in destroy_node")


def test_one_that_hangs_in_its_work_says_where_when_it_is_aborted(graph: Graph) -> None:
    node = graph.start(MODULE)
    node.wait_for_text("active")
    graph.speaker(names.ORDERS)(String(data="hang"))
    node.wait_for_text("hangs")
    node.process.send_signal(signal.SIGABRT)
    assert node.wait() == -signal.SIGABRT
    assert "in _hear" in node.text


def test_a_bug_while_it_opens_is_shown_and_it_is_unconfigured_again(graph: Graph) -> None:
    node = graph.start(MODULE, autostart=False, how="bug")
    assert not graph.change("plain", "configure")
    assert graph.state_of("plain") == "unconfigured"
    node.wait_for_text("KeyError: 'a bug of ours'")
    assert "closed" in node.text


def test_a_failure_in_the_background_ends_it_with_1(graph: Graph) -> None:
    node = graph.start(MODULE, how="dies")
    assert node.wait() == 1
    assert "plain: expected life; found death; start it again" in node.text
    assert "closed" in node.text


def test_parameters_arrive_with_their_types(graph: Graph) -> None:
    node = graph.start(MODULE, number=7, share=0.25, words="[p, q, r]")
    node.wait_for_text("opened 7 0.25 ['p', 'q', 'r']")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("number", 0, "expected number: int (a number)"),
        ("number", 12, "expected number"),
        ("number", "three", "expected number"),
        ("number", 2.5, "expected number"),
        ("share", 1.5, "expected share"),
        ("words", 5, "expected words"),
        ("autostart", "maybe", "expected autostart: bool"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_exit_code_2(
    graph: Graph, name: str, value: Any, words: str
) -> None:
    node = graph.start(MODULE, **{name: value})
    assert node.wait() == 2
    assert words in node.text
    assert "correct it in the launch file, or leave it out" in node.text
    assert "Traceback" not in node.text


@pytest.mark.parametrize("word", ["novalue", "x:=[1,", "x:={"])
def test_arguments_that_ros_cannot_read_are_exit_code_2(graph: Graph, word: str) -> None:
    node = graph.start(MODULE, "-p", word)
    assert node.wait() == 2
    assert "correct what it names" in node.text
    assert "Traceback" not in node.text


def test_a_parameter_file_that_is_none_is_exit_code_2(graph: Graph, tmp_path: Path) -> None:
    node = graph.start(MODULE, "--params-file", str(tmp_path / "none.yaml"))
    assert node.wait() == 2
    assert "none.yaml" in node.text


def test_an_unknown_parameter_is_named_with_the_nearest(graph: Graph) -> None:
    node = graph.start(MODULE, nummer=4)
    node.wait_for_text("no such parameter: nummer; did you mean number?")
    node.wait_for_text("active")
