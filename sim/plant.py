"""The robot's body in MuJoCo, and the real firmware on the emulated chip, in lock-step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import mujoco

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard, EmulatorStatus
from reflexarc.sim.battery import Battery
from reflexarc.sim.description import Description, rover
from reflexarc.sim.feelers import Bumper, RangeFinder
from reflexarc.sim.mjcf import TIMESTEP_S, to_mjcf
from reflexarc.sim.parts import Lamp, Servos, Wheels

LOOK_STEPS = 10
"""Range, light and servos are exchanged with the chip every so many steps: 20 ms."""
_ELECTRONICS_A = 0.35
"""The computer and the board."""
_BATTERY_STEP_V = 0.005
_BLOCKS_M = 0.1
_NONSENSE = (
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
)


class PlantError(ReflexarcError):
    """The physics has left its senses."""


class Pose2D(NamedTuple):
    """Of `base_footprint` in the world: metres, and radians to the left."""

    x: float
    y: float
    yaw: float


class Surroundings(Protocol):
    """What stands and moves around the robot (`reflexarc.sim.world` has one)."""

    def build(self, spec: Any) -> None:
        """Add bodies, textures, materials, lights to the `mujoco.MjSpec`, before it is compiled.

        What the range sensor shall see and the robot shall touch is in geom group 0 or 1, with
        the default contype and conaffinity.
        """
        ...

    def begin(self, plant: Plant) -> None:
        """The model is compiled: find your ids in `plant.model`; `plant.data` is at its start."""
        ...

    def step(self, plant: Plant) -> None:
        """Called before every physics step: move mocap bodies, let events happen."""
        ...


class Nothing:
    """Surroundings of a bare floor."""

    def build(self, spec: Any) -> None:
        """Add nothing."""

    def begin(self, plant: Plant) -> None:
        """Need nothing."""

    def step(self, plant: Plant) -> None:
        """Do nothing."""


def scene(robot: Description, surroundings: Surroundings) -> Any:
    """The `mujoco.MjSpec` of a robot in its surroundings, to compile: also for pictures only."""
    spec = mujoco.MjSpec.from_string(to_mjcf(robot))
    surroundings.build(spec)
    return spec


def _put_on_blocks(spec: Any, robot: Description) -> None:
    root = robot.links[0].name
    spec.body(root).pos = (0.0, 0.0, _BLOCKS_M)
    weld = spec.add_equality()
    weld.type, weld.objtype = mujoco.mjtEq.mjEQ_WELD, mujoco.mjtObj.mjOBJ_BODY
    weld.name1, weld.name2 = root, "world"
    weld.data[:] = 0  # as it stands at the start
    weld.data[10] = 1  # holds angles as firmly as places
    weld.solref = (2 * TIMESTEP_S, 1)


class Plant:
    """Body and chip. `step` makes 2 ms of both pass; the simulation leads the chip.

    In each step the physics goes first, with the motors' mean drive of the chip's last step;
    then the chip follows, and its encoders' edges lead exactly to the wheels' new angles.
    So the chip's drive acts one step later, and nothing else is late.

    Not safe to use from several threads; only `board` is.
    """

    model: Any
    """mujoco.MjModel"""
    data: Any
    """mujoco.MjData"""
    spec: Any
    """mujoco.MjSpec it was compiled from."""

    def __init__(
        self,
        board: EmulatedBoard,
        robot: Description | None = None,
        *,
        surroundings: Surroundings | None = None,
        battery: Battery | None = None,
        start: Pose2D | tuple[float, float, float] = (0.0, 0.0, 0.0),
        on_blocks: bool = False,
    ) -> None:
        """Put the robot into the world; from now on the chip's time stands between steps.

        Args:
            board: running; its `speed` is the pace: 1 real time, 0 as fast as it goes.
                Whoever started it ends it.
            robot: its description; by default the rover of robot.yaml.
            surroundings: the world; a bare floor by default.
            battery: half full by default, which is the nominal 7.4 V.
            start: x, y and yaw of base_footprint: metres, radians.
            on_blocks: held in the air, its wheels free.

        Raises:
            EmulatorError: the board is gone, or somebody else leads it.
        """
        self.board = board
        self.robot = robot or rover()
        self.battery = battery or Battery()
        self.surroundings = surroundings or Nothing()
        self.spec = scene(self.robot, self.surroundings)
        if on_blocks:
            _put_on_blocks(self.spec, self.robot)
        self.model = self.spec.compile()
        self.data = mujoco.MjData(self.model)
        self.place(*start, height=_BLOCKS_M if on_blocks else 0.0)
        self._wheels = Wheels(self.model, self.data, self.robot)
        self._servos = Servos(self.model, self.data, self.robot)
        self._lamp = Lamp(self.model, self.robot)
        self._range_finder = RangeFinder(self.model, self.robot.range)
        self._bumper = Bumper(self.model, self.robot.bumper)
        self._held_bump = False
        self.steps = 0
        """Physics steps since the start."""
        self.bump = False
        """Is the bump switch pressed?"""
        self.range_m: float | None = None
        """True distance ahead, as the chip's sensor will tell; None: nothing near."""
        self.exchange = board.advance(0.0, 0.0, 0.0)
        self.first_cycle = self.exchange.cycle
        """The chip's cycle at time 0."""
        self.status: EmulatorStatus = board.status()
        """The chip's surroundings, at most 20 ms old."""
        self._origin = self.exchange.position
        self._told_v = math.nan
        self._told_mm: int | None = -1
        self.surroundings.begin(self)
        self._look()

    # ---- time

    @property
    def time_s(self) -> float:
        """Simulated time since the start, which is the chip's time."""
        return self.steps * TIMESTEP_S

    def time_of(self, cycle: int) -> float:
        """Simulated time of one of the chip's cycles, such as the trace has them."""
        return (cycle - self.first_cycle) / CPU_HZ

    def step(self) -> None:
        """Let 2 ms pass for body and chip.

        Raises:
            EmulatorError: the chip has gone.
            PlantError: the physics has become unstable.
        """
        self.surroundings.step(self)
        self._wheels.drive(self.exchange.drive, self.battery)
        mujoco.mj_step(self.model, self.data)
        self.steps += 1
        if any(self.data.warning[kind].number for kind in _NONSENSE):
            raise PlantError(
                expected="a body that moves as bodies do",
                found=f"positions or speeds without sense at {self.time_s:.3f} s",
                remedy="look for things of the scenario that are placed inside one another",
            )
        self._lead_the_chip()
        self.battery.draw(self._wheels.current_a + _ELECTRONICS_A, TIMESTEP_S)
        self._feel_bump()
        if self.steps % LOOK_STEPS == 0:
            self._look()

    def _lead_the_chip(self) -> None:
        end = self.first_cycle + round(self.time_s * CPU_HZ)
        seconds = max(end - self.exchange.cycle, 1) / CPU_HZ
        left, right = (
            (origin + counts - position) / seconds
            for origin, counts, position in zip(
                self._origin, self._wheels.counts, self.exchange.position, strict=True
            )
        )
        self.exchange = self.board.advance(TIMESTEP_S, left, right)

    def _feel_bump(self) -> None:
        pressed = self._held_bump or self._bumper.is_pressed(self.data)
        if pressed != self.bump:
            self.bump = pressed
            self.board.press_bump(pressed)

    def _look(self) -> None:
        self.range_m = self._range_finder.measure(self.data)
        millimetres = None if self.range_m is None else round(self.range_m * 1000)
        if millimetres != self._told_mm:
            self._told_mm = millimetres
            self.board.set_range(millimetres)
        if not abs(self.battery.volts - self._told_v) < _BATTERY_STEP_V:
            self._told_v = self.battery.volts
            self.board.set_battery(self._told_v)
        self.status = self.board.status()
        self._servos.follow(self.status.servo_us)
        self._lamp.shine(self.status.light)

    # ---- the truth

    @property
    def pose(self) -> Pose2D:
        """Where base_footprint is."""
        x, y = self.data.qpos[:2]
        w, i, j, k = self.data.qpos[3:7]
        return Pose2D(float(x), float(y), math.atan2(2 * (w * k + i * j), 1 - 2 * (j * j + k * k)))

    @property
    def velocity(self) -> tuple[float, float]:
        """Forward m/s and yaw rate rad/s (left positive) of base_footprint."""
        yaw = self.pose.yaw
        vx, vy = self.data.qvel[:2]
        return float(vx * math.cos(yaw) + vy * math.sin(yaw)), float(self.data.qvel[5])

    @property
    def lean_rad(self) -> float:
        """Angle between the robot's and the world's vertical."""
        _, i, j, _ = self.data.qpos[3:7]
        return math.acos(max(-1.0, min(1.0, 1 - 2 * (i * i + j * j))))

    @property
    def wheel_speeds(self) -> tuple[float, float]:
        """Of the treads, m/s: what the wheels turn, whether they slip or not."""
        left, right = self._wheels.speeds
        radius = self.robot.measures.wheel_radius_m
        return left * radius, right * radius

    @property
    def drive(self) -> tuple[float, float]:
        """The motors' mean drive in the last step, -1..1."""
        return self.exchange.drive

    @property
    def duty(self) -> tuple[int, int]:
        """The PWM on the motors' pins, -255..255; at most 20 ms old."""
        return self.status.duty

    @property
    def encoder(self) -> tuple[int, int]:
        """Edges given to the chip since it started."""
        return self.exchange.encoder

    @property
    def battery_v(self) -> float:
        """At the terminals."""
        return self.battery.volts

    @property
    def servo_angles(self) -> tuple[float, float, float]:
        """True angles of pan, tilt and gripper joint, rad."""
        return self._servos.angles

    @property
    def light(self) -> tuple[int, int, int]:
        """Red, green, blue: 1 is on."""
        return self.status.light

    # ---- what may happen to it

    def place(self, x: float, y: float, yaw: float, *, height: float = 0.0) -> None:
        """Lift it and set it down elsewhere, at rest; the wheels keep their angles."""
        self.data.qpos[:7] = (x, y, height, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2))
        self.data.qvel[:] = 0
        mujoco.mj_forward(self.model, self.data)

    def jam(self, wheel: int, jammed: bool = True) -> None:
        """Hold a wheel so that it cannot turn. 0 is left."""
        self._wheels.jam(wheel, jammed)

    def hold_bump(self, pressed: bool) -> None:
        """Press the bump switch with a finger, whatever it touches."""
        self._held_bump = pressed

    def set_battery(self, volts: float) -> None:
        """Change the battery for one with this voltage at rest."""
        self.battery.set_rest_v(volts)
