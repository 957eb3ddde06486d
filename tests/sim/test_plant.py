"""The simulated body under the real firmware. All times are simulated, all places true."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from riding import Ride, riding

mujoco = pytest.importorskip("mujoco")

from reflexarc.firmware_bridge import Board, BoardError  # noqa: E402
from reflexarc.firmware_bridge.build import FirmwareImage  # noqa: E402
from reflexarc.firmware_bridge.emulator import EmulatedBoard, WheelModel  # noqa: E402
from reflexarc.robot.config import RobotConfig  # noqa: E402
from reflexarc.sim.battery import Battery  # noqa: E402
from reflexarc.sim.description import Measures, rover  # noqa: E402
from reflexarc.sim.mjcf import TIMESTEP_S  # noqa: E402
from reflexarc.sim.parts import Wheels  # noqa: E402
from reflexarc.sim.plant import Nothing, Plant, PlantError, scene  # noqa: E402


class Wall(Nothing):
    """Across the way, its face that far ahead of the origin."""

    def __init__(self, face_m: float) -> None:
        self.face_m = face_m

    def build(self, spec: Any) -> None:
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.1, 2, 0.2), pos=(self.face_m + 0.1, 0, 0.2)
        )


@pytest.fixture
def make_plant(firmware: FirmwareImage) -> Iterator[Callable[..., Plant]]:
    """Plants that go as fast as they can, stepped by the test."""
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> Plant:
            return Plant(stack.enter_context(EmulatedBoard(firmware, speed=0)), **options)

        yield make


def run(plant: Plant, seconds: float) -> None:
    for _ in range(round(seconds / TIMESTEP_S)):
        plant.step()


@contextlib.contextmanager
def driven(board: Board, left: int, right: int) -> Iterator[None]:
    """Repeat a set point in the background, as a host must."""
    over = threading.Event()

    def drive() -> None:
        # A link that is gone or a fault of the board is what some tests are after.
        with contextlib.suppress(BoardError):
            while not over.wait(0.01):
                board.drive(left, right)

    thread = threading.Thread(target=drive)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


# ---- motors


class Bench:
    """A wheel on blocks with a steady drive, without a chip."""

    def __init__(self, drive: float, volts: float = 7.4) -> None:
        robot = rover()
        spec = scene(robot, Nothing())
        spec.option.gravity = (0, 0, 0)
        root = spec.body("base_footprint")
        root.pos = (0, 0, 1)
        spec.delete(spec.joint("root"))
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.wheels = Wheels(self.model, self.data, robot)
        self.battery = Battery(resistance=0)
        self.battery.set_rest_v(volts)
        self.share = drive
        self.counts_per_rad = robot.measures.counts_per_rad

    def speed_after(self, seconds: float) -> float:
        """Counts/s of the left wheel."""
        for _ in range(round(seconds / TIMESTEP_S)):
            self.wheels.drive((self.share, -self.share), self.battery)
            mujoco.mj_step(self.model, self.data)
        left, right = self.wheels.speeds
        assert left == pytest.approx(-right, abs=1e-6)
        return left * self.counts_per_rad


def test_an_unloaded_wheel_is_the_emulators_wheel_model() -> None:
    model = WheelModel()
    assert Bench(1.0).speed_after(1.0) == pytest.approx(model.no_load_speed, rel=0.005)
    assert Bench(-1.0).speed_after(1.0) == pytest.approx(-model.no_load_speed, rel=0.005)
    half = (0.5 - model.friction) / (1 - model.friction) * model.no_load_speed
    assert Bench(0.5).speed_after(1.0) == pytest.approx(half, rel=0.005)


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0])
def test_it_comes_to_speed_with_the_models_time_constant(times: float) -> None:
    model = WheelModel()
    seconds = round(times * model.time_constant_s / TIMESTEP_S) * TIMESTEP_S
    expected = model.no_load_speed * (1 - math.exp(-seconds / model.time_constant_s))
    assert Bench(1.0).speed_after(seconds) == pytest.approx(expected, rel=0.03)


def test_friction_holds_a_wheel_until_the_drive_is_strong_enough() -> None:
    friction = WheelModel().friction
    assert Bench(0.8 * friction).speed_after(1.0) == pytest.approx(0, abs=1)
    assert Bench(1.5 * friction).speed_after(1.0) > 50


def test_a_higher_voltage_is_a_faster_wheel() -> None:
    assert Bench(1.0, volts=6.2).speed_after(1) < 0.86 * Bench(1.0, volts=7.4).speed_after(1)


def test_the_firmware_drives_the_wheels_on_blocks(firmware: FirmwareImage) -> None:
    with riding(firmware, on_blocks=True) as ride, Board.connect(ride.plant.board.port) as board:
        with driven(board, 2000, -1000):
            ride.wait(0.8)
            speed = board.wait_state().speed
            truth = ride.plant.wheel_speeds
        counts_per_m = RobotConfig().geometry.counts_per_m
        assert [v * counts_per_m for v in truth] == pytest.approx([2000, -1000], rel=0.03)
        assert speed == pytest.approx([2000, -1000], rel=0.03)


def test_full_drive_is_the_no_load_speed_of_the_battery_it_has(firmware: FirmwareImage) -> None:
    battery = Battery(resistance=0)
    battery.set_rest_v(6.5)
    with (
        riding(firmware, on_blocks=True, battery=battery) as ride,
        Board.connect(ride.plant.board.port) as board,
        driven(board, 5000, 5000),
    ):
        ride.wait(1.0)
        full = ride.plant.board.status()
    assert min(full.duty) > 245
    # Proportional to what friction leaves of the voltage.
    friction = WheelModel().friction
    share = (6.5 / 7.4 - friction) / (1 - friction)
    assert full.speed == pytest.approx([5500 * share] * 2, rel=0.02)


def test_the_encoders_follow_the_wheels_to_the_count(firmware: FirmwareImage) -> None:
    """And so the chip's count is the truth, whatever the wheels do."""
    worst = 0.0

    def compare(plant: Plant) -> None:
        nonlocal worst
        angles = [
            float(plant.data.joint(name).qpos[0]) * plant.robot.measures.counts_per_rad
            for name in plant.robot.wheels
        ]
        worst = max(
            worst,
            *(abs(angle - count) for angle, count in zip(angles, plant.encoder, strict=True)),
        )

    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        ride.watchers.append(compare)
        for left, right in ((3000, 3000), (-2000, 2500), (0, -1500)):
            with driven(board, left, right):
                ride.wait(0.4)
    # The wheel may have rolled by a fraction of a count before this test looked.
    assert worst < 2.5


# ---- driving


@pytest.mark.parametrize("separation", [0.12, 0.15, 0.25])
def test_the_track_is_the_wheel_separation(separation: float) -> None:
    """What the ground makes of the treads is what the odometry reckons with."""
    robot = rover(Measures(wheel_separation_m=separation))
    model = scene(robot, Nothing()).compile()
    data = mujoco.MjData(model)
    data.ctrl[:2] = (-2, 2)
    for _ in range(500):
        mujoco.mj_step(model, data)
    yaw = rolled = 0.0
    left, right = (int(model.joint(name).dofadr[0]) for name in robot.wheels)
    for _ in range(1000):
        mujoco.mj_step(model, data)
        yaw += data.qvel[5]
        rolled += (data.qvel[right] - data.qvel[left]) * robot.measures.wheel_radius_m
    assert rolled / yaw == pytest.approx(separation, rel=0.01)


def test_at_rest_it_stands(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant(start=(0.2, 0.1, 1.0))
    run(plant, 0.2)  # it settles into its tyres
    before = plant.pose
    most = 0.0
    for _ in range(10):
        run(plant, 1.0)
        most = max(most, abs(plant.velocity[0]))
    assert math.dist(before[:2], plant.pose[:2]) < 0.001
    assert abs(before.yaw - plant.pose.yaw) < 0.001
    assert plant.lean_rad < math.radians(0.5)
    assert most < 1e-4
    assert np.isfinite(plant.data.qpos).all()
    assert plant.encoder == (0, 0)


def test_time_is_the_chips_time(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant()
    run(plant, 1.0)
    assert plant.time_s == pytest.approx(1.0)
    assert plant.time_of(plant.board.status().cycle) == pytest.approx(1.0, abs=1e-5)
    assert plant.data.time == pytest.approx(plant.time_s)


@contextlib.contextmanager
def leaning(ride: Ride) -> Iterator[list[float]]:
    """The angles to the vertical meanwhile, rad."""
    angles = [0.0]
    ride.watchers.append(lambda plant: angles.append(plant.lean_rad))
    yield angles
    ride.watchers.pop()


@pytest.mark.parametrize("speed", [2800, 5000, -5000])
def test_a_stop_does_not_make_it_nod(firmware: FirmwareImage, speed: int) -> None:
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        with driven(board, speed, speed):
            ride.wait(0.8)
        with leaning(ride) as angles:
            board.stop()
            ride.wait(0.5)
        assert abs(ride.plant.velocity[0]) < 0.001
    assert max(angles) < math.radians(2.5)


def test_full_speed_back_and_forth_does_not_tip_it_over(firmware: FirmwareImage) -> None:
    """Past every limit of the gate."""
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        with leaning(ride) as angles:
            for speed in (5000, -5000, 5000):
                with driven(board, speed, speed):
                    ride.wait(0.6)
            board.stop()
            ride.wait(0.6)
        assert np.isfinite(ride.plant.data.qpos).all()
        assert ride.plant.lean_rad < math.radians(0.5)
    assert max(angles) < math.radians(20)


def test_a_pulled_cable_ends_every_motion(firmware: FirmwareImage) -> None:
    """The chip brakes after 200 ms and takes the motors off after 300."""
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        with driven(board, 2000, 2000):
            ride.until(lambda: ride.plant.wheel_speeds[0] > 0.25, 3)
            ride.plant.board.unplug()
            pulled = ride.plant.board.status()
            at = ride.plant.time_of(pulled.cycle)
            ride.until(lambda: max(map(abs, ride.plant.wheel_speeds)) < 0.005, 2)
        off = max(ride.plant.board.status().last_edge_cycle)
        assert ride.plant.time_of(off) - at < 0.31
        assert ride.plant.time_s - at < 0.4
        ride.wait(0.1)
        assert ride.plant.duty == (0, 0)


def test_a_silent_host_ends_every_motion(firmware: FirmwareImage) -> None:
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        with driven(board, 2000, -2000):
            ride.until(lambda: ride.plant.wheel_speeds[0] > 0.25, 3)
        at = ride.plant.time_of(ride.plant.board.status().last_rx_cycle)
        ride.until(lambda: max(map(abs, ride.plant.wheel_speeds)) < 0.005, 2)
        off = max(ride.plant.board.status().last_edge_cycle)
        assert ride.plant.time_of(off) - at < 0.31
        assert ride.plant.time_s - at < 0.4


# ---- senses


@pytest.mark.parametrize(("face", "yaw_deg"), [(0.4, 0), (1.5, 0), (2.5, 0), (0.8, 20)])
def test_the_range_sensor_sees_a_wall_where_it_is(
    make_plant: Callable[..., Plant], face: float, yaw_deg: float
) -> None:
    plant = make_plant(surroundings=Wall(face), start=(0, 0, math.radians(yaw_deg)))
    run(plant, 0.04)
    eye = 0.073  # the sensor is so far ahead of the axle
    straight = face - eye * math.cos(math.radians(yaw_deg))
    # The nearest of a fan of 20 degrees.
    off = max(0.0, abs(math.radians(yaw_deg)) - math.radians(10))
    assert plant.range_m == pytest.approx(straight / math.cos(off), abs=0.02)


def test_the_robot_does_not_see_itself_and_nothing_is_nothing(
    make_plant: Callable[..., Plant],
) -> None:
    plant = make_plant()
    run(plant, 0.04)
    assert plant.range_m is None
    far = make_plant(surroundings=Wall(4.0))
    run(far, 0.04)
    assert far.range_m is None


def test_the_firmware_tells_what_the_body_feels(firmware: FirmwareImage) -> None:
    """Drives against a wall: the range shrinks to nothing, then the bumper touches."""
    with (
        riding(firmware, surroundings=Wall(0.5)) as ride,
        Board.connect(ride.plant.board.port) as board,
    ):
        ride.wait(0.3)
        seen = board.wait_state().range_m
        assert seen == pytest.approx(0.5 - 0.073, abs=0.02)
        touched: list[float] = []
        ride.watchers.append(lambda plant: touched.append(plant.time_s) if plant.bump else None)
        with driven(board, 1500, 1500):
            ride.until(lambda: "bump" in board.wait_state().faults, 5)
        assert touched
        # The bumper is 0.087 m ahead of the axle.
        assert ride.plant.pose.x == pytest.approx(0.5 - 0.087, abs=0.01)
        ride.wait(0.4)
        assert ride.plant.duty == (0, 0)


def test_a_finger_on_the_bump_switch(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant()
    run(plant, 0.02)
    assert not plant.bump
    plant.hold_bump(True)
    run(plant, TIMESTEP_S)
    assert plant.bump
    plant.hold_bump(False)
    run(plant, TIMESTEP_S)
    assert not plant.bump


def test_servos_and_light(firmware: FirmwareImage) -> None:
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        board.set_servos({"pan": 45, "tilt": -20, "gripper": 30})
        board.set_light("red")
        ride.wait(0.8)
        angles = [math.degrees(angle) for angle in ride.plant.servo_angles]
        assert angles == pytest.approx([45, -20, 30], abs=1)
        assert ride.plant.light == (1, 0, 0)
        material = ride.plant.model.material("lamp").id
        assert ride.plant.model.mat_rgba[material] == pytest.approx((1, 0, 0, 1))


def test_a_limp_head_stays_as_it_is(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant()
    run(plant, 3.0)
    assert plant.status.servo_us == (0, 0, 0)
    assert plant.servo_angles == pytest.approx((0, 0, 0), abs=0.01)


def test_a_jammed_wheel_does_not_turn(firmware: FirmwareImage) -> None:
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        ride.plant.jam(0)
        with driven(board, 1500, 1500):
            ride.until(lambda: "stall_left" in board.wait_state().faults, 3)
        assert ride.plant.encoder[0] == pytest.approx(0, abs=8)
        assert ride.plant.encoder[1] > 200


# ---- the battery


def test_the_battery_sags_under_load_and_drains(firmware: FirmwareImage) -> None:
    battery = Battery(capacity_ah=0.02)
    with riding(firmware, battery=battery) as ride, Board.connect(ride.plant.board.port) as board:
        ride.wait(0.1)
        rest, charge = ride.plant.battery_v, battery.charge
        assert board.wait_state().battery_v == pytest.approx(rest, abs=0.06)
        lowest = rest

        def look(plant: Plant) -> None:
            nonlocal lowest
            lowest = min(lowest, plant.battery_v)

        ride.watchers.append(look)
        for speed in (4000, -4000):
            with driven(board, speed, speed):
                ride.wait(0.5)
        board.stop()
        assert lowest < rest - 0.1
        assert battery.charge < charge - 0.002


def test_an_exchanged_battery_is_what_the_chip_reads(firmware: FirmwareImage) -> None:
    with riding(firmware) as ride, Board.connect(ride.plant.board.port) as board:
        ride.plant.set_battery(6.3)
        ride.wait(0.6)
        assert board.wait_state().battery_v == pytest.approx(6.3, abs=0.1)


def test_a_battery_is_never_more_than_full_or_less_than_empty() -> None:
    battery = Battery(charge=0.01)
    battery.draw(100, 3600)
    assert (battery.charge, battery.rest_v) == (0, 6.0)
    battery.draw(-1000, 3600)
    assert battery.charge == 1
    battery.set_rest_v(7.3)
    assert battery.rest_v == pytest.approx(7.3)


# ---- what goes wrong


def test_senseless_physics_is_said_and_not_simulated_on(
    make_plant: Callable[..., Plant], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo logs its warnings beside
    plant = make_plant()
    run(plant, 0.02)
    plant.data.qvel[0] = math.nan
    with pytest.raises(PlantError, match="without sense"):
        run(plant, 0.02)


def test_it_can_be_set_down_elsewhere(make_plant: Callable[..., Plant]) -> None:
    plant = make_plant()
    run(plant, 0.1)
    plant.place(1.0, -2.0, math.radians(120))
    run(plant, 0.1)
    x, y, yaw = plant.pose
    assert (x, y) == pytest.approx((1, -2), abs=0.001)
    assert math.degrees(yaw) == pytest.approx(120, abs=0.1)
