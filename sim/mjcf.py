"""The description as MJCF, MuJoCo's own format; it opens in MuJoCo's viewer as it is.

Groups of geoms: 0 and 1 are the world's, 2 is what one sees of the robot, 3 what touches.
The robot's parts do not collide with one another.
"""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from reflexarc.sim.description import Description
from reflexarc.sim.links import Joint, Link
from reflexarc.sim.shapes import Box, Cylinder, Piece, Shape, quaternion
from reflexarc.sim.xml import add, moments, number, numbers, text_of

TIMESTEP_S = 0.002
VISUAL_GROUP = 2
COLLISION_GROUP = 3
RANGE_SITE = "range"
CAMERA = "robot"
FLOOR = "floor"
LAMP = "lamp"
"""Material of the piece that shines."""


def to_mjcf(robot: Description, *, floor: bool = True, timestep_s: float = TIMESTEP_S) -> str:
    """A whole MJCF file.

    Actuators: `left_motor` and `right_motor` take the voltage at the motor's terminals,
    `pan`, `tilt` and `gripper` an angle in radians.

    Args:
        robot: what to translate.
        floor: with a floor and a light, so that it stands by itself.
        timestep_s: of the physics.
    """
    root = Element("mujoco", {"model": robot.name})
    add(root, "compiler", angle="radian", autolimits="true", inertiafromgeom="false")
    # implicitfast: the motors' back-EMF is stiff. An elliptic cone and a high impratio keep
    # wheels from creeping sideways.
    add(root, "option", timestep=timestep_s, integrator="implicitfast", cone="elliptic",
        impratio=20.0)  # fmt: skip
    _defaults(root)
    assets = add(root, "asset")
    lamp = next(p for link in robot.links for p in link.pieces if p.name == robot.lamp)
    add(assets, "material", name=LAMP, rgba=numbers(lamp.color or (0, 0, 0, 0)))
    if floor:
        _floor_assets(root, assets)
    world = add(root, "worldbody")
    if floor:
        add(world, "light", name="sun", type="directional", pos="0 0 4", dir="0.3 0.2 -1",
            castshadow="false",
            diffuse="0.6 0.6 0.6", specular="0.1 0.1 0.1")  # fmt: skip
        add(world, "geom", name=FLOOR, type="plane", size="10 10 0.1", material=FLOOR)
    _body(world, robot, robot.links[0])
    _actuators(root, robot)
    return text_of(root, "made by: reflexarc describe, as MJCF")


def _defaults(root: Element) -> None:
    default = add(root, "default")
    # Hard friction: with MuJoCo's usual softness a limp servo creeps and a held wheel turns.
    add(default, "joint", solreffriction="0.004 1", solimpfriction="0.999 0.9999 0.001")
    visual = add(default, "default", class_="visual")
    add(visual, "geom", group=VISUAL_GROUP, contype=0, conaffinity=0)
    touch = add(default, "default", class_="touch")
    # conaffinity 0: touches the world, not the robot's other parts. priority 1: the robot's
    # friction counts, whatever it touches.
    add(touch, "geom", group=COLLISION_GROUP, contype=1, conaffinity=0, condim=3, priority=1,
        solref="0.006 1", solimp="0.95 0.99 0.0005", rgba="0.9 0.3 0.3 0.3")  # fmt: skip


def _floor_assets(root: Element, assets: Element) -> None:
    # In units of the extent, so these are metres; near enough not to cut off the bumper.
    add(root, "statistic", extent=1.0, center="0 0 0.1")
    visual = add(root, "visual")
    add(visual, "map", znear=0.01, zfar=30.0)
    add(visual, "headlight", ambient="0.35 0.35 0.35", diffuse="0.35 0.35 0.35",
        specular="0 0 0")  # fmt: skip
    add(assets, "texture", name=FLOOR, type="2d", builtin="checker", width=256, height=256,
        rgb1="0.42 0.43 0.45", rgb2="0.38 0.39 0.41")  # fmt: skip
    add(assets, "material", name=FLOOR, texture=FLOOR, texrepeat="2 2", texuniform="true")


def _body(parent: Element, robot: Description, link: Link) -> None:
    joint = robot.joint_of(link.name)
    body = add(parent, "body", name=link.name)
    if joint is None:
        add(body, "freejoint", name="root")
    else:
        body.set("pos", numbers(joint.pose.xyz))
        body.set("quat", numbers(quaternion(joint.pose.rpy)))
        _joint(body, joint)
    _inertial(body, link)
    for piece in link.pieces:
        _geoms(body, piece, is_lamp=piece.name == robot.lamp)
    if link.name == robot.camera.link:
        # MuJoCo's cameras look along -z, with y up.
        add(body, "camera", name=CAMERA, xyaxes="0 -1 0 0 0 1",
            fovy=math.degrees(robot.camera.vfov))  # fmt: skip
    if link.name == robot.range.link:
        add(body, "site", name=RANGE_SITE, size="0.002", group=4)
    for child in robot.children(link.name):
        _body(body, robot, robot.link(child.child))


def _joint(body: Element, joint: Joint) -> None:
    if joint.kind == "fixed":
        return
    element = add(body, "joint", name=joint.name, type="hinge", axis=numbers(joint.axis),
                  damping=joint.damping, armature=joint.armature,
                  frictionloss=joint.friction_nm)  # fmt: skip
    if joint.kind == "revolute":
        element.set("range", numbers((joint.lower, joint.upper)))


def _inertial(body: Element, link: Link) -> None:
    inertia = link.inertia
    if inertia is None:
        return
    m = moments(inertia)
    full = (m[name] for name in ("ixx", "iyy", "izz", "ixy", "ixz", "iyz"))
    add(body, "inertial", pos=numbers(inertia.center), mass=inertia.mass_kg,
        fullinertia=numbers(full))  # fmt: skip


def _geoms(body: Element, piece: Piece, *, is_lamp: bool) -> None:
    shape = {"pos": numbers(piece.pose.xyz), "quat": numbers(quaternion(piece.pose.rpy))}
    shape |= _shape(piece.shape)
    if piece.color is not None:
        look = {"material": LAMP} if is_lamp else {"rgba": numbers(piece.color)}
        add(body, "geom", name=piece.name, class_="visual", **look, **shape)
    if piece.collides:
        # A single friction coefficient; condim 3 has neither torsion nor rolling.
        add(body, "geom", name=f"{piece.name}_collision", class_="touch",
            friction=f"{number(piece.friction)} 0.005 0.0001", **shape)  # fmt: skip


def _shape(shape: Shape) -> dict[str, str]:
    if isinstance(shape, Box):
        return {"type": "box", "size": numbers(edge / 2 for edge in shape.size)}
    if isinstance(shape, Cylinder):
        return {"type": "cylinder", "size": numbers((shape.radius, shape.length / 2))}
    return {"type": "sphere", "size": number(shape.radius)}


def _actuators(root: Element, robot: Description) -> None:
    actuators = add(root, "actuator")
    motor = robot.motor
    for side, name in zip(("left", "right"), robot.wheels, strict=True):
        # torque = K/R V - K^2/R w: the second term is the back-EMF.
        add(actuators, "general", name=f"{side}_motor", joint=name, gaintype="fixed",
            gainprm=number(motor.torque_per_volt), biastype="affine",
            biasprm=numbers((0.0, 0.0, -motor.braking)))  # fmt: skip
    for name in robot.servos:
        joint = robot.joint(name)
        add(actuators, "position", name=name.removesuffix("_joint"), joint=name,
            kp=robot.servo_stiffness, kv=robot.servo_damping,
            ctrlrange=numbers((joint.lower, joint.upper)),
            forcerange=numbers((-joint.effort_nm, joint.effort_nm)))  # fmt: skip
