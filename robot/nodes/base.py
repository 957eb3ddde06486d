"""The node at the board: speeds, angles and stops in; states, odometry and health out.

Everything is published from the thread that follows the board, at the board's own pace; the
executor's thread only takes what comes in. Nothing here waits for a clock of ROS.
"""

from __future__ import annotations

import importlib.util
import math
import time
from typing import Any, ClassVar, Protocol, TypeVar

from geometry_msgs.msg import Twist, TwistStamped
from pydantic import Field
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Empty

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board, BoardState
from reflexarc.firmware_bridge.commands import COLORS
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.statistics import LinkStatistics
from reflexarc.robot.base import Base, DrivenBoard, Driver
from reflexarc.robot.gate import GateState
from reflexarc.robot.health import board_health, gate_health, link_health
from reflexarc.robot.nodes import graph, qos
from reflexarc.robot.nodes.base_messages import (
    JointMessages,
    OdometryMessages,
    RangeMessages,
    battery_message,
    diagnostics_message,
)
from reflexarc.robot.nodes.convert import Standing, state_message
from reflexarc.robot.nodes.managed import ManagedNode, run
from reflexarc.robot.nodes.parameters import Parameters
from reflexarc.robot.nodes.stamps import Stamps
from reflexarc.robot.odometry import Velocity

_STATES_HZ = 100
_RANGE_EVERY = 5
_LOST_S = 0.1
_SLOWLY_S = 1.0
_NAMES = {joint: servo for servo, joint in graph.JOINTS.items()}


class DrivingParameters(Parameters):
    """What the node can be told, whatever board it drives."""

    arm_on_activate: bool = Field(False, description="let it move without anybody's word")
    odom_hz: float = Field(50.0, ge=1.0, le=100.0, description="of odom and joint_states")
    odom_frame: str = Field(graph.ODOM_FRAME, description="where odometry begins")
    base_frame: str = Field(graph.BASE_FRAME, description="the robot's, on the floor")
    publish_tf: bool = Field(True, description="odom to base, where tf2_msgs is installed")


class BaseParameters(DrivingParameters):
    """What the node at the real board can be told besides."""

    port: str = Field("", description="serial port; empty: robot.yaml's")
    baudrate: int = Field(0, ge=0, description="0: robot.yaml's")


class ConnectedBoard(DrivenBoard, Protocol):
    """What the node needs of a board (`reflexarc.firmware_bridge.Board` has it)."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it."""
        ...

    def statistics(self) -> LinkStatistics:
        """Of the line to it, since it was connected."""
        ...

    def close(self) -> None:
        """Motors off, and let go of it."""
        ...


D = TypeVar("D", bound=DrivingParameters)


class DrivingNode(ManagedNode[D]):
    """Bridges a board to the graph; see robot/base.py for who goes before whom.

    A subclass connects to its board.
    """

    PUBLISHES: ClassVar[tuple[graph.Topic, ...]] = (
        graph.ROBOT_STATE,
        graph.ODOM,
        graph.JOINT_STATES,
        graph.BATTERY,
        graph.RANGE,
        graph.DIAGNOSTICS,
    )
    SUBSCRIBES: ClassVar[tuple[graph.Topic, ...]] = (
        graph.BRAIN_CMD_VEL,
        graph.CMD_VEL,
        graph.CMD_VEL_STAMPED,
        graph.HALT,
        graph.JOINT_COMMANDS,
        graph.LIGHT,
    )
    SERVES: ClassVar[tuple[graph.Call, ...]] = (graph.ARM, graph.E_STOP)

    def __init__(self, **keywords: Any) -> None:
        """See `ManagedNode`."""
        super().__init__(**keywords)
        self.failure: BaseException | None = None
        self._board: ConnectedBoard | None = None
        self._base: Base | None = None
        self._stamps = Stamps(self.get_clock())
        self._latched = ""
        """Why it was stopped, while nobody has armed since: a new start does not forget it."""

    # ---- for subclasses

    def connect(self) -> ConnectedBoard:
        """The board, connected.

        Raises:
            BoardError: it cannot be.
        """
        raise NotImplementedError

    @property
    def hardware(self) -> str:
        """What is connected, for diagnostics."""
        raise NotImplementedError

    # ---- lifecycle

    def open(self) -> None:
        """Connect to the board."""
        self._board = self.connect()
        for warning in self._board.warnings:
            self.get_logger().warning(warning)
        self._states = self.publisher(graph.ROBOT_STATE)
        self._odom = self.publisher(graph.ODOM)
        self._joints = self.publisher(graph.JOINT_STATES)
        self._ranges = self.publisher(graph.RANGE)
        self._battery = self.publisher(graph.BATTERY)
        self._diagnostics = self.publisher(graph.DIAGNOSTICS)
        self._tf = self._transforms()
        self.listen(graph.BRAIN_CMD_VEL, self._by_brain)
        self.listen(graph.CMD_VEL, self._by_hand)
        self.listen(graph.CMD_VEL_STAMPED, self._by_stamped_hand)
        self.listen(graph.HALT, self._halt)
        self.listen(graph.JOINT_COMMANDS, self._move_joints)
        self.listen(graph.LIGHT, self._set_light)
        self.serve(graph.ARM, self._serve_arm)
        self.serve(graph.E_STOP, self._serve_e_stop)

    def begin(self) -> None:
        """Follow the board; arm it where that is wanted and nobody has stopped it."""
        assert self._board is not None
        self._every = max(1, round(_STATES_HZ / self.settings.odom_hz))
        self._count = 0
        self._odometry = OdometryMessages(
            self.settings.odom_frame, self.settings.base_frame, self._every / _STATES_HZ
        )
        self._joint_messages = JointMessages(self.config.geometry)
        self._range_messages = RangeMessages()
        self._newest: BoardState | None = None
        self._before: LinkStatistics | None = None
        self._slowly_s = self._told_s = 0.0
        base = Base(
            self.config,
            self._board,
            on_state=self._tell,
            on_wait=self._tell_lost,
            on_word=self.log_once,
            on_failure=self._fail,
        )
        self._base = base
        base.start()
        if self._latched:
            base.stop(self._latched)
        elif self.settings.arm_on_activate:
            base.arm()

    def pause(self) -> None:
        """Motors off first, then silence."""
        base = self._base
        if base is not None:
            if base.gate.state is GateState.STOPPED:
                self._latched = base.gate.reason
            base.end()
            self._base = None

    def close(self) -> None:
        """Motors off, and the port is free."""
        self.pause()
        board, self._board = self._board, None
        if board is not None:
            board.close()

    def _fail(self, error: BaseException) -> None:
        self.failure = error

    # ---- what comes in

    def _by_brain(self, message: TwistStamped) -> None:
        self._drive(message.twist, Driver.BRAIN)

    def _by_hand(self, message: Twist) -> None:
        self._drive(message, Driver.HAND)

    def _by_stamped_hand(self, message: TwistStamped) -> None:
        age_s = (time.monotonic_ns() - self._stamps.to_monotonic(message.header.stamp)) * 1e-9
        # From the future too: with the sender's clock ahead, old ones would look fresh.
        if abs(age_s) > self.config.limits.command_stale_s:
            name = graph.CMD_VEL_STAMPED.name
            self.log_once(f"{name}: {age_s:.1f} s old, left out: are the clocks in step?")
            return
        self._drive(message.twist, Driver.HAND)

    def _drive(self, twist: Twist, driver: Driver) -> None:
        base = self._base
        if base is None:
            return
        speed = Velocity(twist.linear.x, twist.angular.z)
        base.drive(speed, driver)
        if base.gate.state is not GateState.ARMED and speed != Velocity():
            self.log_once(f"speeds are left out: {base.gate.state.value}: {base.gate.reason}")

    def _halt(self, message: Empty) -> None:
        if self._base is not None:
            self._base.halt()

    def _move_joints(self, message: JointState) -> None:
        angles = {
            _NAMES[name]: math.degrees(angle)
            for name, angle in zip(message.name, message.position)  # noqa: B905
            if name in _NAMES
        }
        if len(angles) < len(message.name):
            self.log_once(
                f"{graph.JOINT_COMMANDS.name}: each of {', '.join(_NAMES)} with a position in "
                f"radians; found {len(message.position)} positions for {', '.join(message.name)}"
            )
        if angles and self._base is not None:
            self._base.servos(angles)

    def _set_light(self, message: ColorRGBA) -> None:
        bits = sum(
            bit
            for value, bit in (
                (message.r, messages.LIGHT_RED),
                (message.g, messages.LIGHT_GREEN),
                (message.b, messages.LIGHT_BLUE),
            )
            if value >= 0.5
        )
        if self._base is not None:
            self._base.light(next(name for name, color in COLORS.items() if color == bits))

    def _serve_arm(self, request: Any, response: Any) -> Any:
        base = self._base
        if base is None:
            response.message = f"{self.get_name()} is not active: activate it, then arm"
            return response
        try:
            if request.arm:
                base.arm()
                self._latched = ""
            else:
                base.disarm()
        except ReflexarcError as error:
            response.message = str(error)
            return response
        response.success = True
        response.message = base.gate.state.value
        return response

    def _serve_e_stop(self, request: Any, response: Any) -> Any:
        reason = request.reason[:200] or "emergency stop"
        response.success = True
        base = self._base
        if base is None:
            self._latched = reason
            response.message = "it is not active: its motors are off, and stay so until it is armed"
            return response
        base.stop(reason)
        self.get_logger().warning(f"stopped: {reason}")
        response.message = "stopped until somebody arms"
        if base.connection == "reconnecting":
            response.message += "; the board cannot be told, its motors stop by themselves"
        return response

    # ---- what goes out, all from the thread that follows the board

    def _tell(self, state: BoardState) -> None:
        assert self._base is not None
        stamp = self._stamps.to_ros(state.measured_ns)
        self._newest = state
        self._tell_state(self._base, state)
        self._count += 1
        if self._count % self._every == 0:
            odometry = self._odometry.fill(self._base.odometry, stamp)
            if self._odom.get_subscription_count():
                self._odom.publish(odometry)
            if self._tf is not None:
                self._tf(self._odometry.fill_transform(stamp))
            if self._joints.get_subscription_count():
                self._joints.publish(self._joint_messages.fill(state, stamp))
        if self._count % _RANGE_EVERY == 0 and self._ranges.get_subscription_count():
            self._ranges.publish(self._range_messages.fill(state, stamp))
        if time.monotonic() - self._slowly_s >= _SLOWLY_S:
            self._battery.publish(battery_message(state, stamp, self.settings.base_frame))
            self._tell_health(self._base, state)

    def _tell_lost(self) -> None:
        """The last state again, with what is wrong."""
        if self._base is None or self._newest is None:
            return
        now = time.monotonic()
        if now - self._told_s >= _LOST_S:
            self._tell_state(self._base, self._newest)
        if now - self._slowly_s >= _SLOWLY_S:
            self._tell_health(self._base, self._newest)

    def _tell_state(self, base: Base, state: BoardState) -> None:
        self._told_s = time.monotonic()
        gate = base.gate
        standing = Standing(base.connection, gate.state.value, gate.reason, base.by_hand)
        stamp = self._stamps.to_ros(state.measured_ns)
        self._states.publish(state_message(state, standing, stamp))

    def _tell_health(self, base: Base, state: BoardState) -> None:
        assert self._board is not None
        self._slowly_s = time.monotonic()
        age_s = (time.monotonic_ns() - state.stamp_ns) * 1e-9
        before, self._before = self._before, self._board.statistics()
        healths = [
            link_health(base.connection, age_s, self._before, before),
            board_health(state, self.config.limits, self._board.warnings),
            gate_health(base.gate.state, base.gate.reason, base.by_hand),
        ]
        self._diagnostics.publish(
            diagnostics_message(
                self.get_fully_qualified_name(),
                self.hardware,
                healths,
                self._stamps.now(),
            )
        )

    def _transforms(self) -> Any:
        """A function that publishes a transform, where tf2_msgs is installed and it is wanted."""
        if not self.settings.publish_tf or importlib.util.find_spec("tf2_msgs") is None:
            return None
        from tf2_msgs.msg import TFMessage

        quality = qos.Quality("tf", "as tf2's own broadcasters", 100)
        publisher = self.create_publisher(TFMessage, "/tf", quality.profile)
        self._publishers_made.append(publisher)
        return lambda transform: publisher.publish(TFMessage(transforms=[transform]))


class BaseNode(DrivingNode[BaseParameters]):
    """The board at a serial port."""

    NAME = "base"
    PARAMETERS = BaseParameters

    def connect(self) -> Board:
        """Connect to the port that the parameters or robot.yaml name."""
        board = self.config.board
        return Board.connect(
            self.settings.port or board.port, baudrate=self.settings.baudrate or board.baudrate
        )

    @property
    def hardware(self) -> str:
        """The serial port."""
        return self._board.info.port.device if isinstance(self._board, Board) else ""


def main() -> None:
    """The program base_node."""
    run(BaseNode)


if __name__ == "__main__":
    main()
