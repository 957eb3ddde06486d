"""The base node in a process of its own, at the real firmware: over topics and services only."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from reflexarc_interfaces.srv import Arm, EStop
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Empty, String

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.robot.config import Geometry
from reflexarc.robot.nodes import graph as names

if TYPE_CHECKING:
    from ros_graph import Ear, Graph, NodeProcess

MODULE = "reflexarc.robot.nodes.base"
PER_M = Geometry().counts_per_m
# The brief allows 400 ms of the chip's time from the death of anything.
STOPPED_S = 0.4
STILL = 15.0
"""Counts/s: 2 mm/s."""


def twist(ahead: float = 0.0, turning: float = 0.0) -> Twist:
    message = Twist()
    message.linear.x, message.angular.z = ahead, turning
    return message


def stamped(ahead: float, stamp: Any = None) -> TwistStamped:
    message = TwistStamped(twist=twist(ahead))
    if stamp is not None:
        message.header.stamp = stamp
    return message


class Bench:
    """An emulated board, a base node at it, and a test's place in their graph."""

    def __init__(self, graph: Graph, emulator: EmulatedBoard, **parameters: Any) -> None:
        self.graph, self.emulator = graph, emulator
        self.states = graph.hear(names.ROBOT_STATE)
        self.process = self.start(**parameters)

    def start(self, **parameters: Any) -> NodeProcess:
        process = self.graph.start(MODULE, **{"port": self.emulator.port, **parameters})
        process.wait_for_text("active")
        self.states.wait_for()
        return process

    def arm(self, arm: bool = True) -> Any:
        return self.graph.call(names.ARM, Arm.Request(arm=arm))

    def e_stop(self, reason: str = "") -> Any:
        return self.graph.call(names.E_STOP, EStop.Request(reason=reason))

    @contextlib.contextmanager
    def saying(self, topic: names.Topic, make: Callable[[], Any]) -> Iterator[None]:
        """Publish a hundred times a second."""
        over, publish = threading.Event(), self.graph.speaker(topic)

        def say() -> None:
            while not over.wait(0.01):
                publish(make())

        thread = threading.Thread(target=say)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def by_hand(
        self, ahead: float, turning: float = 0.0
    ) -> contextlib.AbstractContextManager[None]:
        return self.saying(names.CMD_VEL, lambda: twist(ahead, turning))

    def by_brain(self, ahead: float) -> contextlib.AbstractContextManager[None]:
        return self.saying(names.BRAIN_CMD_VEL, lambda: stamped(ahead))

    def speed(self) -> tuple[float, float]:
        left, right = self.emulator.status().speed
        return left / PER_M, right / PER_M

    def wait_for_speed(self, left: float, right: float) -> None:
        self.wait_until(lambda: self.speed() == pytest.approx((left, right), abs=0.01))

    def wait_until(self, what: Callable[[], bool], seconds: float = 10.0) -> None:
        """On the chip's clock."""
        end = self.emulator.status().seconds + seconds
        while not what():
            assert self.emulator.status().seconds < end, self.process.text
            self.emulator.wait(0.005)

    def quiet_after(self) -> float:
        """Seconds of the chip from now until the last edge on the motors' pins."""
        now = self.emulator.status().cycle
        later = self.emulator.wait(0.7)
        assert later.duty == (0, 0)
        return (max(later.last_edge_cycle) - now) / CPU_HZ

    def still_after(self) -> float:
        """Emulated seconds from now until the wheels stand still; then the pins are quiet."""
        start = self.emulator.status().seconds
        self.wait_until(lambda: max(map(abs, self.emulator.status().speed)) < STILL)
        stood = self.emulator.status().seconds
        assert self.emulator.wait(0.5).duty == (0, 0)
        return stood - start

    def gate(self) -> str:
        return str(self.states.last.gate)


@pytest.fixture
def bench(graph: Graph, emulator: EmulatedBoard) -> Bench:
    return Bench(graph, emulator)


# ---- driving


def test_cmd_vel_drives_the_wheels_and_odometry_follows(bench: Bench) -> None:
    odom, joints = bench.graph.hear(names.ODOM), bench.graph.hear(names.JOINT_STATES)
    odom.wait_for()
    with bench.by_hand(0.2):
        assert bench.emulator.wait(0.3).duty == (0, 0)  # nobody has armed it
        assert bench.arm().success
        bench.wait_for_speed(0.2, 0.2)
    bench.wait_until(lambda: bench.emulator.status().speed == pytest.approx((0, 0), abs=1))
    assert bench.gate() == "armed"
    with bench.by_hand(0.1, 1.0):
        bench.wait_for_speed(0.025, 0.175)
    bench.wait_until(lambda: bench.emulator.status().speed == pytest.approx((0, 0), abs=1))
    left, right = (count / PER_M for count in bench.emulator.wait(0.2).encoder)
    at = odom.wait_for(lambda message: message.twist.twist.linear.x == 0.0)
    yaw = 2 * math.atan2(at.pose.pose.orientation.z, at.pose.pose.orientation.w)
    assert yaw == pytest.approx((right - left) / 0.15, abs=1e-3)
    assert at.pose.pose.position.x > 0.05
    assert (at.header.frame_id, at.child_frame_id) == ("odom", "base_footprint")
    variances = at.pose.covariance[[0, 7, 35]]
    assert (variances > 0).all()
    assert (variances < 0.1**2).all()
    wheel = joints.last.position[joints.last.name.index("right_wheel_joint")]
    assert wheel * 0.065 / 2 == pytest.approx(right, abs=1e-3)


def test_a_hand_goes_before_the_brain(bench: Bench) -> None:
    bench.arm()
    with bench.by_brain(0.2):
        bench.wait_for_speed(0.2, 0.2)
        with bench.by_hand(-0.1):
            bench.wait_for_speed(-0.1, -0.1)
            assert bench.states.wait_for().by_hand
        bench.wait_until(lambda: bench.emulator.status().duty == (0, 0))
        assert bench.emulator.wait(0.5).duty == (0, 0)  # the brain has to rest once


def test_a_stamped_hand_is_refused_when_its_word_is_old(bench: Bench) -> None:
    bench.arm()
    clock = bench.graph.node.get_clock()
    with bench.saying(names.CMD_VEL_STAMPED, lambda: stamped(0.2, clock.now().to_msg())):
        bench.wait_for_speed(0.2, 0.2)
    bench.wait_until(lambda: bench.emulator.status().speed == pytest.approx((0, 0), abs=1))
    old = clock.now().to_msg()
    bench.emulator.wait(0.3)
    with bench.saying(names.CMD_VEL_STAMPED, lambda: stamped(0.2, old)):
        bench.process.wait_for_text("are the clocks in step?")
        assert bench.emulator.wait(0.2).duty == (0, 0)


def test_servos_and_light(bench: Bench) -> None:
    bench.arm()
    joints = bench.graph.hear(names.JOINT_STATES)
    move, shine = bench.graph.speaker(names.JOINT_COMMANDS), bench.graph.speaker(names.LIGHT)
    command = JointState(name=["pan_joint", "tilt_joint"], position=[0.5, -0.25])
    move(command)
    shine(ColorRGBA(r=1.0, b=1.0))
    done = joints.wait_for(lambda m: m.position[2] == pytest.approx(0.5, abs=2e-3))
    assert done.name[2:] == ["pan_joint", "tilt_joint", "gripper_joint"]
    assert joints.wait_for().position[3] == pytest.approx(-0.25, abs=2e-3)
    assert math.isnan(bench.states.last.servos_deg[2])  # limp
    bench.wait_until(lambda: bench.emulator.status().light == (1, 0, 1))
    move(JointState(name=["elbow"], position=[1.0]))
    bench.process.wait_for_text("found 1 positions for elbow")


def test_battery_range_and_health_are_told(bench: Bench) -> None:
    battery, ranges = bench.graph.hear(names.BATTERY), bench.graph.hear(names.RANGE)
    health = bench.graph.hear(names.DIAGNOSTICS)
    assert math.isinf(ranges.wait_for().range)
    bench.emulator.set_range(420)
    assert ranges.wait_for(lambda m: math.isfinite(m.range)).range == pytest.approx(0.42, abs=0.01)
    bench.emulator.set_battery(7.0)
    told = battery.wait_for(lambda m: m.voltage < 7.1)
    assert told.voltage == pytest.approx(7.0, abs=0.1)
    assert math.isnan(told.percentage)

    def level(word: str, message: Any) -> bytes:
        (one,) = [s.level for s in message.status if s.name.endswith(word)]
        return bytes(one)

    first = health.wait_for()
    assert [s.name for s in first.status] == ["/base: link", "/base: board", "/base: gate"]
    assert level("link", first) == DiagnosticStatus.OK
    bench.e_stop("a test")
    health.wait_for(lambda m: level("gate", m) == DiagnosticStatus.ERROR)
    bench.emulator.unplug()
    lost = health.wait_for(lambda m: level("link", m) == DiagnosticStatus.ERROR)
    assert "check the cable" in lost.status[0].message


# ---- stopping


def test_a_hand_that_falls_silent_stops_it_without_a_latch(bench: Bench) -> None:
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
    assert bench.still_after() < STOPPED_S
    assert bench.gate() == "armed"


def test_a_brain_that_falls_silent_latches_a_stop_that_outlives_a_restart_of_the_node(
    bench: Bench,
) -> None:
    bench.arm()
    with bench.by_brain(0.2):
        bench.wait_for_speed(0.2, 0.2)
    assert bench.still_after() < STOPPED_S
    assert (bench.gate(), bench.states.last.gate_reason) == ("stopped", "no new command")
    assert bench.graph.change("base", "deactivate")
    assert bench.graph.change("base", "activate")
    stopped = bench.states.wait_for(lambda m: m.gate == "stopped")
    assert stopped.gate_reason == "no new command"
    assert bench.arm().success
    bench.states.wait_for(lambda m: m.gate == "armed")


def test_killing_the_node_stops_the_wheels(bench: Bench) -> None:
    bench.arm()
    with bench.by_brain(0.2):
        bench.wait_for_speed(0.2, 0.2)
        bench.process.kill()
        assert bench.quiet_after() < STOPPED_S
        # Started anew it moves nothing until somebody arms, though the brain goes on.
        bench.process = bench.start()
        assert bench.emulator.wait(0.3).duty == (0, 0)
        assert bench.gate() == "disarmed"


@pytest.mark.parametrize("end", ["terminate", "deactivate", "shutdown"])
def test_every_end_is_motors_off_first(bench: Bench, end: str) -> None:
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
        if end == "terminate":
            assert bench.process.terminate() == 0
        else:
            assert bench.graph.change("base", end)
        assert bench.emulator.status().duty == (0, 0)
        assert bench.emulator.wait(0.3).duty == (0, 0)
    if end != "deactivate":
        with Board.connect(bench.emulator.port, reconnect=False) as board:  # the port is free
            board.wait_state()


def test_the_emergency_stop_latches_until_somebody_arms(bench: Bench) -> None:
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
        answer = bench.e_stop("a foot in the way")
        assert answer.success
        assert bench.emulator.wait(0.05).duty == (0, 0)
        stopped = bench.states.wait_for(lambda m: m.gate == "stopped")
        assert stopped.gate_reason == "a foot in the way"
        assert bench.emulator.wait(0.3).duty == (0, 0)
        bench.process.wait_for_text("speeds are left out: stopped: a foot in the way")
        assert bench.arm().success
        bench.wait_for_speed(0.2, 0.2)
        assert bench.arm(False).success
        assert bench.emulator.wait(0.05).duty == (0, 0)
        assert bench.emulator.wait(0.3).duty == (0, 0)


def test_halt_is_at_once_and_latches_nothing(bench: Bench) -> None:
    bench.arm()
    halt = bench.graph.speaker(names.HALT)
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
    halt(Empty())
    assert bench.quiet_after() < 0.1
    assert bench.gate() == "armed"


def test_a_number_that_is_none_halts_and_the_node_lives_on(bench: Bench) -> None:
    bench.arm()
    say = bench.graph.speaker(names.CMD_VEL)
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
    say(twist(math.nan))
    assert bench.quiet_after() < 0.1
    bench.process.wait_for_text("a speed that is no number, from the hand: halted")
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)


# ---- the link


def test_a_pulled_cable_and_its_return(bench: Bench) -> None:
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
        bench.emulator.unplug()
        assert bench.quiet_after() < STOPPED_S
        bench.states.wait_for(lambda m: m.connection == "reconnecting")
        refused = bench.arm()
        assert not refused.success
        assert "check the cable" in refused.message
        bench.emulator.replug()
        back = bench.states.wait_for(lambda m: m.connection == "connected")
        assert back.gate == "stopped"
        assert bench.emulator.wait(0.3).duty == (0, 0)
        bench.process.wait_for_text("the board is back: nothing moves until somebody arms")
        assert bench.arm().success
        bench.wait_for_speed(0.2, 0.2)


def test_a_chip_that_restarts(bench: Bench) -> None:
    odom = bench.graph.hear(names.ODOM)
    bench.arm()
    with bench.by_hand(0.2):
        odom.wait_for(lambda m: m.pose.pose.position.x > 0.1)
        bench.emulator.reset()
        bench.states.wait_for(lambda m: m.connection == "restarted")
        assert bench.emulator.wait(0.3).duty == (0, 0)
    assert bench.arm().success
    bench.states.wait_for(lambda m: m.connection == "connected" and m.gate == "armed")
    assert 0.1 < odom.wait_for().pose.pose.position.x < 0.2


def test_a_second_node_at_the_same_port_says_so_and_takes_over_when_it_is_free(
    bench: Bench,
) -> None:
    second = bench.graph.start(MODULE, "-r", "__node:=base2", port=bench.emulator.port)
    second.wait_for_text("another program that has it open")
    assert bench.graph.state_of("base2") == "unconfigured"
    assert second.text.count("another program") == 1  # said once, tried again and again
    bench.states.wait_for()  # the first one does not mind
    bench.process.terminate()
    second.wait_for_text("active")
    bench.states.wait_for()


# ---- what somebody may get wrong


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("odom_hz", 500.0, "odom_hz"),
        ("odom_hz", "fast", "odom_hz"),
        ("autostart", "perhaps", "autostart"),
        ("baudrate", -1, "baudrate"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_exit_code_2(
    graph: Graph, name: str, value: Any, words: str
) -> None:
    process = graph.start(MODULE, **{name: value})
    assert process.wait() == 2
    assert f"expected {words}" in process.text
    assert "Traceback" not in process.text


def test_words_that_ros_cannot_read_are_exit_code_2(graph: Graph) -> None:
    process = graph.start(MODULE, "-p", "port:=[")
    assert process.wait() == 2
    assert "--ros-args -p name:=value" in process.text
    assert "Traceback" not in process.text


def test_an_unknown_parameter_is_named_with_the_nearest_one(graph: Graph, tmp_path: Path) -> None:
    process = graph.start(MODULE, prot="/dev/nowhere", port=str(tmp_path / "tty"))
    process.wait_for_text("no such parameter: prot; did you mean port?")
    process.wait_for_text("a serial port")  # and it goes on, without a board
    assert process.terminate() == 0


def test_a_robot_yaml_that_cannot_be_used_is_told_and_tried_again(
    graph: Graph, emulator: EmulatedBoard, tmp_path: Path
) -> None:
    path = tmp_path / "robot.yaml"
    process = graph.start(MODULE, config=str(path), port=emulator.port)
    process.wait_for_text("expected a robot.yaml")
    path.write_text("limits: {speed_mps: 0.1}")
    process.wait_for_text("active")


def test_another_type_on_our_topics_is_told_and_the_rest_works(bench: Bench) -> None:
    wrong = bench.graph.node.create_publisher(String, "cmd_vel", 1)
    wrong.publish(String(data="forward!"))
    bench.process.wait_for_text(
        "/test_probe publishes std_msgs/msg/String on /cmd_vel: "
        "not heard, it has to be geometry_msgs/msg/Twist"
    )
    bench.graph.node.destroy_publisher(wrong)  # one participant cannot have both
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)


def test_a_clock_that_jumps_neither_moves_nor_stops_it(
    graph: Graph, emulator: EmulatedBoard
) -> None:
    bench = Bench(graph, emulator, use_sim_time=True)
    tick = graph.speaker(names.CLOCK)
    odom = graph.hear(names.ODOM)

    def at(seconds: int) -> None:
        message = Clock()
        message.clock.sec = seconds
        tick(message)

    at(1000)
    odom.wait_for(lambda m: m.header.stamp.sec in (999, 1000))
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
        for second in (5, 90_000, 0, 1000):
            at(second)
            odom.wait_for(lambda m, second=second: abs(m.header.stamp.sec - second) <= 1)
            assert bench.speed() == pytest.approx((0.2, 0.2), abs=0.02)
    assert bench.still_after() < STOPPED_S
    at(3)
    assert bench.emulator.wait(0.3).duty == (0, 0)
    assert bench.gate() == "armed"


def test_a_slow_listener_slows_nothing(bench: Bench) -> None:
    slow = bench.graph.start("slow_listener")
    slow.wait_for_text("listening")
    bench.arm()
    with bench.by_hand(0.2):
        bench.wait_for_speed(0.2, 0.2)
        before: Ear = bench.graph.hear(names.ROBOT_STATE)
        before.wait_for()
        start, first = len(before.messages), bench.emulator.status().seconds
        bench.emulator.wait(1.0)
        heard = len(before.messages) - start
        assert heard / (bench.emulator.status().seconds - first) == pytest.approx(100, rel=0.15)


# ---- lifecycle


def test_lifecycle_in_every_order_leaves_the_motors_off(
    graph: Graph, emulator: EmulatedBoard
) -> None:
    process = graph.start(MODULE, port=emulator.port, autostart=False, arm_on_activate=True)
    states = graph.hear(names.ROBOT_STATE)
    assert graph.state_of("base") == "unconfigured"
    say = graph.speaker(names.CMD_VEL, to=0)
    walk = [
        ("activate", False),
        ("configure", True),
        ("cleanup", True),
        ("configure", True),
        ("activate", True),
        ("configure", False),
        ("deactivate", True),
        ("cleanup", True),
        ("configure", True),
        ("activate", True),
        ("deactivate", True),
        ("activate", True),
    ]
    for transition, works in walk:
        assert graph.change("base", transition) is works, process.text
        state = graph.state_of("base")
        if state == "active":
            states.wait_for(lambda m: m.gate == "armed")
            graph.wait_until(
                lambda: say(twist(0.2)) or emulator.status().speed[0] / PER_M > 0.1  # type: ignore[func-returns-value]
            )
        else:
            assert emulator.status().duty == (0, 0)
            for _ in range(10):
                say(twist(0.2))
                assert emulator.wait(0.01).duty == (0, 0)
    assert graph.change("base", "shutdown")
    assert emulator.status().duty == (0, 0)
    assert process.terminate() == 0


def test_an_emergency_stop_while_inactive_holds_when_it_is_activated(
    graph: Graph, emulator: EmulatedBoard
) -> None:
    graph.start(MODULE, port=emulator.port, autostart=False, arm_on_activate=True)
    graph.change("base", "configure")
    answer = graph.call(names.E_STOP, EStop.Request(reason="hands off"))
    assert "not active" in answer.message
    assert not graph.call(names.ARM, Arm.Request(arm=True)).success
    states = graph.hear(names.ROBOT_STATE)
    graph.change("base", "activate")
    assert states.wait_for().gate_reason == "hands off"
    assert graph.call(names.ARM, Arm.Request(arm=True)).success
    states.wait_for(lambda m: m.gate == "armed")
