"""The description as SDF 1.9, for Gazebo, with its standard systems and sensors.

Links without mass are frames here: SDF gives a link without inertia one kilogram.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from reflexarc.sim.description import Description
from reflexarc.sim.links import Joint, Link
from reflexarc.sim.shapes import Box, Cylinder, Piece, Pose, Shape
from reflexarc.sim.xml import add, moments, numbers, text_of

VERSION = "1.9"
_SYSTEM = "gz-sim-{}-system"
_WHEEL_ACCELERATION = 3.0
"""m/s^2: the hard maximum of robot.yaml's limits."""

_STATES_HZ = 100
"""As the board's. Gazebo versions that do not know it publish every physics step."""


def topics(robot: Description) -> dict[str, str]:
    """Gazebo's topics of this model, by what they carry."""
    root = f"/model/{robot.name}"
    names = ("cmd_vel", "odometry", "tf", "joint_state", "camera", "imu", "range")
    known = {name: f"{root}/{name}" for name in names}
    # Gazebo puts a camera's own beside its pictures.
    known["camera_info"] = f"{root}/camera_info"
    # A lidar's distances are on its topic, its points beside them.
    return known | {joint: f"{root}/{joint}/cmd_pos" for joint in robot.servos}


def to_sdf(robot: Description) -> str:
    """A whole SDF file with one model, to be spawned or included in a world.

    The world has to load Gazebo's systems Physics, Sensors (with a render engine), Imu,
    SceneBroadcaster and UserCommands.
    """
    root = Element("sdf", {"version": VERSION})
    add(root, "model", name=robot.name, canonical_link=_body_link(robot).name)
    model = root[0]
    for link in robot.links:
        if link.inertia is None:
            _frame(model, robot, link)
        else:
            _link(model, robot, link)
    for joint in robot.joints:
        if _is_link(robot, joint.parent) and _is_link(robot, joint.child):
            _joint(model, joint)
    _systems(model, robot)
    return text_of(root, "made by: reflexarc describe, as SDF")


def _body_link(robot: Description) -> Link:
    """The first that has mass."""
    return next(link for link in robot.links if link.inertia is not None)


def _is_link(robot: Description, name: str) -> bool:
    return robot.link(name).inertia is not None


def _frame(model: Element, robot: Description, link: Link) -> None:
    joint = robot.joint_of(link.name)
    if joint is None:
        # The root: the model's own frame, which stands on the ground.
        body = robot.joint_of(_body_link(robot).name)
        assert body is not None
        x, y, z = body.pose.xyz
        frame = add(model, "frame", name=link.name, attached_to=body.child)
        _pose(frame, Pose((-x, -y, -z)))
    else:
        _pose(add(model, "frame", name=link.name, attached_to=joint.parent), joint.pose)


def _link(model: Element, robot: Description, link: Link) -> None:
    inertia = link.inertia
    joint = robot.joint_of(link.name)
    assert inertia is not None and joint is not None
    element = add(model, "link", name=link.name)
    if _is_link(robot, joint.parent):
        _pose(element, Pose(), relative_to=joint.name)
    else:
        _pose(element, joint.pose)
    inertial = add(element, "inertial")
    _pose(inertial, Pose(inertia.center))
    add(inertial, "mass", inertia.mass_kg)
    matrix = add(inertial, "inertia")
    for name, value in moments(inertia).items():
        add(matrix, name, value)
    for piece in link.pieces:
        _piece(element, piece)
    _sensors(element, robot, link)


def _piece(link: Element, piece: Piece) -> None:
    if piece.color is not None:
        visual = add(link, "visual", name=piece.name)
        _pose(visual, piece.pose)
        _geometry(visual, piece.shape)
        material = add(visual, "material")
        add(material, "ambient", numbers(piece.color))
        add(material, "diffuse", numbers(piece.color))
    if piece.collides:
        collision = add(link, "collision", name=f"{piece.name}_collision")
        _pose(collision, piece.pose)
        _geometry(collision, piece.shape)
        ode = add(add(add(collision, "surface"), "friction"), "ode")
        add(ode, "mu", piece.friction)
        add(ode, "mu2", piece.friction)


def _joint(model: Element, joint: Joint) -> None:
    element = add(model, "joint", name=joint.name, type=joint.kind)
    _pose(element, joint.pose, relative_to=joint.parent)
    add(element, "parent", joint.parent)
    add(element, "child", joint.child)
    if joint.kind == "fixed":
        return
    axis = add(element, "axis")
    add(axis, "xyz", numbers(joint.axis))
    limit = add(axis, "limit")
    if joint.kind == "revolute":
        add(limit, "lower", joint.lower)
        add(limit, "upper", joint.upper)
    add(limit, "effort", joint.effort_nm)
    add(limit, "velocity", joint.velocity)
    dynamics = add(axis, "dynamics")
    add(dynamics, "damping", joint.damping)
    add(dynamics, "friction", joint.friction_nm)


def _pose(parent: Element, pose: Pose, **attributes: str) -> None:
    add(parent, "pose", numbers((*pose.xyz, *pose.rpy)), **attributes)


def _geometry(parent: Element, shape: Shape) -> None:
    geometry = add(parent, "geometry")
    if isinstance(shape, Box):
        add(add(geometry, "box"), "size", numbers(shape.size))
    elif isinstance(shape, Cylinder):
        cylinder = add(geometry, "cylinder")
        add(cylinder, "radius", shape.radius)
        add(cylinder, "length", shape.length)
    else:
        add(add(geometry, "sphere"), "radius", shape.radius)


def _sensors(element: Element, robot: Description, link: Link) -> None:
    names = topics(robot)
    if link.name == robot.camera.link:
        camera = robot.camera
        sensor = _sensor(element, "camera", "camera", camera.rate_hz, names["camera"])
        add(sensor, "gz_frame_id", camera.optical_link)
        lens = add(sensor, "camera", name="camera")
        add(lens, "horizontal_fov", camera.hfov)
        image = add(lens, "image")
        add(image, "width", camera.width)
        add(image, "height", camera.height)
        add(image, "format", "R8G8B8")
        clip = add(lens, "clip")
        add(clip, "near", camera.near_m)
        add(clip, "far", camera.far_m)
        add(lens, "optical_frame_id", camera.optical_link)
    if link.name == robot.range.link:
        eye = robot.range
        sensor = _sensor(element, "range", "gpu_lidar", eye.rate_hz, names["range"])
        add(sensor, "gz_frame_id", eye.link)
        lidar = add(sensor, "lidar")
        scan = add(add(lidar, "scan"), "horizontal")
        add(scan, "samples", eye.rays)
        add(scan, "min_angle", -eye.fan / 2)
        add(scan, "max_angle", eye.fan / 2)
        reach = add(lidar, "range")
        add(reach, "min", eye.nearest_m)
        add(reach, "max", eye.farthest_m)
        add(reach, "resolution", 0.001)
    if link.name == robot.imu_link:
        sensor = _sensor(element, "imu", "imu", 100.0, names["imu"])
        add(sensor, "gz_frame_id", robot.imu_link)


def _sensor(link: Element, name: str, kind: str, rate_hz: float, topic: str) -> Element:
    sensor = add(link, "sensor", name=name, type=kind)
    add(sensor, "always_on", "true")
    add(sensor, "update_rate", rate_hz)
    add(sensor, "topic", topic)
    return sensor


def _systems(model: Element, robot: Description) -> None:
    names = topics(robot)
    measures = robot.measures
    drive = _system(model, "diff-drive", "DiffDrive")
    for side, wheel in zip(("left", "right"), robot.wheels, strict=True):
        add(drive, f"{side}_joint", wheel)
    add(drive, "wheel_separation", measures.wheel_separation_m)
    add(drive, "wheel_radius", measures.wheel_radius_m)
    fastest = robot.motor.no_load_speed * measures.wheel_radius_m
    for sign, bound in ((-1, "min"), (1, "max")):
        add(drive, f"{bound}_linear_velocity", sign * fastest)
        add(drive, f"{bound}_linear_acceleration", sign * _WHEEL_ACCELERATION)
    add(drive, "topic", names["cmd_vel"])
    add(drive, "odom_topic", names["odometry"])
    add(drive, "odom_publish_frequency", 50)
    add(drive, "tf_topic", names["tf"])
    add(drive, "frame_id", "odom")
    add(drive, "child_frame_id", robot.links[0].name)
    for name in robot.servos:
        servo = _system(model, "joint-position-controller", "JointPositionController")
        joint = robot.joint(name)
        add(servo, "joint_name", name)
        add(servo, "topic", names[name])
        add(servo, "p_gain", robot.servo_stiffness)
        add(servo, "d_gain", robot.servo_damping)
        add(servo, "cmd_max", joint.effort_nm)
        add(servo, "cmd_min", -joint.effort_nm)
    states = _system(model, "joint-state-publisher", "JointStatePublisher")
    add(states, "topic", names["joint_state"])
    add(states, "update_rate", _STATES_HZ)
    for name in (*robot.wheels, *robot.servos):
        add(states, "joint_name", name)


def _system(model: Element, file: str, name: str) -> Element:
    return add(model, "plugin", filename=_SYSTEM.format(file), name=f"gz::sim::systems::{name}")
