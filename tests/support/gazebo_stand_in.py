"""Gazebo's side of the bridge, played for tests: what gz sim, create and parameter_bridge do.

The body is MuJoCo's, of the same description, in the world of a Gazebo world file (its boxes
and cylinders). The wheels are held at DiffDrive's speed, the head and the gripper at their
angles. It waits for the robot's SDF, as ros_gz_sim's create does, and takes the measures of
DiffDrive from there.

Run as a program. `stand_in` (std_msgs/String) tells it: pause, resume, reset.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState, LaserScan
from std_msgs.msg import String

from reflexarc.robot.nodes import gazebo_base, graph
from reflexarc.sim.description import rover
from reflexarc.sim.plant import Nothing, scene
from reflexarc.sim.shapes import quaternion

STEP_S = 0.002
# Enough to hold a wheel's speed whatever it rolls over, as a joint's velocity in Gazebo.
_HOLD = 0.6
_RAYS = 5
_REACH_M = (0.02, 3.0)
_SENSOR_GROUPS = [1, 1, 0, 0, 0, 0]


def add_world(spec: Any, path: Path) -> None:
    """The boxes and cylinders of a world's static models; its floor is there already."""
    world = ElementTree.parse(path).getroot().find("world")
    assert world is not None
    for model in world.findall("model"):
        at, turned = _pose(model)
        body = spec.worldbody.add_body(name=str(model.get("name")), pos=at, quat=quaternion(turned))
        for part in model.iter("visual"):
            geometry = part.find("geometry")
            assert geometry is not None
            kind = geometry[0].tag
            if kind == "plane":
                continue
            at, turned = _pose(part)
            geom = body.add_geom(pos=at, quat=quaternion(turned))
            geom.rgba = _numbers(part.findtext("material/diffuse"))
            if kind == "box":
                geom.type = mujoco.mjtGeom.mjGEOM_BOX
                geom.size = [edge / 2 for edge in _numbers(geometry.findtext("box/size"))]
            else:
                assert kind == "cylinder", kind
                geom.type = mujoco.mjtGeom.mjGEOM_CYLINDER
                radius = float(geometry.findtext("cylinder/radius") or 0)
                geom.size = [radius, float(geometry.findtext("cylinder/length") or 0) / 2, 0]


def _pose(element: Any) -> tuple[list[float], tuple[float, float, float]]:
    values = _numbers(element.findtext("pose") or "0 0 0 0 0 0")
    return values[:3], (values[3], values[4], values[5])


def _numbers(text: str | None) -> list[float]:
    return [float(word) for word in (text or "").split()]


class DiffDrive:
    """Gazebo's, as its plugin element sets it up: a speed, limited in how fast it changes."""

    def __init__(self, model: str) -> None:
        root = ElementTree.fromstring(model)
        found = root.find(".//plugin[@name='gz::sim::systems::DiffDrive']")
        assert found is not None
        self._radius = float(found.findtext("wheel_radius") or 0)
        self._half = float(found.findtext("wheel_separation") or 0) / 2
        self._most = float(found.findtext("max_linear_velocity") or 0)
        self._step = float(found.findtext("max_linear_acceleration") or 0) * STEP_S
        self.target = (0.0, 0.0)
        self._ahead = 0.0

    def wheels(self) -> tuple[float, float]:
        """rad/s of the left and the right one in this step."""
        ahead, turning = self.target
        change = min(max(ahead, -self._most), self._most) - self._ahead
        self._ahead += min(max(change, -self._step), self._step)
        across = turning * self._half
        return (self._ahead - across) / self._radius, (self._ahead + across) / self._radius


class StandIn:
    """A world with one robot in it, on the ROS side's topics."""

    def __init__(self, world: Path, joint_hz: float) -> None:
        self.node = rclpy.create_node("gazebo_stand_in")
        self._world = world
        self._every = max(1, round(1 / joint_hz / STEP_S))
        self._drive: DiffDrive | None = None
        self._paused = False
        self._steps = 0
        publisher = self.node.create_publisher
        self._clock = publisher(Clock, "/clock", 10)
        self._joints = publisher(JointState, gazebo_base.BODY_JOINTS.name, 10)
        self._scans = publisher(LaserScan, gazebo_base.BODY_SCAN.name, 10)
        self._truth = publisher(Odometry, graph.GROUND_TRUTH.name, 10)
        listen = self.node.create_subscription
        listen(String, gazebo_base.MODEL.name, self._spawn, gazebo_base.MODEL.quality.profile)
        listen(Twist, gazebo_base.BODY_CMD_VEL.name, self._command, 10)
        for joint, topic in gazebo_base.BODY_ANGLES.items():
            listen(topic.type, topic.name, lambda message, joint=joint: self._turn(joint, message),
                   10)  # fmt: skip
        listen(String, "stand_in", self._told, 10)

    # ---- what comes in

    def _spawn(self, message: String) -> None:
        if self._drive is not None:
            return  # as create: a name that is taken
        self._drive = DiffDrive(message.data)
        spec = scene(rover(), Nothing())
        add_world(spec, self._world)
        self.model = spec.compile()
        for side in ("left", "right"):
            motor = self.model.actuator(f"{side}_motor").id
            self.model.actuator_gainprm[motor, 0] = _HOLD
            self.model.actuator_biasprm[motor, :3] = (0.0, 0.0, -_HOLD)
        self.data = mujoco.MjData(self.model)
        self._start_s = time.monotonic()
        print("spawned", flush=True)

    def _command(self, message: Twist) -> None:
        if self._drive is not None:
            self._drive.target = (message.linear.x, message.angular.z)

    def _turn(self, joint: str, message: Any) -> None:
        if self._drive is not None:
            self.data.actuator(joint.removesuffix("_joint")).ctrl = message.data

    def _told(self, message: String) -> None:
        if message.data == "reset":
            mujoco.mj_resetData(self.model, self.data)
            assert self._drive is not None
            self._drive.target, self._steps = (0.0, 0.0), 0
        self._paused = message.data == "pause"
        self._start_s = time.monotonic() - self._steps * STEP_S

    # ---- what goes out

    def run(self) -> None:
        """In real time, until the program is ended."""
        while True:
            behind = 0.0
            if self._drive is not None and not self._paused:
                behind = time.monotonic() - self._start_s - self._steps * STEP_S
                if behind > 0.1:  # the machine was busy: Gazebo's time is late, too
                    self._start_s += behind
                if behind >= STEP_S:
                    self._step()
            # A late simulation takes what came in, and does not wait for more.
            wait_s = 0.0 if behind >= 2 * STEP_S else STEP_S / 2
            rclpy.spin_once(self.node, timeout_sec=wait_s)

    def _step(self) -> None:
        assert self._drive is not None
        left, right = self._drive.wheels()
        self.data.actuator("left_motor").ctrl = left
        self.data.actuator("right_motor").ctrl = right
        mujoco.mj_step(self.model, self.data)
        self._steps += 1
        stamp = Clock().clock
        nanoseconds = round(self._steps * STEP_S * 1e9)
        stamp.sec, stamp.nanosec = divmod(nanoseconds, 1_000_000_000)
        if self._steps % 5 == 0:
            self._clock.publish(Clock(clock=stamp))
        if self._steps % self._every == 0:
            self._publish_joints(stamp)
        if self._steps % 25 == 0:
            self._publish_scan(stamp)
            self._publish_truth(stamp)

    def _publish_joints(self, stamp: Any) -> None:
        names = [*graph.WHEEL_JOINTS, *graph.JOINTS.values()]
        message = JointState(name=names)
        message.header.stamp = stamp
        message.position = [float(self.data.joint(name).qpos[0]) for name in names]
        message.velocity = [float(self.data.joint(name).qvel[0]) for name in names]
        self._joints.publish(message)

    def _publish_scan(self, stamp: Any) -> None:
        sensor = rover().range
        message = LaserScan(range_min=_REACH_M[0], range_max=_REACH_M[1])
        message.header.stamp = stamp
        site = self.data.site("range")
        found = []
        for number in range(_RAYS):
            angle = sensor.fan * (number / (_RAYS - 1) - 0.5)
            ray = site.xmat.reshape(3, 3) @ [math.cos(angle), math.sin(angle), 0.0]
            hit = mujoco.mj_ray(self.model, self.data, site.xpos, ray, _SENSOR_GROUPS, 1, -1, None)
            found.append(hit if 0 <= hit < _REACH_M[1] else math.inf)
        message.ranges = [-math.inf if hit < _REACH_M[0] else hit for hit in found]
        self._scans.publish(message)

    def _publish_truth(self, stamp: Any) -> None:
        message = Odometry()
        message.header.stamp = stamp
        body = self.data.body("base_footprint")
        message.pose.pose.position.x, message.pose.pose.position.y = map(float, body.xpos[:2])
        w, _, _, z = map(float, body.xquat)
        message.pose.pose.orientation.w, message.pose.pose.orientation.z = w, z
        self._truth.publish(message)


def main() -> None:
    """Arguments: the world's file, and how often a second joints are published."""
    rclpy.init()
    StandIn(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 100.0).run()


if __name__ == "__main__":
    main()
