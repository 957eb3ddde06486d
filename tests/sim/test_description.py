"""One description, three formats: what each says, and that they say the same."""

from __future__ import annotations

import math
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reflexarc.sim.description import Description, DescriptionError, Measures, rover
from reflexarc.sim.mjcf import to_mjcf
from reflexarc.sim.sdf import to_sdf, topics
from reflexarc.sim.shapes import (
    Box,
    Cylinder,
    Piece,
    Pose,
    Sphere,
    Vector,
    inertia_of,
    quaternion,
    rotation,
)
from reflexarc.sim.urdf import to_urdf

MEASURES = [
    Measures(),
    Measures(wheel_diameter_m=0.12, wheel_separation_m=0.3, camera_hfov_deg=90, camera_width=640),
    Measures(wheel_diameter_m=0.04, wheel_separation_m=0.1),
]
by_measures = pytest.mark.parametrize(
    "robot", [*map(rover, MEASURES)], ids=["usual", "big", "small"]
)

angles = st.floats(-3, 3)
vectors = st.tuples(angles, angles, angles)


def transform(pose: Pose) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation
    matrix[:3, 3] = pose.xyz
    return matrix


def place_of(robot: Description, link: str) -> np.ndarray:
    """4 x 4: the link's frame in the root's, all joints at 0."""
    joint = robot.joint_of(link)
    if joint is None:
        return np.eye(4)
    return place_of(robot, joint.parent) @ transform(joint.pose)


# ---- shapes


def test_moments_of_primitive_solids() -> None:
    """Against the textbook's integrals, by summing up small cubes."""
    grid = (np.arange(80) + 0.5) / 80 * 2 - 1
    x, y, z = np.meshgrid(grid, grid, grid, indexing="ij")
    solids = [
        (Box((0.2, 0.1, 0.06)), 0.1 * x, 0.05 * y, 0.03 * z, np.ones_like(x, bool)),
        (Cylinder(0.05, 0.2), 0.05 * x, 0.05 * y, 0.1 * z, x**2 + y**2 <= 1),
        (Sphere(0.05), 0.05 * x, 0.05 * y, 0.05 * z, x**2 + y**2 + z**2 <= 1),
    ]
    for shape, px, py, pz, inside in solids:
        a, b, c = (np.mean(p[inside] ** 2) for p in (px, py, pz))
        assert shape.moments == pytest.approx((b + c, a + c, a + b), rel=0.01)


def test_a_box_cut_in_two_has_the_same_inertia() -> None:
    whole = inertia_of([Piece("a", Box((0.2, 0.1, 0.06)), mass_kg=2.0)])
    halves = inertia_of(
        [
            Piece("a", Box((0.1, 0.1, 0.06)), Pose((0.05, 0, 0)), 1.0),
            Piece("b", Box((0.1, 0.1, 0.06)), Pose((-0.05, 0, 0)), 1.0),
        ]
    )
    assert whole is not None and halves is not None
    assert halves.matrix == pytest.approx(whole.matrix)
    assert halves.center == pytest.approx((0, 0, 0))


def test_a_turned_solid_swaps_its_moments() -> None:
    lying = inertia_of([Piece("a", Cylinder(0.1, 0.02), Pose(rpy=(math.pi / 2, 0, 0)), 1.0)])
    assert lying is not None
    assert np.diag(lying.matrix).argmax() == 1


@given(vectors)
@settings(max_examples=50)
def test_quaternion_and_matrix_are_the_same_rotation(rpy: Vector) -> None:
    w, x, y, z = quaternion(rpy)
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    assert rotation(rpy) == pytest.approx(matrix, abs=1e-9)


# ---- the rover


@by_measures
def test_it_stands_on_its_wheels_and_its_caster(robot: Description) -> None:
    radius = robot.measures.wheel_radius_m
    for side, y in (("left", 1), ("right", -1)):
        place = place_of(robot, f"{side}_wheel")[:3, 3]
        assert place == pytest.approx((0, y * robot.measures.wheel_separation_m / 2, radius))
    caster = robot.link("caster").pieces[0].shape
    assert isinstance(caster, Sphere)
    assert place_of(robot, "caster")[2, 3] == pytest.approx(caster.radius)
    for link in robot.links:
        for piece in link.pieces:
            shape = piece.shape
            low = shape.size[2] / 2 if isinstance(shape, Box) else shape.radius
            at = place_of(robot, link.name) @ transform(piece.pose)
            assert at[2, 3] - low > -1e-9, piece.name


@by_measures
def test_its_weight_is_between_axle_and_caster(robot: Description) -> None:
    total, moment = 0.0, 0.0
    for link in robot.links:
        if link.inertia is not None:
            place = place_of(robot, link.name) @ np.array([*link.inertia.center, 1])
            total += link.inertia.mass_kg
            moment += link.inertia.mass_kg * place[0]
    assert total == pytest.approx(robot.mass_kg)
    assert place_of(robot, "caster")[0, 3] < moment / total < -0.02


def test_the_usual_camera() -> None:
    robot = rover()
    place = place_of(robot, "camera_link")
    assert place[2, 3] == pytest.approx(0.12)
    assert place[:3, :3] == pytest.approx(np.eye(3))
    # REP-103: in the optical frame z looks ahead, x to the right.
    optical = place_of(robot, "camera_optical_frame")
    assert optical[:3, 2] == pytest.approx((1, 0, 0))
    assert optical[:3, 0] == pytest.approx((0, -1, 0))
    assert math.degrees(robot.camera.vfov) == pytest.approx(48.7, abs=0.1)


def test_every_link_is_a_possible_body() -> None:
    for link in rover().links:
        if link.inertia is None:
            continue
        a, b, c = np.linalg.eigvalsh(link.inertia.matrix)
        assert 0 < a <= b <= c <= a + b, link.name


def test_names_of_links_and_pieces_are_unique() -> None:
    robot = rover()
    links = [link.name for link in robot.links]
    pieces = [piece.name for link in robot.links for piece in link.pieces]
    assert len(set(links)) == len(links)
    assert len(set(pieces)) == len(pieces)
    assert {joint.child for joint in robot.joints} == set(links[1:])


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        ({"wheel_diameter_m": 65}, "wheel_diameter from 0.04 to 0.2 m; found 65 m"),
        ({"wheel_separation_m": 0.0}, "wheel_separation"),
        ({"wheel_diameter_m": math.nan}, "wheel_diameter"),
        ({"camera_hfov_deg": 180}, "field of view"),
    ],
)
def test_impossible_measures_are_refused(measures: dict[str, float], words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        Measures(**measures)  # type: ignore[arg-type]


# ---- MuJoCo


def bodies(text: str) -> dict[str, tuple[float, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each body, in its own frame: mass, centre, inertia matrix; and its place at rest."""
    mujoco = pytest.importorskip("mujoco")
    spec = mujoco.MjSpec.from_string(text)
    spec.compiler.fusestatic = False
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    found = {}
    for i in range(1, model.nbody):
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, model.body_iquat[i])
        turn = turn.reshape(3, 3)
        matrix = turn @ np.diag(model.body_inertia[i]) @ turn.T
        place = np.eye(4)
        place[:3, :3], place[:3, 3] = data.xmat[i].reshape(3, 3), data.xpos[i]
        found[model.body(i).name] = (
            float(model.body_mass[i]),
            model.body_ipos[i].copy(),
            matrix,
            place,
        )
    return found


@by_measures
def test_mujoco_reads_the_same_robot_from_urdf_and_mjcf(robot: Description) -> None:
    mujoco = pytest.importorskip("mujoco")
    ours, theirs = bodies(to_mjcf(robot, floor=False)), bodies(to_urdf(robot))
    assert ours.keys() == theirs.keys() == {link.name for link in robot.links}
    for name, (mass, center, matrix, place) in ours.items():
        other = theirs[name]
        assert mass == pytest.approx(other[0], rel=1e-6), name
        assert center == pytest.approx(other[1], abs=1e-7), name
        assert matrix == pytest.approx(other[2], abs=1e-9), name
        assert place == pytest.approx(other[3], abs=1e-7), name
        assert place == pytest.approx(place_of(robot, name), abs=1e-7), name
    mjcf = mujoco.MjModel.from_xml_string(to_mjcf(robot))
    urdf = mujoco.MjModel.from_xml_string(to_urdf(robot))
    for joint in robot.joints:
        if joint.kind == "fixed":
            continue
        one, two = mjcf.joint(joint.name), urdf.joint(joint.name)
        assert one.axis == pytest.approx(two.axis), joint.name
        assert one.range == pytest.approx(two.range), joint.name
        assert mjcf.dof_damping[one.dofadr] == pytest.approx(urdf.dof_damping[two.dofadr])
        assert mjcf.dof_frictionloss[one.dofadr] == pytest.approx(urdf.dof_frictionloss[two.dofadr])


def test_positive_angles_are_forward_left_up_and_open() -> None:
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_string(to_mjcf(rover()))
    data = mujoco.MjData(model)

    def direction(joint: str, body: str, axis: int) -> np.ndarray:
        mujoco.mj_resetData(model, data)
        data.joint(joint).qpos[0] = 0.3
        mujoco.mj_kinematics(model, data)
        turned: np.ndarray = data.body(body).xmat.reshape(3, 3)[:, axis]
        return turned

    assert direction("left_wheel_joint", "left_wheel", 2)[0] > 0  # its top goes forward
    assert direction("pan_joint", "camera_link", 0)[1] > 0
    assert direction("tilt_joint", "camera_link", 0)[2] > 0
    assert direction("gripper_joint", "gripper_link", 0)[1] > 0  # away from the middle


def test_the_mjcf_camera_is_the_descriptions() -> None:
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_string(to_mjcf(rover()))
    data = mujoco.MjData(model)
    mujoco.mj_camlight(model, data)
    mujoco.mj_forward(model, data)
    camera = data.camera("robot")
    assert -camera.xmat.reshape(3, 3)[:, 2] == pytest.approx((1, 0, 0), abs=1e-9)
    assert camera.xmat.reshape(3, 3)[:, 1] == pytest.approx((0, 0, 1), abs=1e-9)
    assert model.camera("robot").fovy[0] == pytest.approx(math.degrees(rover().camera.vfov))


# ---- SDF


def poses(model: Element) -> dict[str, np.ndarray]:
    """Of each link, frame and joint in the model's frame, by SDF's rules."""
    joints = {joint.get("name"): joint for joint in model.findall("joint")}
    elements = {e.get("name"): e for tag in ("link", "frame", "joint") for e in model.findall(tag)}

    def resolve(name: str) -> np.ndarray:
        element = elements[name]
        pose = element.find("pose")
        values = [0.0] * 6 if pose is None or not pose.text else [*map(float, pose.text.split())]
        own = transform(Pose((*values[:3],), (*values[3:],)))  # type: ignore[arg-type]
        base = None if pose is None else pose.get("relative_to")
        if base is None and name in joints:
            base = element.findtext("child")
        if base is None and element.tag == "frame":
            base = element.get("attached_to")
        return own if base is None else resolve(base) @ own

    return {str(name): resolve(str(name)) for name in elements}


@by_measures
def test_the_sdf_is_the_same_robot(robot: Description) -> None:
    model = ElementTree.fromstring(to_sdf(robot)).find("model")
    urdf = ElementTree.fromstring(to_urdf(robot))
    assert model is not None
    places = poses(model)
    for link in robot.links:
        assert places[link.name] == pytest.approx(place_of(robot, link.name), abs=1e-8), link.name
    masses = {
        link.get("name"): (float(link.findtext("inertial/mass") or 0), link)
        for link in model.findall("link")
    }
    for element in urdf.findall("link"):
        mass = element.find("inertial/mass")
        if mass is None:
            assert element.get("name") not in masses
            continue
        theirs, link = masses[element.get("name")]
        assert theirs == float(mass.get("value", 0))
        inertia = element.find("inertial/inertia")
        assert inertia is not None
        for name, value in inertia.attrib.items():
            assert link.findtext(f"inertial/inertia/{name}") == value
    assert sum(mass for mass, _ in masses.values()) == pytest.approx(robot.mass_kg)
    for joint in urdf.findall("joint"):
        other = model.find(f"joint[@name='{joint.get('name')}']")
        axis = joint.find("axis")
        if axis is None or other is None:
            continue
        assert other.get("type") == joint.get("type")
        assert other.findtext("axis/xyz") == axis.get("xyz")


def test_gazebo_gets_its_standard_systems_and_sensors() -> None:
    robot = rover()
    model = ElementTree.fromstring(to_sdf(robot)).find("model")
    assert model is not None
    systems = [plugin.get("name", "").removeprefix("gz::sim::systems::") for plugin in model]
    assert systems.count("DiffDrive") == systems.count("JointStatePublisher") == 1
    assert systems.count("JointPositionController") == 3
    drive = model.find("plugin[@name='gz::sim::systems::DiffDrive']")
    assert drive is not None
    assert drive.findtext("wheel_separation") == "0.15"
    assert drive.findtext("wheel_radius") == "0.0325"
    assert drive.findtext("left_joint") == "left_wheel_joint"
    sensors = {sensor.get("name"): sensor.get("type") for sensor in model.iter("sensor")}
    assert sensors == {"camera": "camera", "range": "gpu_lidar", "imu": "imu"}
    said = {element.text for element in model.iter() if "topic" in element.tag}
    assert said == set(topics(robot).values()) - {topics(robot)["camera_info"]}


@by_measures
def test_libsdformat_finds_nothing_wrong(robot: Description, tmp_path: Path) -> None:
    ign = shutil.which("ign") or shutil.which("gz")
    if ign is None:
        pytest.skip("no ign or gz (apt-get install ignition-tools libsdformat-dev)")
    path = tmp_path / "rover.sdf"
    path.write_text(to_sdf(robot))
    checked = subprocess.run(
        [ign, "sdf", "--check", str(path)], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0
    assert "Valid." in checked.stdout
    complaints = [line for line in checked.stderr.splitlines() if "backward" not in line]
    assert complaints == []


def test_libsdformat_reads_the_urdf_with_the_same_mass(tmp_path: Path) -> None:
    ign = shutil.which("ign") or shutil.which("gz")
    if ign is None:
        pytest.skip("no ign or gz (apt-get install ignition-tools libsdformat-dev)")
    path = tmp_path / "rover.urdf"
    path.write_text(to_urdf(rover()))
    printed = subprocess.run(
        [ign, "sdf", "-p", str(path)], capture_output=True, text=True, timeout=60
    )
    masses = [float(mass.text or 0) for mass in ElementTree.fromstring(printed.stdout).iter("mass")]
    assert sum(masses) == pytest.approx(rover().mass_kg, rel=1e-6)
