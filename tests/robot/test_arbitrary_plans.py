"""Whatever plan the schema allows, in whatever world: no command ever leaves the limits."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from model_board import Sent
from model_robot import ModelRobot
from plans import plans

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.perception import Box, Detection, Observation
from reflexarc.robot.actions import ACTION
from reflexarc.robot.body import Wheels
from reflexarc.robot.config import MAX_ACCELERATION_MPS2, Geometry, Limits, RobotConfig
from reflexarc.robot.gate import Decision, GateState
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import RuleError
from reflexarc.robot.robot import Robot

TIGHT = Limits(
    speed_mps=0.25,
    acceleration_mps2=0.6,
    distance_m=0.5,
    angle_deg=60,
    duration_s=4,
    servos_deg={"pan": (-40, 50), "tilt": (-10, 20), "gripper": (5, 30)},
    servo_commands_per_s=20,
)
LABELS = {"digits": "0123456789", "mask": ("mask", "no_mask"), "people": ("person",),
          "faces": ("face",), "pose": ("body",)}  # fmt: skip


def check(sent: Sequence[Sent], limits: Limits, geometry: Geometry) -> None:
    """Every command within every limit, judged from outside the gate."""
    counts_per_m = geometry.counts_per_m
    before, before_ns, servos_ns = (0.0, 0.0), 0, None
    since_ns, distance_m, angle_rad = 0, 0.0, 0.0
    for command in sent:
        if command.what == "servos":
            assert isinstance(command.values, dict)
            for name, angle in command.values.items():
                low, high = limits.servos_deg[name]  # type: ignore[index]
                assert low <= angle <= high, command
            if servos_ns is not None:
                assert command.at_ns - servos_ns >= 0.99e9 / limits.servo_commands_per_s
            servos_ns = command.at_ns
        if command.what not in ("drive", "stop"):
            continue
        assert not isinstance(command.values, (dict, str))
        left, right = (value / counts_per_m for value in command.values)
        one_count = 1.01 / counts_per_m
        elapsed_s = (command.at_ns - before_ns) * 1e-9
        if before != (0.0, 0.0):
            driven_s = min(elapsed_s, limits.command_stale_s)
            distance_m += abs(before[0] + before[1]) / 2 * driven_s
            angle_rad += abs(before[1] - before[0]) / geometry.wheel_separation_m * driven_s
            # A little more than the gate allows: it knows no counts.
            assert distance_m <= limits.distance_m * 1.1 + 0.06
            assert angle_rad * 57.3 <= limits.angle_deg * 1.1 + 40
            assert (command.at_ns - since_ns) * 1e-9 <= limits.duration_s + 0.3
        else:
            since_ns, distance_m, angle_rad = command.at_ns, 0.0, 0.0
        if command.what == "drive":
            for old, new in zip(before, (left, right), strict=True):
                assert abs(new) <= limits.speed_mps + one_count, command
                assert old * new >= 0, f"{command} after {before}"
                rate = limits.acceleration_mps2 if abs(new) > abs(old) else MAX_ACCELERATION_MPS2
                period_s = elapsed_s if before != (0.0, 0.0) else 0.0
                assert abs(new - old) <= rate * max(period_s, 0.01) + 2 * one_count, command
        before, before_ns = (left, right), command.at_ns


class World:
    """Anything that can happen to a robot, at random."""

    def __init__(self, seed: int) -> None:
        self.is_wild = seed % 4 != 0
        self.luck = random.Random(seed)
        self.sit_ups = 0
        self.seq = 0

    def observation(self, now_ns: int) -> Observation:
        luck = self.luck
        self.seq += 1
        task = luck.choice([*LABELS, "situps"])
        if task == "situps":
            self.sit_ups += luck.choice([0, 0, 1, 3])
            return Observation(now_ns, self.seq, "t", task, (), {"sit_ups": self.sit_ups})
        found = tuple(
            Detection(
                luck.choice(LABELS[task]),
                luck.random(),
                Box(luck.uniform(-50, 600), luck.uniform(-50, 400), *self._size()),
                luck.choice([None, 1, 2]),
            )
            for _ in range(luck.choice([0, 1, 1, 2]))
        )
        # Late, of another clock, or of the future now and then.
        return Observation(
            now_ns + luck.choice([0, 0, -(10**9), 10**12]), self.seq, "t", task, found
        )

    def _size(self) -> tuple[float, float]:
        return self.luck.choice([0, 1, 40, 300]), self.luck.choice([0, 1, 90, 480])


def wires(robot: ModelRobot, seconds: float, world: World) -> None:
    """Some seconds of life in simulated time."""
    luck, board = world.luck, robot.board
    by_hand: Wheels | None = None
    for _ in range(round(seconds / 0.01)):
        chance = luck.random() if world.is_wild else 1.0
        if chance < 0.1:
            robot.controller.observe(world.observation(board.now_ns))
        elif chance < 0.13:
            board.range_m = luck.choice([None, 0.0, 0.1, 0.2, 0.5, float("nan")])
        elif chance < 0.14:
            board.battery_v = luck.choice([7.4, 7.4, 6.7, 6.0, float("nan")])
        elif chance < 0.15:
            board.faults = luck.choice([frozenset(), frozenset(), frozenset({"bump"})])
        elif chance < 0.16:
            wild = [0.0, 0.3, -5.0, 1e300]
            by_hand = luck.choice([None, Wheels(luck.choice(wild), luck.choice(wild))])
        elif chance < 0.171:
            robot.controller.manual(Wheels(luck.choice([float("inf"), float("nan")]), 0.1))
        elif chance < 0.175:
            robot.controller.stop("told to stop")
        elif chance < 0.20 and robot.gate.state is not GateState.ARMED:
            board.battery_v, board.faults = 7.4, frozenset()
            robot.gate.arm(board.now_ns)
        if by_hand is not None:
            robot.controller.manual(by_hand)
        if world.is_wild and luck.random() < 0.02:  # a host that is held up
            board.now_ns += luck.choice([10, 150, 400]) * 1_000_000
        if not world.is_wild or luck.random() < 0.95:
            robot.controller.tick(board.step())


def test_the_strategies_make_every_action() -> None:
    made: set[str] = set()

    @given(plans())
    @settings(max_examples=400, phases=[Phase.generate])
    def draw(plan: Plan) -> None:
        for action in plan.actions:
            made.add(action.do)

    draw()
    assert made == set(ACTION.json_schema()["discriminator"]["mapping"])


@given(st.lists(plans(), min_size=1, max_size=3), st.integers(0, 2**32), st.booleans())
@settings(
    max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example]
)
def test_no_plan_in_any_world_leaves_the_limits(orders: list[Plan], seed: int, tight: bool) -> None:
    robot = ModelRobot(limits=TIGHT if tight else Limits())
    world = World(seed)
    for plan in orders:
        robot.controller.order(plan)
        wires(robot, 6, world)
    check(robot.board.sent, robot.config.limits, robot.config.geometry)
    robot.controller.stop("the end")
    assert robot.board.order == (0, 0)
    assert robot.is_idle


class Wire:
    """The real board, with a note of every command that went to it.

    Their times are those by which the gate judged them, so that a busy machine, which lets
    some pass before the command is sent, changes nothing.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._times: list[int] = []
        self._sent: list[Sent] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._board, name)

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self._sent.append(Sent(0, "drive", (left, right)))
        return self._board.drive(left, right)

    def stop(self) -> None:
        self._sent.append(Sent(0, "stop", (0, 0)))
        self._board.stop()

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        self._sent.append(Sent(0, "servos", dict(angles)))
        return self._board.set_servos(angles)

    # As an audit log hears it: the decision comes after its command.

    def decision(self, decision: Decision) -> None:
        missing = len(self._sent) - len(self._times)
        self._times += [decision.stamp_ns] * missing

    def append(self, kind: str, **data: Any) -> None: ...

    def close(self) -> None: ...

    @property
    def sent(self) -> list[Sent]:
        return [
            command._replace(at_ns=at_ns)
            for command, at_ns in zip(self._sent, self._times, strict=True)
        ]


class Pins:
    """Watches the emulated chip from outside while it lives."""

    def __init__(self, emulator: EmulatedBoard) -> None:
        self.emulator = emulator
        self.fastest = 0.0
        self.pulses: list[tuple[float, float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            status = self.emulator.status()
            self.fastest = max(self.fastest, *map(abs, status.speed))
            self.pulses.append(status.servo_us)

    def __enter__(self) -> Pins:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def surprises(emulator: EmulatedBoard, world: World) -> Iterator[None]:
    """What happens to the real body."""
    luck = world.luck
    while True:
        emulator.set_range(luck.choice([None, 60, 200, 400, 2000]))
        yield
        emulator.press_bump(luck.random() < 0.2)
        yield
        emulator.set_battery(luck.choice([7.4, 7.4, 6.7, 6.2]))
        yield


@pytest.fixture
def life(emulator: EmulatedBoard, board: Board) -> Iterator[tuple[Robot, Wire, Pins]]:
    wire = Wire(board)
    config = RobotConfig(limits=TIGHT)
    with Pins(emulator) as pins, Robot(config, wire, audit=wire) as robot:  # type: ignore[arg-type]
        yield robot, wire, pins


def test_no_plan_drives_the_emulated_board_beyond_its_limits(
    emulator: EmulatedBoard, life: tuple[Robot, Wire, Pins]
) -> None:
    """The real firmware, its pins and its wheels; the world is as unkind as above."""
    robot, wire, pins = life

    @given(plans(), st.integers(0, 2**32))
    @settings(
        max_examples=8,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    def throw(plan: Plan, seed: int) -> None:
        world = World(seed)
        try:
            robot.controller.order(plan)
        except RuleError:
            return
        happens = surprises(emulator, world)
        for _ in range(40):
            robot.controller.observe(world.observation(time.monotonic_ns()))
            if world.luck.random() < 0.2:
                next(happens)
            if robot.gate.state is not GateState.ARMED:
                emulator.set_battery(7.4)
                emulator.press_bump(False)
                emulator.wait(0.05)
                robot.arm()
            emulator.wait(0.03)
            robot.check()

    throw()
    throw_driving(robot, emulator)
    robot.controller.stop("the end")
    assert emulator.wait(0.1).duty == (0, 0)
    check(wire.sent, TIGHT, Geometry())
    assert any(s.what == "drive" and s.values != (0, 0) for s in wire.sent)
    # The wheels: what is let through, and what the speed loop overshoots.
    assert 0 < pins.fastest <= TIGHT.speed_mps * Geometry().counts_per_m * 1.15
    # The pins: 1500 us in the middle, 10 us a degree; an edge waits 16.6 us for other
    # interrupts at most (docs/bridge.md).
    for i, (low, high) in enumerate(TIGHT.servos_deg.values()):
        degrees = [(pulse[i] - 1500) / 10 for pulse in pins.pulses if pulse[i]]
        assert [at for at in degrees if not low - 1.7 <= at <= high + 1.7] == []
    assert any(any(pulse) for pulse in pins.pulses)


def throw_driving(robot: Robot, emulator: EmulatedBoard) -> None:
    """One plan that surely drives and moves the head, whatever was drawn."""
    emulator.set_range(None)
    emulator.set_battery(7.4)
    emulator.press_bump(False)
    emulator.wait(0.1)
    with_everything = [{"do": "look", "pan_deg": 90, "tilt_deg": 60}, {"do": "move"}]
    robot.arm()
    robot.controller.order(Plan.model_validate({"status": "ok", "actions": with_everything}))
    emulator.wait(2.5)


def test_a_plan_cannot_be_made_that_the_schema_does_not_allow() -> None:
    """The strategies' own limits are the schema's: one step further is refused."""
    with pytest.raises(ValueError, match="less than or equal to 5"):
        ACTION.validate_python({"do": "move", "distance_m": 5.0000001})
    with pytest.raises(ValueError, match="at most 100 steps"):
        nods = ({"do": "repeat", "times": 20, "actions": [{"do": "gesture", "name": "nod"}] * 6},)
        Plan.model_validate({"status": "ok", "actions": nods})
