"""What base publishes beside the board's state, in standard messages that are used again.

Filling a message of its own for each state would be half of the node's CPU time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry as OdometryMessage
from sensor_msgs.msg import BatteryState, JointState, Range

from reflexarc.firmware_bridge import BoardState
from reflexarc.robot.config import Geometry
from reflexarc.robot.health import Health
from reflexarc.robot.nodes.graph import JOINTS, RANGE_FRAME, WHEEL_JOINTS
from reflexarc.robot.odometry import Odometry

# As gazebo_ros' diff_drive says it of what wheels do not measure: z, roll, pitch.
_UNKNOWN = 1e6
# The HC-SR04's: its cone, and what it can hear.
_RANGE_FOV_RAD = math.radians(15)
_RANGE_M = (0.02, 4.0)


class OdometryMessages:
    """nav_msgs/Odometry, and the same as a transform.

    Args:
        odom_frame: where odometry began.
        base_frame: the robot's, on the floor between the wheels.
        period_s: between two messages.
    """

    def __init__(self, odom_frame: str, base_frame: str, period_s: float) -> None:
        self._period_s = period_s
        self.message = OdometryMessage(child_frame_id=base_frame)
        self.message.header.frame_id = odom_frame
        self.transform = TransformStamped(child_frame_id=base_frame)
        self.transform.header.frame_id = odom_frame
        self._pose_variance = _diagonal(self.message.pose)
        self._twist_variance = _diagonal(self.message.twist)
        self._twist_variance[1, 1] = 1e-9  # wheels do not slide sideways

    def fill(self, odometry: Odometry, stamp: Time) -> OdometryMessage:
        """As it is now; the message is the same one each time."""
        pose, velocity, message = odometry.pose, odometry.velocity, self.message
        message.header.stamp = stamp
        at, turned = message.pose.pose.position, message.pose.pose.orientation
        at.x, at.y = pose.x, pose.y
        turned.z, turned.w = math.sin(pose.yaw / 2), math.cos(pose.yaw / 2)
        message.twist.twist.linear.x = velocity.ahead
        message.twist.twist.angular.z = velocity.turning
        # x, y and yaw are the first, second and sixth of six.
        variance, of = self._pose_variance, odometry.covariance
        variance[:2, :2] = of[:2, :2]
        variance[:2, 5], variance[5, :2], variance[5, 5] = of[:2, 2], of[2, :2], of[2, 2]
        self._twist_variance[0, 0], self._twist_variance[5, 5] = odometry.velocity_variance(
            self._period_s
        )
        return message

    def fill_transform(self, stamp: Time) -> TransformStamped:
        """The pose last filled in, as a transform."""
        self.transform.header.stamp = stamp
        pose, moved = self.message.pose.pose, self.transform.transform
        moved.translation.x, moved.translation.y = pose.position.x, pose.position.y
        moved.rotation.z, moved.rotation.w = pose.orientation.z, pose.orientation.w
        return self.transform


def _diagonal(part: Any) -> Any:
    """A view of a message's covariance as 6 x 6, filled for what is not measured."""
    part.covariance = np.diag([0.0, 0.0, _UNKNOWN, _UNKNOWN, _UNKNOWN, 0.0]).ravel()
    return part.covariance.reshape(6, 6)


class JointMessages:
    """sensor_msgs/JointState: wheels in the radians that they turned, servos.

    A limp servo's angle is the last one known, 0 before any: whoever draws the robot needs
    every joint. That it is limp is said in `robot_state`.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._rad_per_count = 2 * math.pi / geometry.counts_per_revolution
        self._angles = dict.fromkeys(JOINTS, 0.0)
        self.message = JointState(name=[*WHEEL_JOINTS, *JOINTS.values()])

    def fill(self, state: BoardState, stamp: Time) -> JointState:
        """As it is now; the message is the same one each time."""
        for name, angle in state.servos.items():
            if angle is not None:
                self._angles[name] = math.radians(angle)
        rad = self._rad_per_count
        message = self.message
        message.header.stamp = stamp
        message.position = [*(count * rad for count in state.encoder), *self._angles.values()]
        message.velocity = [*(speed * rad for speed in state.speed), 0.0, 0.0, 0.0]
        return message


class RangeMessages:
    """sensor_msgs/Range of the sensor ahead; infinite where nothing is near (REP-117)."""

    def __init__(self) -> None:
        self.message = Range(
            radiation_type=Range.ULTRASOUND,
            field_of_view=_RANGE_FOV_RAD,
            min_range=_RANGE_M[0],
            max_range=_RANGE_M[1],
        )
        self.message.header.frame_id = RANGE_FRAME

    def fill(self, state: BoardState, stamp: Time) -> Range:
        """As it is now; the message is the same one each time."""
        self.message.header.stamp = stamp
        self.message.range = math.inf if state.range_m is None else float(state.range_m)
        return self.message


def battery_message(state: BoardState, stamp: Time, frame: str) -> BatteryState:
    """The battery: volts are all that is measured."""
    message = BatteryState(
        voltage=float(state.battery_v),
        temperature=math.nan,
        current=math.nan,
        charge=math.nan,
        capacity=math.nan,
        design_capacity=math.nan,
        percentage=math.nan,
        present=True,
    )
    message.header.stamp, message.header.frame_id = stamp, frame
    return message


def diagnostics_message(
    node: str, hardware: str, healths: list[Health], stamp: Time
) -> DiagnosticArray:
    """How the parts of a node are."""
    message = DiagnosticArray()
    message.header.stamp = stamp
    message.status = [
        DiagnosticStatus(
            level=bytes([health.level]),
            name=f"{node}: {health.name}",
            message=health.message,
            hardware_id=hardware,
            values=[KeyValue(key=key, value=value) for key, value in health.values.items()],
        )
        for health in healths
    ]
    return message
