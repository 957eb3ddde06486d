"""What base says of itself: states, odometry, joints, battery, range, health.

All from the thread that follows the board, at the board's own pace: no timers, no locks.
"""

from __future__ import annotations

import importlib.util
import time
from typing import Any, Protocol

from builtin_interfaces.msg import Time
from pydantic import Field
from reflexarc_interfaces.msg import RobotState

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.statistics import LinkStatistics
from reflexarc.robot.base import Base, DrivenBoard
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
from reflexarc.robot.nodes.managed import ManagedNode
from reflexarc.robot.nodes.parameters import Parameters
from reflexarc.robot.nodes.stamps import Stamps

_STATES_HZ = 100
_RANGE_EVERY = 5
_LOST_S = 0.1
_SLOWLY_S = 1.0


class DrivingParameters(Parameters):
    """What the node can be told, whatever board it drives."""

    arm_on_activate: bool = Field(False, description="let it move without anybody's word")
    odom_hz: float = Field(50.0, ge=1.0, le=100.0, description="of odom and joint_states")
    odom_frame: str = Field(graph.ODOM_FRAME, description="where odometry begins")
    base_frame: str = Field(graph.BASE_FRAME, description="the robot's, on the floor")
    publish_tf: bool = Field(True, description="odom to base, where tf2_msgs is installed")


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


class Reports:
    """Publishes what the board says, and what base makes of it.

    Args:
        node: configured; its publishers are used.
        stamps: of its clock.
        board: connected.
        hardware: what that is, for diagnostics.
    """

    PUBLISHES = (
        graph.ROBOT_STATE,
        graph.ODOM,
        graph.JOINT_STATES,
        graph.BATTERY,
        graph.RANGE,
        graph.DIAGNOSTICS,
    )

    def __init__(
        self, node: ManagedNode[Any], stamps: Stamps, board: ConnectedBoard, hardware: str
    ) -> None:
        self._node, self._stamps, self._board, self._hardware = node, stamps, board, hardware
        self._settings: DrivingParameters = node.settings
        (
            self._states,
            self._odom,
            self._joints,
            self._battery,
            self._ranges,
            self._diagnostics,
        ) = map(node.publisher, self.PUBLISHES)
        self._tf = _transforms(node) if self._settings.publish_tf else None

    def begin(self) -> None:
        """Forget what was before: activated."""
        settings = self._settings
        self._every = max(1, round(_STATES_HZ / settings.odom_hz))
        self._count = 0
        self._odometry = OdometryMessages(
            settings.odom_frame, settings.base_frame, self._every / _STATES_HZ
        )
        self._state_message = RobotState()
        self._joint_messages = JointMessages(self._node.config.geometry)
        self._range_messages = RangeMessages()
        self._newest: BoardState | None = None
        self._before: LinkStatistics | None = None
        self._slowly_s = self._told_s = 0.0

    def tell(self, base: Base, state: BoardState) -> None:
        """Of a new state; odometry has taken it. Standard messages only where one listens."""
        stamp = self._stamps.to_ros(state.measured_ns)
        self._newest = state
        self._tell_state(base, state, stamp)
        self._count += 1
        if self._count % self._every == 0:
            if self._tf is not None or self._odom.get_subscription_count():
                self._odom.publish(self._odometry.fill(base.odometry, stamp))
            if self._tf is not None:
                self._tf(self._odometry.fill_transform(stamp))
            if self._joints.get_subscription_count():
                self._joints.publish(self._joint_messages.fill(state, stamp))
        if self._count % _RANGE_EVERY == 0 and self._ranges.get_subscription_count():
            self._ranges.publish(self._range_messages.fill(state, stamp))
        if time.monotonic() - self._slowly_s >= _SLOWLY_S:
            self._battery.publish(battery_message(state, stamp, self._settings.base_frame))
            self._tell_health(base, state)

    def tell_lost(self, base: Base) -> None:
        """The last state again, with what is wrong."""
        if self._newest is None:
            return
        now = time.monotonic()
        if now - self._told_s >= _LOST_S:
            self._tell_state(base, self._newest, self._stamps.to_ros(self._newest.measured_ns))
        if now - self._slowly_s >= _SLOWLY_S:
            self._tell_health(base, self._newest)

    def _tell_state(self, base: Base, state: BoardState, stamp: Time) -> None:
        self._told_s = time.monotonic()
        gate = base.gate
        standing = Standing(base.connection, gate.state.value, gate.reason, base.by_hand)
        self._states.publish(state_message(state, standing, stamp, self._state_message))

    def _tell_health(self, base: Base, state: BoardState) -> None:
        self._slowly_s = time.monotonic()
        age_s = (time.monotonic_ns() - state.stamp_ns) * 1e-9
        before, self._before = self._before, self._board.statistics()
        healths = [
            link_health(base.connection, age_s, self._before, before),
            board_health(state, self._node.config.limits, self._board.warnings),
            gate_health(base.gate.state, base.gate.reason, base.by_hand),
        ]
        name = self._node.get_fully_qualified_name()
        stamp = self._stamps.now()
        self._diagnostics.publish(diagnostics_message(name, self._hardware, healths, stamp))


def _transforms(node: ManagedNode[Any]) -> Any:
    """A function that publishes a transform; None where tf2_msgs is not installed."""
    if importlib.util.find_spec("tf2_msgs") is None:
        return None
    from tf2_msgs.msg import TFMessage

    quality = qos.Quality("tf", "as tf2's own broadcasters", 100)
    publisher = node.create_publisher(TFMessage, "/tf", quality.profile)
    node._publishers_made.append(publisher)
    return lambda transform: publisher.publish(TFMessage(transforms=[transform]))
