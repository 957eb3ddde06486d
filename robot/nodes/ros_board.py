"""A board at the other end of the graph: what `Robot` needs of one, over topics and services.

Speeds are sent without waiting; how they are taken is seen in the states that come back.
The base node has a gate of its own before the motors.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from geometry_msgs.msg import TwistStamped
from reflexarc_interfaces.msg import RobotState
from reflexarc_interfaces.srv import Arm, EStop
from sensor_msgs.msg import JointState
from std_msgs.msg import ColorRGBA, Empty

from reflexarc.firmware_bridge import BoardState
from reflexarc.firmware_bridge.commands import COLORS
from reflexarc.firmware_bridge.errors import (
    BoardFaultError,
    BoardRestartedError,
    CommandRefusedError,
    LinkLostError,
    StateTimeoutError,
)
from reflexarc.firmware_bridge.protocol import messages
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.nodes import graph
from reflexarc.robot.nodes.convert import Standing, standing_of, state_of
from reflexarc.robot.nodes.managed import ManagedNode
from reflexarc.robot.nodes.stamps import Stamps

SILENT_S = 0.5
"""Without a state for so long, the base is lost."""
_GRACE_S = 0.05
_REST_S = 0.3
_CALL_S = 3.0
_REST = (0, 0)


class RosBoard:
    """A `Board` as far as `Robot` needs one. Safe to call from several threads.

    The node's executor has to turn meanwhile: what waits here (`wait_state`, `clear_faults`,
    `rearm`) may not be called in its thread.

    Args:
        node: declares the topics and services, and gives its `robot_state` to `take`.
        config: the robot's measures.
    """

    PUBLISHES = (graph.BRAIN_CMD_VEL, graph.HALT, graph.JOINT_COMMANDS, graph.LIGHT)
    CALLS = (graph.ARM, graph.E_STOP)

    def __init__(self, node: ManagedNode[Any], config: RobotConfig) -> None:
        self._speeds, self._halts, self._joints, self._lights = map(node.publisher, self.PUBLISHES)
        self._arm = node.create_client(Arm, graph.ARM.name)
        self._e_stop = node.create_client(EStop, graph.E_STOP.name)
        self._node = node
        self._stamps = Stamps(node.get_clock())
        self._counts_per_m = config.geometry.counts_per_m
        self._separation_m = config.geometry.wheel_separation_m
        self._news = threading.Condition()
        self._state: BoardState | None = None
        self._standing = Standing()
        self._sending = threading.Lock()
        self._rest_ns = 0
        """Until when a rest is said again: the base's gate takes its time to get there."""
        self._handing_over = threading.local()

    def close(self) -> None:
        """Let go of the services. The topics end with the node's own."""
        self._node.destroy_client(self._arm)
        self._node.destroy_client(self._e_stop)

    # ---- what comes from the base

    def take(self, message: RobotState) -> None:
        """A new state; in the executor's thread."""
        now = time.monotonic_ns()
        measured = self._stamps.captured(message.measured_ns, message.header.stamp)
        state = state_of(message, now, measured)
        with self._news:
            self._state, self._standing = state, standing_of(message)
            self._news.notify_all()
        with self._sending:
            if now < self._rest_ns:
                self._send(_REST)

    @property
    def state(self) -> BoardState | None:
        """The newest; None before the first."""
        return self._state

    @property
    def standing(self) -> Standing:
        """What the base said of itself with it."""
        return self._standing

    def wait_state(self, timeout_s: float = 0.5, after: BoardState | None = None) -> BoardState:
        """Block until there is a state newer than `after` (by default: than now's).

        Raises:
            LinkLostError: the base has lost its board, or we have lost the base.
            BoardRestartedError: the chip has started again, motors off.
            StateTimeoutError: there was none yet.
        """
        with self._news:
            old = after if after is not None else self._state
            wait_s = timeout_s if old is None else min(timeout_s, SILENT_S)

            def is_over() -> bool:
                return self._state not in (None, old)

            # If this process was held up, states wait to be taken: a moment for that.
            is_new = self._news.wait_for(is_over, wait_s) or self._news.wait_for(is_over, _GRACE_S)
            state = self._state
        if is_new:
            self._check_connection()
            assert state is not None
            return state
        if old is None:
            raise StateTimeoutError(
                expected=f"a state on {graph.ROBOT_STATE.name} within {timeout_s} s",
                found="none",
                remedy="start the base node, in the same namespace and ROS_DOMAIN_ID",
            )
        raise _silent()

    def _check_connection(self) -> None:
        connection = self._standing.connection
        if connection == "connected":
            return
        if connection == "restarted":
            raise BoardRestartedError(
                expected="the chip to go on",
                found="it has started again",
                remedy="arm the robot when it may move",
            )
        raise LinkLostError(
            expected="the base to be connected to its board",
            found=f"it is {connection}",
            remedy="check the cable and the board's power; the base connects again by itself",
        )

    # ---- motion

    def drive(self, left: int, right: int) -> tuple[int, int]:
        """Ask the base for wheel speeds in counts/s; gives what was asked for.

        Raises:
            LinkLostError: the base, or its board, is gone.
            BoardFaultError: its gate lets nothing through.
        """
        speeds = (left, right)
        state, standing = self._state, self._standing
        if state is None or time.monotonic_ns() - state.stamp_ns > (SILENT_S + _GRACE_S) * 1e9:
            raise _silent()
        self._check_connection()
        if standing.gate != "armed" and speeds != _REST:
            raise BoardFaultError(
                expected="an armed base",
                found=standing.reason or standing.gate,
                remedy="arm the robot when it may move",
            )
        self._send_on(speeds)
        return speeds

    def stop(self) -> None:
        """Motors off at once. Never raises: a base that hears nothing stops by itself."""
        if not getattr(self._handing_over, "now", False):
            self._halts.publish(Empty())
        # What was sent before may come after the halt; what was sent on the same topic cannot.
        self._send_on(_REST)

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """In this thread meanwhile, a stop takes back only what was asked for here.

        The motors are somebody else's now: to halt them would halt that hand.
        """
        self._handing_over.now = True
        try:
            yield
        finally:
            self._handing_over.now = False

    def _send_on(self, speeds: tuple[int, int]) -> None:
        with self._sending:
            rests = speeds == _REST
            self._rest_ns = time.monotonic_ns() + round(_REST_S * 1e9) if rests else 0
            self._send(speeds)

    def _send(self, speeds: tuple[int, int]) -> None:
        left, right = (count / self._counts_per_m for count in speeds)
        message = TwistStamped()
        message.header.stamp = self._stamps.now()
        message.header.frame_id = graph.BASE_FRAME
        message.twist.linear.x = (left + right) / 2
        message.twist.angular.z = (right - left) / self._separation_m
        self._speeds.publish(message)

    # ---- servos and light

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        """Ask for servo angles, degrees; gives what was asked for."""
        message = JointState()
        message.header.stamp = self._stamps.now()
        message.name = [graph.JOINTS[name] for name in angles]
        message.position = [math.radians(angle) for angle in angles.values()]
        self._joints.publish(message)
        return dict(angles)

    def set_light(self, color: str) -> None:
        """Ask for one of the board's colors."""
        bits = COLORS[color]
        red, green, blue = (
            float(bool(bits & bit))
            for bit in (messages.LIGHT_RED, messages.LIGHT_GREEN, messages.LIGHT_BLUE)
        )
        self._lights.publish(ColorRGBA(r=red, g=green, b=blue, a=1.0))

    # ---- the base's gate

    def clear_faults(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """Arm the base, which clears what its board has latched; gives none.

        Raises:
            LinkLostError: it does not answer.
            CommandRefusedError: it cannot be armed; says why.
        """
        answer = self._ask_to_arm()
        if not answer.success:
            raise CommandRefusedError(
                expected="the base to be armed",
                found=answer.message,
                remedy="mend that, then arm again",
            )
        return frozenset()

    def rearm(self) -> None:
        """Take a chip that has started anew as it is."""
        self.clear_faults()

    def arm_soon(self) -> Any:
        """Ask the base to arm, without waiting; gives a future of its answer.

        None: the base cannot be asked yet.
        """
        if not self._arm.service_is_ready():
            return None
        return self._arm.call_async(Arm.Request(arm=True))

    def stop_base(self, reason: str) -> None:
        """Latch the base's gate, too, without waiting; if it is there."""
        if self._e_stop.service_is_ready():
            self._e_stop.call_async(EStop.Request(reason=reason, brake=True))

    def _ask_to_arm(self) -> Any:
        done = threading.Event()
        future = self.arm_soon()
        if future is not None:
            future.add_done_callback(lambda _: done.set())
            if done.wait(_CALL_S):
                return future.result()
            self._arm.remove_pending_request(future)
        raise LinkLostError(
            expected=f"the base to answer at {graph.ARM.name}",
            found="silence",
            remedy="start the base node, in the same namespace and ROS_DOMAIN_ID",
        )


def _silent() -> LinkLostError:
    return LinkLostError(
        expected=f"a state on {graph.ROBOT_STATE.name} every {SILENT_S:g} s",
        found="silence from the base",
        remedy="see whether the base node runs, and the network; then arm again",
    )
