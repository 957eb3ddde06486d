"""The base node before Gazebo's side of the bridge: real processes, a MuJoCo body, no board.

Gazebo does not run here: tests/support/gazebo_stand_in.py plays it, in its own world file, with
the SDF that the node publishes.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from geometry_msgs.msg import Twist, TwistStamped
from reflexarc_interfaces.srv import Arm, EStop
from ros_graph import Ear, Graph, NodeProcess
from sensor_msgs.msg import JointState
from std_msgs.msg import Empty, String

from reflexarc.robot.launching import launch_files
from reflexarc.robot.nodes import gazebo_base
from reflexarc.robot.nodes import graph as names

MODULE = "reflexarc.robot.nodes.gazebo_base"
SUPPORT = Path(__file__).parents[2] / "support"
WORLD = launch_files()["gazebo"].parent / "gazebo" / "world.sdf"
BOARD_M = 1.295
"""Where the board's face is, from the robot's start."""
TOLD = names.Topic("stand_in", String, names.ROBOT_STATE.quality, "", "")


class World:
    """Gazebo's stand-in and a base node at it."""

    def __init__(self, graph: Graph, *, joint_hz: float = 100.0, **parameters: Any) -> None:
        self.graph = graph
        self.joint_hz = joint_hz
        self.states: Ear = graph.hear(names.ROBOT_STATE)
        self.truth: Ear = graph.hear(names.GROUND_TRUTH)
        self.commands: Ear = graph.hear(gazebo_base.BODY_CMD_VEL)
        self.parameters = {"use_sim_time": True, **parameters}
        self.gazebo = self.start_gazebo()
        self.base = self.start_base()
        self.states.wait_for()
        self.truth.wait_for()
        self._tell = graph.speaker(TOLD)

    def start_gazebo(self) -> NodeProcess:
        environment = {**self.graph.environment, "PYTHONPATH": str(SUPPORT), "MUJOCO_GL": "egl"}
        words = [str(WORLD), str(self.joint_hz)]
        process = NodeProcess("gazebo_stand_in", words, environment)
        self.graph._processes.append(process)
        return process

    def start_base(self) -> NodeProcess:
        process = self.graph.start(MODULE, **self.parameters)
        process.wait_for_text("active")
        return process

    def arm(self) -> Any:
        return self.graph.call(names.ARM, Arm.Request(arm=True))

    def tell_gazebo(self, word: str) -> None:
        self._tell(String(data=word))

    @contextlib.contextmanager
    def driving(
        self, ahead: float, turning: float = 0.0, *, by: Any = names.CMD_VEL
    ) -> Iterator[None]:
        """Say a speed a hundred times a second."""
        over, publish = threading.Event(), self.graph.speaker(by)
        message = Twist()
        message.linear.x, message.angular.z = ahead, turning

        def say() -> None:
            while not over.wait(0.01):
                publish(message if by is names.CMD_VEL else TwistStamped(twist=message))

        thread = threading.Thread(target=say)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def pose(self) -> tuple[float, float, float]:
        """The body's true one: x, y, yaw."""
        pose = self.truth.last.pose.pose
        yaw = 2 * math.atan2(pose.orientation.z, pose.orientation.w)
        return pose.position.x, pose.position.y, yaw

    def state(self) -> Any:
        return self.states.last

    def wait_until(self, what: Callable[[], bool], timeout: float = 20.0) -> None:
        self.graph.wait_until(what, timeout)

    def wait_at_rest(self) -> None:
        """Until the wheels have been still for half a second, as Gazebo has them."""

        def is_still() -> bool:
            heard = self.truth.messages[-10:]
            xs = [message.pose.pose.position.x for message in heard]
            return len(heard) == 10 and max(xs) - min(xs) < 1e-3

        # Nine of ten messages at 20 Hz; none of them from before.
        count = len(self.truth.messages)
        self.wait_until(lambda: len(self.truth.messages) >= count + 10)
        self.wait_until(is_still)


@pytest.fixture
def world(graph: Graph) -> Iterator[World]:
    world = World(graph)
    try:
        yield world
    finally:
        print(world.base.text, world.gazebo.text)


def test_a_hand_drives_gazebos_body_and_odometry_agrees_with_it(world: World) -> None:
    odom: Ear = world.graph.hear(names.ODOM)
    odom.wait_for()
    with world.driving(0.2):
        world.commands.wait_for()
        assert world.commands.last == Twist(), "nobody has armed it"
        assert world.arm().success
        world.wait_until(lambda: world.pose()[0] > 0.3)
    world.wait_at_rest()
    assert world.state().gate == "armed", "a hand that falls silent latches nothing"
    with world.driving(0.05, 1.0):
        world.wait_until(lambda: world.pose()[2] > 1.0)
    world.wait_at_rest()
    x, y, yaw = world.pose()
    at = odom.last.pose.pose
    assert (at.position.x, at.position.y) == pytest.approx((x, y), abs=0.01)
    assert 2 * math.atan2(at.orientation.z, at.orientation.w) == pytest.approx(yaw, abs=0.05)
    assert yaw > 1.0, "positive is to the left"


def test_joints_that_come_every_physics_step_make_a_hundred_states_a_second(graph: Graph) -> None:
    """As older versions of Gazebo have it."""
    world = World(graph, joint_hz=500.0)
    start = len(world.states.messages)
    world.wait_until(lambda: len(world.states.messages) > start + 100)
    stamps = [message.chip_us for message in world.states.messages[start : start + 100]]
    steps = [after - before for before, after in itertools.pairwise(stamps)]
    assert min(steps) >= 9_000
    assert sorted(steps)[len(steps) // 2] == pytest.approx(10_000, abs=2_000)


def test_a_brain_that_falls_silent_in_mid_move_latches_a_stop(world: World) -> None:
    world.arm()
    with world.driving(0.2, by=names.BRAIN_CMD_VEL):
        world.wait_until(lambda: world.pose()[0] > 0.1)
    world.wait_until(lambda: world.state().gate == "stopped")
    assert world.state().gate_reason == "no new command"
    world.wait_at_rest()
    assert world.commands.last == Twist()


def test_it_stops_before_what_the_scan_sees(world: World) -> None:
    world.arm()
    with world.driving(0.3):
        world.wait_until(lambda: world.pose()[0] > 0.5)
        world.wait_at_rest()
        # The range sensor is 0.073 m ahead of the axle, the limit 0.15 m before it.
        assert world.pose()[0] == pytest.approx(BOARD_M - 0.073 - 0.15, abs=0.05)
        assert world.state().range_m == pytest.approx(0.15, abs=0.05)
    ranges: Ear = world.graph.hear(names.RANGE)
    assert ranges.wait_for().range == pytest.approx(world.state().range_m, abs=0.01)


def test_joint_commands_turn_the_head_and_joint_states_say_so(world: World) -> None:
    world.arm()
    joints: Ear = world.graph.hear(names.JOINT_STATES)
    say = world.graph.speaker(names.JOINT_COMMANDS)
    say(JointState(name=["pan_joint", "tilt_joint"], position=[0.6, -0.3]))

    def at(name: str) -> float:
        return float(joints.last.position[joints.last.name.index(name)])

    joints.wait_for()
    world.wait_until(lambda: at("pan_joint") == pytest.approx(0.6, abs=0.02))
    world.wait_until(lambda: at("tilt_joint") == pytest.approx(-0.3, abs=0.02))
    assert world.state().servos_deg[0] == pytest.approx(math.degrees(0.6), abs=1.5)


def test_e_stop_latches_and_halt_does_not(world: World) -> None:
    world.arm()
    halt = world.graph.speaker(names.HALT)
    with world.driving(0.2, by=names.BRAIN_CMD_VEL):
        world.wait_until(lambda: world.pose()[0] > 0.05)
        assert world.graph.call(names.E_STOP, EStop.Request(reason="enough")).success
        world.wait_at_rest()
        assert (world.state().gate, world.state().gate_reason) == ("stopped", "enough")
    with world.driving(0.0, by=names.BRAIN_CMD_VEL):
        assert world.arm().success
    halt(Empty())
    world.wait_until(lambda: world.state().gate == "armed")


def test_a_paused_gazebo_stops_it_until_somebody_arms(world: World) -> None:
    world.arm()
    with world.driving(0.2):
        world.wait_until(lambda: world.pose()[0] > 0.05)
        world.tell_gazebo("pause")
        world.wait_until(lambda: world.state().connection == "reconnecting")
        assert world.state().gate == "stopped"
        assert not world.arm().success
        world.tell_gazebo("resume")
        world.wait_until(lambda: world.state().connection == "connected")
        world.wait_at_rest()
        before = world.pose()[0]
        assert world.arm().success
        world.wait_until(lambda: world.pose()[0] > before + 0.1)


def test_a_world_that_is_reset_stops_it_and_odometry_goes_on(world: World) -> None:
    world.arm()
    odom: Ear = world.graph.hear(names.ODOM)
    with world.driving(0.2):
        world.wait_until(lambda: world.pose()[0] > 0.3)
        world.tell_gazebo("reset")
        world.wait_until(lambda: world.state().connection == "restarted")
        assert world.state().gate == "stopped"
    world.wait_until(lambda: world.pose()[0] < 0.1)
    assert world.arm().success
    world.wait_until(lambda: world.state().connection == "connected")
    at = odom.wait_for().pose.pose.position.x
    assert 0.25 < at < 0.5
    with world.driving(0.2):
        world.wait_until(lambda: world.pose()[0] > 0.15)
    assert odom.last.pose.pose.position.x > at + 0.1


def test_killed_and_started_again_it_first_brings_the_body_to_rest(world: World) -> None:
    """DiffDrive goes on with the last speed it was told for as long as it is told no other."""
    world.arm()
    with world.driving(-0.2):
        world.wait_until(lambda: world.pose()[0] < -0.05)
        world.base.kill()
        count = len(world.truth.messages)
        world.wait_until(lambda: len(world.truth.messages) > count + 5)
        before = world.pose()[0]
        world.wait_until(lambda: world.pose()[0] < before - 0.02)
        world.base = world.start_base()
        world.wait_at_rest()
        world.wait_until(lambda: world.state().gate == "disarmed")


def test_without_gazebo_it_says_what_is_missing_and_waits(graph: Graph) -> None:
    base = graph.start(MODULE, use_sim_time=True)
    base.wait_for_text("the model's joints from Gazebo; found none")
    assert graph.state_of("gazebo_base") == "inactive"
    world = World.__new__(World)
    world.graph, world.joint_hz = graph, 100.0
    world.start_gazebo()
    base.wait_for_text("active")
    assert base.terminate() == 0


def test_its_end_leaves_the_body_at_rest(world: World) -> None:
    world.arm()
    with world.driving(0.2):
        world.wait_until(lambda: world.pose()[0] > 0.05)
        assert world.base.terminate() == 0
        world.wait_at_rest()
    assert world.commands.last == Twist()


def test_the_brain_moves_half_a_metre_in_gazebos_world(world: World, tmp_path: Path) -> None:
    """The closed loop: sentence, skill, gate, DiffDrive, wheels, odometry, skill."""
    config = tmp_path / "robot.yaml"
    config.write_text(f"name: gazebo{world.graph.domain}\n")
    events: Ear = world.graph.hear(names.EVENTS)
    brain = world.graph.start(
        "reflexarc.robot.nodes.brain",
        config=config,
        state_folder=tmp_path,
        listen=False,
        use_sim_time=True,
    )
    say = world.graph.speaker(names.ORDERS)
    world.wait_until(lambda: world.state().gate == "armed")
    say(String(data="go forward 50 cm"))
    events.wait_for(lambda event: event.kind in ("finished", "failed"))
    world.wait_at_rest()
    print(brain.text)
    assert events.messages[-1].kind == "finished", events.messages[-1].text
    x, y, yaw = world.pose()
    assert x == pytest.approx(0.5, abs=0.02)
    assert abs(y) < 0.02 and abs(yaw) < 0.03
    say(String(data="turn left 90 degrees"))
    events.wait_for(lambda event: event.kind in ("finished", "failed"))
    world.wait_at_rest()
    assert world.pose()[2] == pytest.approx(math.pi / 2, abs=math.radians(2))
