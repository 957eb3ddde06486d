"""Real lifecycle nodes, in the order of the file, through deaths in every state."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from launched import PATIENCE_S, Launched

pytest.importorskip("rclpy")

Run = Callable[..., Launched]
_numbers = itertools.count()


class Nodes:
    """Launch nodes of tests/support/lifecycle_node.py, and read what they wrote."""

    def __init__(self, launched: Run, folder: Path) -> None:
        self._launched = launched
        self.path = folder / "the journal"
        self.domain = (os.getpid() * 17 + next(_numbers) * 5) % 101 + 1

    def node(self, name: str, attributes: str = "", **parameters: object) -> str:
        given = {"journal": str(self.path), **parameters}
        values = [f'{{name: {key}, value: "{value}"}}' for key, value in given.items()]
        listed = ", ".join(["{name: autostart, value: true}", *values])
        extra = f", {attributes}" if attributes else ""
        return (
            f"  - node: {{pkg: testers, exec: obedient, name: {name}, param: [{listed}]{extra}}}\n"
        )

    def launch(self, *texts: str) -> Launched:
        return self._launched(
            "".join(texts),
            ROS_DOMAIN_ID=str(self.domain),
            ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST",
        )

    def journal(self) -> list[str]:
        """`NAME TRANSITION` of every callback so far."""
        text = self.path.read_text() if self.path.exists() else ""
        lines = [line.rsplit(" ", 1)[0] for line in text.splitlines()]
        return [line for line in lines if not line.endswith(" start")]

    def wait_for(self, line: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while line not in self.journal():
            assert time.monotonic() < end, f"no {line} in {self.journal()}"
            time.sleep(0.02)

    def free(self) -> None:
        Path(f"{self.path}.free").touch()


@pytest.fixture
def nodes(launched: Run, tmp_path: Path, obedient: None) -> Nodes:
    return Nodes(launched, tmp_path)


def test_nodes_come_up_in_the_files_order_and_go_down_in_reverse(nodes: Nodes) -> None:
    run = nodes.launch(
        nodes.node("c"), nodes.node("a", "namespace: robot"), nodes.node("b", "output: screen")
    )
    run.told_of("up", text="3 nodes are active")
    up = ["c configure", "c activate", "a configure", "a activate", "b configure", "b activate"]
    assert nodes.journal() == up
    assert run.end() == 130
    down = ["b deactivate", "b shutdown", "a deactivate", "a shutdown"]
    assert nodes.journal() == [*up, *down, "c deactivate", "c shutdown"]
    assert run.left() == []
    assert run.summary == "Ctrl-C: c, a, b stopped"


def test_it_waits_for_what_is_not_plugged_in_and_says_why_once(
    nodes: Nodes, tmp_path: Path
) -> None:
    board = tmp_path / "tty"
    run = nodes.launch(nodes.node("base", needs=str(board)), nodes.node("after"))
    run.told_of("waiting", "base", f"nothing at {board}")
    while nodes.journal().count("base configure") < 4:
        time.sleep(0.02)
    assert "after configure" not in nodes.journal()
    board.touch()
    run.told_of("up")
    assert len([e for e in run.told if e["kind"] == "waiting"]) == 1
    said = [e for e in run.told if e["kind"] == "line" and "nothing at" in e["text"]]
    assert len(said) == 1
    assert nodes.journal()[-1] == "after activate"


STATES = {
    "unconfigured": ({}, "first configure"),
    "configuring": ({"hang": "configure"}, "base configure"),
    "inactive": ({"fail": "activate"}, "base activate"),
    "activating": ({"hang": "activate"}, "base activate"),
    "active": ({}, "last activate"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_node_killed_in_any_state_comes_back(nodes: Nodes, state: str) -> None:
    parameters, reached = STATES[state]
    first = {"hang": "configure"} if state == "unconfigured" else {}
    run = nodes.launch(
        nodes.node("first", **first),
        nodes.node("base", 'respawn: "true", respawn_delay: 0.1', **parameters),
        nodes.node("last"),
    )
    pid = run.started("base")
    nodes.wait_for(reached)
    if state == "active":
        run.told_of("up")
    os.kill(pid, signal.SIGKILL)
    run.told_of("ended", "base", "was killed by SIGKILL")
    nodes.free()
    run.started("base")
    run.told_of("state", "base", "active")
    if state != "active":
        run.told_of("up")
    # The others did not notice.
    assert nodes.journal().count("first activate") == 1
    assert nodes.journal().count("last activate") == 1
    assert run.end() == 130
    assert run.left() == []


def test_a_node_killed_while_it_goes_down_is_only_gone(nodes: Nodes) -> None:
    run = nodes.launch(nodes.node("first"), nodes.node("base", hang="deactivate"))
    pid = run.started("base")
    run.told_of("up")
    run.signal(signal.SIGINT)
    nodes.wait_for("base deactivate")
    os.kill(pid, signal.SIGKILL)
    assert run.wait() == 130
    assert nodes.journal()[-2:] == ["first deactivate", "first shutdown"]
    assert run.left() == []


def test_a_node_that_hangs_on_its_way_down_is_ended_as_it_is(nodes: Nodes) -> None:
    run = nodes.launch(
        nodes.node("first"),
        nodes.node("base", "sigterm_timeout: 0.2, sigkill_timeout: 0.2", hang="deactivate"),
    )
    run.told_of("up")
    assert run.end() == 130
    warnings = [e["text"] for e in run.told if e["kind"] == "warning"]
    assert warnings[0].startswith("does not deactivate")
    assert nodes.journal()[-2:] == ["first deactivate", "first shutdown"]
    assert run.left() == []


def test_when_a_required_node_dies_the_others_go_down_in_reverse(nodes: Nodes) -> None:
    run = nodes.launch(nodes.node("a"), nodes.node("sim", "on_exit: shutdown"), nodes.node("b"))
    pid = run.started("sim")
    run.told_of("up")
    os.kill(pid, signal.SIGKILL)
    assert run.wait() == 137
    assert nodes.journal()[-4:] == ["b deactivate", "b shutdown", "a deactivate", "a shutdown"]
    assert run.summary.startswith("sim, which is required, was killed by SIGKILL: a, b stopped")


def test_a_node_that_stays_dead_holds_up_nobody(nodes: Nodes) -> None:
    run = nodes.launch(nodes.node("base", hang="configure"), nodes.node("last"))
    pid = run.started("base")
    nodes.wait_for("base configure")
    os.kill(pid, signal.SIGKILL)
    run.told_of("state", "last", "active")
    assert run.end() == 130


def test_an_exception_in_a_transition_is_tried_again(nodes: Nodes) -> None:
    run = nodes.launch(nodes.node("base", **{"raise": "configure"}))
    run.told_of("waiting", "base", "cannot configure yet: it does not say why")
    nodes.free()
    run.told_of("up")
    assert run.end() == 130


def test_a_node_that_finalizes_itself_is_ended(nodes: Nodes) -> None:
    run = nodes.launch(
        nodes.node("base", **{"raise": "configure", "fatal": "$(if true true)"}),
        nodes.node("last"),
    )
    run.told_of("warning", "base", "finalized")
    run.told_of("state", "last", "active")
    assert run.end() == 130
    assert run.left() == []


def test_when_the_asking_process_dies_another_asks(nodes: Nodes, tmp_path: Path) -> None:
    board = tmp_path / "tty"
    run = nodes.launch(nodes.node("base", needs=str(board)))
    run.told_of("waiting", "base")
    [asker] = [
        pid
        for pid in run.left()
        if b"reflexarc.robot.nodes.transitions" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(asker, signal.SIGKILL)
    board.touch()
    run.told_of("up")
    assert run.end() == 130
    assert nodes.journal()[-2:] == ["base deactivate", "base shutdown"]


def test_nodes_of_two_ros_domains_come_up(nodes: Nodes) -> None:
    other = nodes.domain % 101 + 1
    group = "".join(f"      {line}\n" for line in nodes.node("there").strip().splitlines())
    run = nodes.launch(
        nodes.node("here"),
        f'  - group:\n      - set_env: {{name: ROS_DOMAIN_ID, value: "{other}"}}\n{group}',
    )
    run.told_of("up", text="2 nodes are active")
    assert run.end() == 130
    assert nodes.journal()[-2:] == ["here deactivate", "here shutdown"]


def test_a_parameter_of_a_wrong_type_ends_the_launch_with_the_nodes_words(nodes: Nodes) -> None:
    node = nodes.node("base", "on_exit: shutdown", needs="$(if true 3)")
    run = nodes.launch(nodes.node("first"), node)
    assert run.wait() == 1
    assert "base, which is required, failed with exit code 1" in run.summary
    assert "'needs'" in run.summary and "STRING" in run.summary
    assert run.left() == []
