"""Every topic, service and action of the graph, once, as data.

Nodes make their publishers and subscriptions of these entries, and docs/architecture.md is
written from them. Names are relative: a namespace moves a whole robot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from reflexarc_interfaces.action import RunPlan
from reflexarc_interfaces.msg import Event, Observation, RobotState
from reflexarc_interfaces.srv import Arm, EStop, MakePlan
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import (
    BatteryState,
    CameraInfo,
    CompressedImage,
    Image,
    JointState,
    Range,
)
from std_msgs.msg import ColorRGBA, Empty, String

from reflexarc.robot.nodes import qos
from reflexarc.robot.nodes.qos import Quality

CAMERA_FRAME = "camera_optical_frame"
ODOM_FRAME = "odom"
BASE_FRAME = "base_footprint"
RANGE_FRAME = "range_link"
JOINTS = {"pan": "pan_joint", "tilt": "tilt_joint", "gripper": "gripper_joint"}
WHEEL_JOINTS = ("left_wheel_joint", "right_wheel_joint")


@dataclass(frozen=True)
class Topic:
    """A topic: its name, the class of its messages, how they travel, how often, what for."""

    name: str
    type: Any
    quality: Quality
    rate: str
    what: str


@dataclass(frozen=True)
class Call:
    """A service or an action."""

    name: str
    type: Any
    what: str


OBSERVATIONS = Topic(
    "observations",
    Observation,
    qos.EVERY,
    "the camera's, per task",
    "what a task says of a frame",
)
EYES = Topic("perception/life", Empty, qos.LIFE, "never", "held while perception lives")
NEEDED_TASKS = Topic(
    "needed_tasks", String, qos.HELD, "on change", "tasks that rules or skills look with: a,b,c"
)
IMAGE = Topic("camera/image_raw", Image, qos.SENSOR, "the camera's, if wanted", "rgb8")
COMPRESSED = Topic(
    "camera/image_raw/compressed", CompressedImage, qos.SENSOR, "the camera's, if wanted", "JPEG"
)
CAMERA_INFO = Topic(
    "camera/camera_info", CameraInfo, qos.SENSOR, "the camera's, if wanted", "pinhole, from the fov"
)
ANNOTATED = Topic(
    "perception/annotated/compressed",
    CompressedImage,
    qos.SENSOR,
    "the camera's, if wanted",
    "JPEG with what was found drawn in",
)
EVENTS = Topic("events", Event, qos.EVERY, "on change", "what fired, started, ended, was said")
ORDERS = Topic("orders", String, qos.WISH, "on change", "sentences for the robot")
REPLIES = Topic("replies", String, qos.EVERY, "on change", "what it answers")
BRAIN_CMD_VEL = Topic(
    "brain/cmd_vel", TwistStamped, qos.SPEED, "100 Hz while moving", "orders' and reflexes' speed"
)
CMD_VEL = Topic(
    "cmd_vel", Twist, qos.SPEED, "the sender's", "a person's speed: goes before the brain's"
)
CMD_VEL_STAMPED = Topic(
    "cmd_vel_stamped", TwistStamped, qos.SPEED, "the sender's", "the same, refused when old"
)
HALT = Topic("halt", Empty, qos.EVERY, "on change", "motors off now, no latch")
JOINT_COMMANDS = Topic(
    "joint_commands", JointState, qos.WISH, "on change", "pan, tilt, gripper; radians"
)
LIGHT = Topic("light", ColorRGBA, qos.NEWEST, "on change", "each channel on or off")
ROBOT_STATE = Topic(
    "robot_state", RobotState, qos.NEWEST, "100 Hz", "the board's state, the gate's, the link's"
)
ODOM = Topic("odom", Odometry, qos.NEWEST, "50 Hz", "by the wheels, with covariance")
JOINT_STATES = Topic("joint_states", JointState, qos.NEWEST, "50 Hz", "wheels, head, gripper")
BATTERY = Topic("battery_state", BatteryState, qos.HELD, "1 Hz", "volts")
RANGE = Topic("range", Range, qos.SENSOR, "20 Hz", "to what is ahead; inf: nothing near")
DIAGNOSTICS = Topic("/diagnostics", DiagnosticArray, qos.NEWEST, "1 Hz", "link, board, gate")
CLOCK = Topic("/clock", Clock, qos.CLOCK, "100 Hz", "simulated time")
GROUND_TRUTH = Topic("ground_truth", Odometry, qos.SENSOR, "50 Hz", "the body's true pose")

ARM = Call("arm", Arm, "release a latched stop on purpose, or disarm")
E_STOP = Call("e_stop", EStop, "motors off, latched until somebody arms")
MAKE_PLAN = Call("make_plan", MakePlan, "a sentence as a plan, not done")
RUN_PLAN = Call("run_plan", RunPlan, "a sentence or a plan, done; feedback is its events")
