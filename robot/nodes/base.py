"""The node at the board: speeds, angles and stops in; states, odometry and health out.

What goes out is base_reports.py's, in the thread that follows the board; the executor's thread
only takes what comes in. Nothing here waits for a clock of ROS.
"""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar, TypeVar

from geometry_msgs.msg import Twist, TwistStamped
from pydantic import Field
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Empty

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.commands import COLORS
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.robot.base import Base, Driver
from reflexarc.robot.gate import GateState
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.base_reports import ConnectedBoard, DrivingParameters, Reports
from reflexarc.robot.nodes.managed import ManagedNode, run
from reflexarc.robot.nodes.stamps import Stamps
from reflexarc.robot.odometry import Velocity

_NAMES = {joint: servo for servo, joint in graph.JOINTS.items()}


class BaseParameters(DrivingParameters):
    """What the node at the real board can be told besides."""

    port: str = Field("", description="serial port; empty: robot.yaml's")
    baudrate: int = Field(0, ge=0, description="0: robot.yaml's")


D = TypeVar("D", bound=DrivingParameters)


class DrivingNode(ManagedNode[D]):
    """Bridges a board to the graph; see robot/base.py for who goes before whom.

    A subclass connects to its board.
    """

    PUBLISHES: ClassVar[tuple[graph.Topic, ...]] = Reports.PUBLISHES
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
        self._reports: Reports | None = None
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
        self._reports = Reports(self, self._stamps, self._board, self.hardware)
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
        assert self._reports is not None
        reports = self._reports
        reports.begin()
        base = self._base = Base(
            self.config,
            self._board,
            on_state=lambda state: reports.tell(base, state),
            on_wait=lambda: reports.tell_lost(base),
            on_word=self.log_once,
            on_failure=self._fail,
        )
        try:
            base.start()
        except BaseException:
            self.pause()
            raise
        if self._latched:
            base.stop(self._latched)
        elif self.settings.arm_on_activate:
            try:
                base.arm()
            except ReflexarcError as error:  # it works all the same, and can be armed later
                self.get_logger().warning(str(error))

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
        base.stop(reason, brake=request.brake)
        self.get_logger().warning(f"stopped: {reason}")
        response.message = "stopped until somebody arms"
        if base.connection == "reconnecting":
            response.message += "; the board cannot be told, its motors stop by themselves"
        return response


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
