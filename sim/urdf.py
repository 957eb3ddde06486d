"""The description as URDF, for robot_state_publisher, RViz and whatever else reads it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from reflexarc.sim.description import Description
from reflexarc.sim.links import Joint, Link
from reflexarc.sim.shapes import Box, Cylinder, Pose, Shape
from reflexarc.sim.xml import add, moments, numbers, text_of


def to_urdf(robot: Description) -> str:
    """A whole URDF file.

    The root has no inertia, as KDL wants it. Sensors are frames only: URDF has no word for
    them. What URDF cannot say of a motor (the rotor's inertia) is left out.
    """
    root = Element("robot", {"name": robot.name})
    for link in robot.links:
        _link(root, link)
    for joint in robot.joints:
        _joint(root, joint)
    return text_of(root, "made by: reflexarc describe, as URDF")


def _link(root: Element, link: Link) -> None:
    element = add(root, "link", name=link.name)
    inertia = link.inertia
    if inertia is not None:
        inertial = add(element, "inertial")
        _origin(inertial, Pose(inertia.center))
        add(inertial, "mass", value=inertia.mass_kg)
        add(inertial, "inertia", **moments(inertia))
    for piece in link.pieces:
        if piece.color is not None:
            visual = add(element, "visual", name=piece.name)
            _origin(visual, piece.pose)
            _geometry(visual, piece.shape)
            # A material is global: it needs a name of its own.
            material = add(visual, "material", name=piece.name)
            add(material, "color", rgba=numbers(piece.color))
        if piece.collides:
            collision = add(element, "collision", name=f"{piece.name}_collision")
            _origin(collision, piece.pose)
            _geometry(collision, piece.shape)


def _joint(root: Element, joint: Joint) -> None:
    element = add(root, "joint", name=joint.name, type=joint.kind)
    _origin(element, joint.pose)
    add(element, "parent", link=joint.parent)
    add(element, "child", link=joint.child)
    if joint.kind == "fixed":
        return
    add(element, "axis", xyz=numbers(joint.axis))
    bounds = {"lower": joint.lower, "upper": joint.upper} if joint.kind == "revolute" else {}
    add(element, "limit", **bounds, effort=joint.effort_nm, velocity=joint.velocity)
    add(element, "dynamics", damping=joint.damping, friction=joint.friction_nm)


def _origin(parent: Element, pose: Pose) -> None:
    add(parent, "origin", xyz=numbers(pose.xyz), rpy=numbers(pose.rpy))


def _geometry(parent: Element, shape: Shape) -> None:
    geometry = add(parent, "geometry")
    if isinstance(shape, Box):
        add(geometry, "box", size=numbers(shape.size))
    elif isinstance(shape, Cylinder):
        add(geometry, "cylinder", radius=shape.radius, length=shape.length)
    else:
        add(geometry, "sphere", radius=shape.radius)
