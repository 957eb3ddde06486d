"""The base where the body is Gazebo's: the same gate, odometry and topics, no board.

Gazebo's topics come over ros_gz_bridge as launch/gazebo/bridge.yaml names them. Here too
nothing reaches a wheel except through the gate.
"""

from __future__ import annotations

from typing import Any, ClassVar

from geometry_msgs.msg import Twist
from sensor_msgs.msg import JointState, LaserScan
from std_msgs.msg import Float64, String

from reflexarc.core import ReflexarcError
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.gazebo_board import GazeboBoard, Joints
from reflexarc.robot.nodes import graph, qos
from reflexarc.robot.nodes.base import DrivingNode
from reflexarc.robot.nodes.base_reports import DrivingParameters
from reflexarc.robot.nodes.graph import Topic
from reflexarc.robot.nodes.managed import run
from reflexarc.robot.odometry import Velocity
from reflexarc.sim.description import Description, Measures, rover
from reflexarc.sim.sdf import to_sdf

BODY_CMD_VEL = Topic(
    "gazebo/cmd_vel", Twist, qos.NEWEST, "100 Hz while moving", "what the gate lets through"
)
BODY_JOINTS = Topic(
    "gazebo/joint_states", JointState, qos.NEWEST, "every physics step", "as Gazebo has them"
)
BODY_SCAN = Topic("gazebo/scan", LaserScan, qos.SENSOR, "20 Hz", "a level fan of rays ahead")
BODY_ANGLES = {
    joint: Topic(f"gazebo/{joint}", Float64, qos.NEWEST, "on change", "an angle in radians")
    for joint in graph.JOINTS.values()
}
MODEL = Topic(
    "gazebo/model", String, qos.HELD, "once", "the robot as SDF, for ros_gz_sim create -topic"
)


class GazeboBaseParameters(DrivingParameters):
    """What the node can be told; the board's own have no meaning here."""


class GazeboBaseNode(DrivingNode[GazeboBaseParameters]):
    """Bridges Gazebo's body to the graph; see robot/nodes/base.py for the other side."""

    NAME = "gazebo_base"
    PARAMETERS = GazeboBaseParameters
    PUBLISHES: ClassVar[tuple[Topic, ...]] = (
        *DrivingNode.PUBLISHES,
        BODY_CMD_VEL,
        *BODY_ANGLES.values(),
        MODEL,
    )
    SUBSCRIBES: ClassVar[tuple[Topic, ...]] = (*DrivingNode.SUBSCRIBES, BODY_JOINTS, BODY_SCAN)

    def connect(self) -> GazeboBoard:
        """Say what the robot looks like, so that it is spawned; its joints come later."""
        speeds = self.publisher(BODY_CMD_VEL)
        angles = {joint: self.publisher(topic) for joint, topic in BODY_ANGLES.items()}

        def drive(speed: Velocity) -> None:
            message = Twist()
            message.linear.x, message.angular.z = speed.ahead, speed.turning
            speeds.publish(message)

        self._gazebo = GazeboBoard(
            self.config.geometry,
            graph.WHEEL_JOINTS,
            graph.JOINTS,
            drive=drive,
            turn=lambda joint, angle: angles[joint].publish(Float64(data=angle)),
        )
        # What was driving when this program was started anew.
        self._gazebo.stop()
        self._hear(BODY_JOINTS, self._take_joints)
        self._hear(BODY_SCAN, self._take_scan)
        self.publisher(MODEL).publish(String(data=to_sdf(body_of(self.config))))
        return self._gazebo

    def begin(self) -> None:
        """Follow the joints; a world that was reset before is as good as a new one."""
        self._gazebo.rearm()
        super().begin()

    @property
    def hardware(self) -> str:
        """Gazebo's model."""
        return "gazebo"

    def _hear(self, topic: Topic, callback: Any) -> None:
        """Listen while inactive too: without joints it does not become active."""

        def take(message: Any) -> None:
            try:
                callback(message)
            except ReflexarcError as error:
                self.log_once(str(error))

        made = self.create_subscription(topic.type, topic.name, take, topic.quality.profile)
        self._subscriptions_made.append(made)

    def _take_joints(self, message: JointState) -> None:
        self._gazebo.take(
            Joints(
                _nanoseconds(message.header.stamp),
                dict(zip(message.name, message.position)),  # noqa: B905
                dict(zip(message.name, message.velocity)),  # noqa: B905
            )
        )

    def _take_scan(self, message: LaserScan) -> None:
        self._gazebo.scan(_nanoseconds(message.header.stamp), message.ranges, message.range_min)


def body_of(config: RobotConfig) -> Description:
    """The robot's body with the measures of its robot.yaml.

    Raises:
        DescriptionError: no rover can have them.
    """
    # One word for one measure, there and here.
    measures = config.geometry.model_dump()
    return rover(Measures(**measures, camera_hfov_deg=config.camera.horizontal_fov_deg))


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def main() -> None:
    """The program gazebo_base_node."""
    run(GazeboBaseNode)


if __name__ == "__main__":
    main()
