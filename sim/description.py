"""The rover's one description. URDF, MJCF and SDF are translations of it.

Frames as in REP-103 (x forward, y left, z up) and REP-105: `base_footprint` is on the ground
below the middle of the axle, `base_link` in the middle of the axle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reflexarc.core import ReflexarcError
from reflexarc.sim.links import CameraSensor, Joint, Link, RangeSensor
from reflexarc.sim.motor import Motor
from reflexarc.sim.shapes import Box, Color, Cylinder, Piece, Pose, Sphere, Vector


class DescriptionError(ReflexarcError):
    """Measures that no rover can have."""


@dataclass(frozen=True)
class Measures:
    """What differs between rovers; the defaults are those of robot.yaml."""

    wheel_diameter_m: float = 0.065
    wheel_separation_m: float = 0.15
    """Between the middles of the two treads."""
    counts_per_revolution: int = 1440
    camera_hfov_deg: float = 62.2
    """Horizontal field of view; 62.2 is the Raspberry Pi camera 2's."""
    camera_width: int = 320
    camera_height: int = 240

    def __post_init__(self) -> None:
        """Check them.

        Raises:
            DescriptionError: one that no rover can have.
        """
        for name, value, low, high, unit in (
            ("wheel_diameter", self.wheel_diameter_m, 0.04, 0.2, " m"),
            ("wheel_separation", self.wheel_separation_m, 0.1, 0.6, " m"),
            ("counts_per_revolution", self.counts_per_revolution, 4, 100_000, ""),
            ("camera field of view", self.camera_hfov_deg, 10.0, 170.0, " degrees"),
            ("camera width", self.camera_width, 16, 4096, " pixels"),
            ("camera height", self.camera_height, 16, 4096, " pixels"),
        ):
            if not low <= value <= high:
                raise DescriptionError(
                    expected=f"a {name} from {low:g} to {high:g}{unit}",
                    found=f"{value:g}{unit}",
                    remedy="correct the robot's geometry: metres, not millimetres",
                )

    @property
    def wheel_radius_m(self) -> float:
        """Half of the diameter."""
        return self.wheel_diameter_m / 2

    @property
    def counts_per_rad(self) -> float:
        """Encoder counts per radian that a wheel turns."""
        return self.counts_per_revolution / (2 * math.pi)


@dataclass(frozen=True)
class Description:
    """A robot: a tree of links; the first is its root."""

    name: str
    measures: Measures
    motor: Motor
    links: tuple[Link, ...]
    joints: tuple[Joint, ...]
    camera: CameraSensor
    range: RangeSensor
    imu_link: str
    wheels: tuple[str, str]
    """Joints, left and right."""
    servos: tuple[str, str, str]
    """Joints that stand for pan, tilt and gripper."""
    bumper: str
    lamp: str
    """Names of pieces."""
    servo_stiffness: float = 3.0
    """How a servo holds its angle: N m/rad; the whole torque at 3.5 degrees off."""
    servo_damping: float = 0.03
    """N m s/rad."""

    def joint(self, name: str) -> Joint:
        """By its name."""
        return next(joint for joint in self.joints if joint.name == name)

    def link(self, name: str) -> Link:
        """By its name."""
        return next(link for link in self.links if link.name == name)

    def joint_of(self, link: str) -> Joint | None:
        """By which a link hangs on its parent; None for the root."""
        return next((joint for joint in self.joints if joint.child == link), None)

    def children(self, link: str) -> list[Joint]:
        """Joints by which others hang on this link."""
        return [joint for joint in self.joints if joint.parent == link]

    @property
    def mass_kg(self) -> float:
        """Of everything."""
        return sum(link.inertia.mass_kg for link in self.links if link.inertia)


_DARK: Color = (0.16, 0.17, 0.19, 1.0)
_RUBBER: Color = (0.07, 0.07, 0.07, 1.0)
_SHELL: Color = (0.93, 0.93, 0.9, 1.0)
_ACCENT: Color = (0.1, 0.45, 0.85, 1.0)
_METAL: Color = (0.7, 0.71, 0.73, 1.0)
_LAMP: Color = (0.25, 0.25, 0.25, 1.0)
_GLASS: Color = (0.02, 0.02, 0.05, 1.0)

_TYRE_WIDTH = 0.026
# Where a rounded tyre meets the ground: a narrow tread, so that its middle, the
# wheel_separation, is the track the odometry has to reckon with.
_TREAD_WIDTH = 0.004
_TYRE_FRICTION = 1.0
# Teflon on a hard floor.
_CASTER_FRICTION = 0.04
_ACROSS: Vector = (math.pi / 2, 0.0, 0.0)
_CAMERA_ABOVE_GROUND = 0.12

_PAN = (math.radians(-90), math.radians(90))
_TILT = (math.radians(-45), math.radians(60))
_GRIPPER = (0.0, math.radians(45))
# A small servo (SG90 class): 0.18 N m, 60 degrees in 0.1 s.
_SERVO = {"effort_nm": 0.18, "velocity": 10.0, "friction_nm": 0.01, "damping": 0.006}


def rover(measures: Measures | None = None, motor: Motor | None = None) -> Description:
    """The rover with these measures; by default those of robot.yaml.

    The chassis is as wide as the wheels leave room for and rides at the height of the
    axle; the camera is 0.12 m above the ground with wheels of 65 mm.

    Raises:
        DescriptionError: from `Measures`.
    """
    measures = measures or Measures()
    motor = motor or Motor()
    radius = measures.wheel_radius_m
    half = measures.wheel_separation_m / 2
    width = measures.wheel_separation_m - 0.05
    # Heights below are above the ground with the usual wheels.
    up = -0.0325
    caster = min(0.0125, 0.8 * radius)
    links = (
        Link("base_footprint"),
        Link("base_link", _chassis(width, up)),
        Link("left_wheel", _wheel("left", radius)),
        Link("right_wheel", _wheel("right", radius)),
        Link("caster", (Piece("caster", Sphere(caster), mass_kg=0.02, color=_METAL,
                              friction=_CASTER_FRICTION),)),
        Link("pan_link", (
            Piece("pan_horn", Cylinder(0.014, 0.008), mass_kg=0.006, color=_DARK, collides=False),
            Piece("neck", Box((0.012, 0.026, 0.022)), Pose((-0.006, 0, 0.011)), 0.012, _DARK,
                  collides=False),
        )),
        Link("tilt_link", (
            Piece("head", Box((0.022, 0.036, 0.03)), Pose((0.003, 0, 0)), 0.02, _SHELL),
        )),
        Link("camera_link", (
            Piece("lens", Cylinder(0.006, 0.006), Pose((-0.003, 0, 0), (0, math.pi / 2, 0)), 0.003,
                  _GLASS, collides=False),
        )),
        Link("camera_optical_frame"),
        Link("gripper_link", (
            Piece("finger", Box((0.034, 0.008, 0.014)), Pose((0.017, 0, 0)), 0.01, _ACCENT,
                  collides=False),
        )),
        Link("range_link", (
            Piece("range_eyes", Box((0.006, 0.045, 0.02)), Pose((-0.003, 0, 0)), 0.008, _METAL,
                  collides=False),
        )),
    )  # fmt: skip
    neck = 0.085 + up
    head = _CAMERA_ABOVE_GROUND + up - neck
    joints = (
        Joint("base_footprint_joint", "base_footprint", "base_link", Pose((0, 0, radius))),
        _wheel_joint("left", half, motor),
        _wheel_joint("right", -half, motor),
        Joint("caster_joint", "base_link", "caster", Pose((-0.088, 0, caster - radius))),
        Joint("range_joint", "base_link", "range_link", Pose((0.073, 0, 0.058 + up))),
        Joint("pan_joint", "base_link", "pan_link", Pose((0.033, 0, neck)), "revolute",
              (0, 0, 1), *_PAN, armature=2e-5, **_SERVO),
        # Positive is up, so the axis points to the right.
        Joint("tilt_joint", "pan_link", "tilt_link", Pose((0, 0, head)), "revolute",
              (0, -1, 0), *_TILT, armature=2e-5, **_SERVO),
        Joint("camera_joint", "tilt_link", "camera_link", Pose((0.017, 0, 0))),
        Joint("camera_optical_joint", "camera_link", "camera_optical_frame",
              Pose((0, 0, 0), (-math.pi / 2, 0, -math.pi / 2))),
        Joint("gripper_joint", "base_link", "gripper_link",
              Pose((0.056, width / 2 - 0.01, 0.07 + up)), "revolute", (0, 0, 1), *_GRIPPER,
              armature=2e-5, **_SERVO),
    )  # fmt: skip
    return Description(
        name="rover",
        measures=measures,
        motor=motor,
        links=links,
        joints=joints,
        camera=CameraSensor(
            "camera_link",
            "camera_optical_frame",
            measures.camera_width,
            measures.camera_height,
            math.radians(measures.camera_hfov_deg),
        ),
        range=RangeSensor("range_link"),
        imu_link="base_link",
        wheels=("left_wheel_joint", "right_wheel_joint"),
        servos=("pan_joint", "tilt_joint", "gripper_joint"),
        bumper="bumper",
        lamp="lamp",
    )


def _chassis(width: float, up: float) -> tuple[Piece, ...]:
    """The battery sits behind the axle: the caster keeps its load when the robot brakes."""
    return (
        Piece("deck", Box((0.16, width, 0.03)), Pose((-0.017, 0, 0.055 + up)), 0.16, _SHELL),
        Piece("stripe", Box((0.162, width * 0.24, 0.002)), Pose((-0.017, 0, 0.0705 + up)),
              color=_ACCENT, collides=False),
        Piece("battery", Box((0.072, min(0.06, width * 0.7), 0.028)), Pose((-0.062, 0, 0.03 + up)),
              0.34, _DARK),
        Piece("left_motor", Box((0.05, 0.024, 0.024)), Pose((-0.012, width / 2 - 0.014, 0)), 0.09,
              _METAL, collides=False),
        Piece("right_motor", Box((0.05, 0.024, 0.024)), Pose((-0.012, 0.014 - width / 2, 0)), 0.09,
              _METAL, collides=False),
        Piece("board", Box((0.07, 0.054, 0.012)), Pose((-0.057, 0, 0.077 + up)), 0.05,
              (0.0, 0.35, 0.3, 1.0), collides=False),
        Piece("mast", Cylinder(0.011, 0.014), Pose((0.033, 0, 0.0775 + up)), 0.02, _DARK),
        Piece("lamp", Cylinder(0.01, 0.01), Pose((-0.006, 0, 0.075 + up)), 0.002, _LAMP,
              collides=False),
        Piece("bumper", Box((0.014, width + 0.03, 0.02)), Pose((0.08, 0, 0.038 + up)), 0.025,
              _DARK),
    )  # fmt: skip


def _wheel(side: str, radius: float) -> tuple[Piece, ...]:
    return (
        Piece(f"{side}_tyre", Cylinder(radius, _TYRE_WIDTH), Pose(rpy=_ACROSS), 0.026, _RUBBER,
              collides=False),
        Piece(f"{side}_hub", Cylinder(0.6 * radius, _TYRE_WIDTH + 0.002), Pose(rpy=_ACROSS),
              0.009, _METAL, collides=False),
        # So that one sees it turn.
        Piece(f"{side}_spoke", Box((1.1 * radius, _TYRE_WIDTH + 0.003, 0.006)), color=_ACCENT,
              collides=False),
        Piece(f"{side}_tread", Cylinder(radius, _TREAD_WIDTH), Pose(rpy=_ACROSS),
              friction=_TYRE_FRICTION),
    )  # fmt: skip


def _wheel_joint(side: str, y: float, motor: Motor) -> Joint:
    return Joint(
        f"{side}_wheel_joint",
        "base_link",
        f"{side}_wheel",
        Pose((0, y, 0)),
        "continuous",
        (0, 1, 0),
        effort_nm=motor.stall_torque_nm,
        velocity=motor.no_load_speed,
        friction_nm=motor.friction_nm,
        armature=motor.armature,
    )
