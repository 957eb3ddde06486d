"""The gate in front of a recording driver; nothing else of a board is needed here."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.firmware_bridge.errors import (
    BoardFaultError,
    CommandSupersededError,
    LinkLostError,
)
from reflexarc.robot.body import Wheels
from reflexarc.robot.config import MAX_ACCELERATION_MPS2, Geometry, Limits
from reflexarc.robot.gate import Decision, Gate, GateState

MS = 1_000_000
GEOMETRY = Geometry()
LIMITS = Limits(speed_mps=0.4, acceleration_mps2=1.0, frame_stale_s=0.5, command_stale_s=0.2)
REST = Wheels(0.0, 0.0)


class Recorder:
    """Remembers what reached the motors, in counts/s."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.servos: list[dict[str, float]] = []
        self.lights: list[str] = []

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self.sent.append((left, right))
        return left, right

    def stop(self) -> None:
        self.sent.append((0, 0))

    def set_servos(self, angles: Mapping[str, float]) -> dict[str, float]:
        self.servos.append(dict(angles))
        return dict(angles)

    def set_light(self, color: str) -> None:
        self.lights.append(color)


@dataclass
class Body:
    """What the gate watches; all is well."""

    battery_v: float = 7.4
    range_m: float | None = None
    faults: frozenset[str] = frozenset()
    stamp_ns: int = 1 << 62


@pytest.fixture
def motors() -> Recorder:
    return Recorder()


@pytest.fixture
def gate(motors: Recorder) -> Gate:
    armed = Gate(motors, LIMITS, GEOMETRY)
    armed.arm(0)
    return armed


def run_up(gate: Gate, wheels: Wheels, *, from_ms: int = 0, to_ms: int = 1000) -> Wheels:
    applied = REST
    for at in range(from_ms, to_ms + 1, 10):
        gate.saw_frame(at * MS)
        applied = gate.drive(wheels, at * MS)
    return applied


def test_nothing_moves_before_it_is_armed(motors: Recorder) -> None:
    gate = Gate(motors, LIMITS, GEOMETRY)
    assert gate.drive(Wheels(0.1, 0.1), 0) == REST
    assert motors.sent == []
    assert gate.decisions[-1].reason == "refused: not armed yet"


def test_speed_is_clamped_and_the_path_keeps_its_shape(gate: Gate) -> None:
    applied = run_up(gate, Wheels(2.0, 1.0))
    assert applied.left == pytest.approx(0.4, abs=1e-3)
    assert applied.right == pytest.approx(0.2, abs=1e-3)
    assert gate.decisions[-1].reason == "speed limit"


def test_acceleration_is_limited(gate: Gate) -> None:
    assert gate.drive(Wheels(0.4, 0.4), 0).left == pytest.approx(0.01, abs=1e-3)
    assert gate.drive(Wheels(0.4, 0.4), 100 * MS).left == pytest.approx(0.11, abs=1e-3)
    assert gate.drive(Wheels(0.0, 0.0), 110 * MS).left == pytest.approx(0.10, abs=1e-3)


def test_a_long_rest_is_no_run_up(gate: Gate) -> None:
    """The first command after any pause begins as gently as the very first."""
    run_up(gate, Wheels(0.1, 0.1), to_ms=100)
    gate.halt(110 * MS)
    assert gate.drive(Wheels(0.4, 0.4), 5000 * MS).left == pytest.approx(0.01, abs=1e-3)


def test_saying_it_more_often_makes_it_no_quicker(gate: Gate) -> None:
    """A thousand commands in 100 ms gain what one gains."""
    for tenth_ms in range(1001):
        applied = gate.drive(Wheels(0.4, 0.4), tenth_ms * MS // 10)
    assert applied.left == pytest.approx(0.11, abs=2e-3)


@pytest.mark.parametrize("acceleration", [0.001, 0.02, 0.3])
def test_a_gentle_limit_is_slow_and_not_never(motors: Recorder, acceleration: float) -> None:
    """Each step is less than one encoder count a second; they add up."""
    gate = Gate(motors, Limits(acceleration_mps2=acceleration), GEOMETRY)
    gate.arm(0)
    assert run_up(gate, Wheels(0.4, 0.4)).left == pytest.approx(acceleration * 1.01, rel=0.05)


def test_a_reversal_first_comes_to_rest(gate: Gate) -> None:
    run_up(gate, Wheels(0.005, 0.005), to_ms=10)
    assert gate.drive(Wheels(-0.4, -0.4), 20 * MS) == REST


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_stops_and_latches(gate: Gate, motors: Recorder, bad: float) -> None:
    run_up(gate, Wheels(0.1, 0.1), to_ms=100)
    assert gate.drive(Wheels(0.1, bad), 110 * MS) == REST
    assert gate.state is GateState.STOPPED
    assert motors.sent[-1] == (0, 0)


def test_a_stop_latches_until_it_is_armed_again(gate: Gate, motors: Recorder) -> None:
    run_up(gate, Wheels(0.1, 0.1), to_ms=100)
    gate.stop("button", 110 * MS)
    assert motors.sent[-1] == (0, 0)
    sent = len(motors.sent)
    assert gate.drive(Wheels(0.1, 0.1), 120 * MS) == REST
    assert len(motors.sent) == sent
    assert gate.decisions[-1].reason == "refused: button"
    gate.arm(130 * MS)
    assert gate.drive(Wheels(0.1, 0.1), 140 * MS).left > 0


def test_a_halt_does_not_latch(gate: Gate, motors: Recorder) -> None:
    run_up(gate, Wheels(0.1, 0.1), to_ms=100)
    gate.halt(110 * MS)
    assert motors.sent[-1] == (0, 0)
    assert gate.state is GateState.ARMED


@pytest.mark.parametrize(
    "frame_ms, command_ms, battery_v, reason",
    [
        (0, 590, 7.4, "no new frame"),
        (590, 350, 7.4, "no new command"),
        (590, 590, 6.0, "battery at 6.00 V"),
        (590, 590, math.nan, "battery at nan V"),
        (590, 590, 7.4, None),
    ],
)
def test_it_stops_by_itself(
    gate: Gate, frame_ms: int, command_ms: int, battery_v: float, reason: str | None
) -> None:
    gate.saw_frame(frame_ms * MS)
    gate.drive(Wheels(0.1, 0.1), command_ms * MS)
    gate.watch(500 * MS, Body())
    gate.watch(600 * MS, Body(battery_v))
    assert gate.state is (GateState.STOPPED if reason else GateState.ARMED)
    if reason:
        assert gate.reason == reason


def test_a_robot_at_rest_may_stay_without_frames(gate: Gate) -> None:
    gate.watch(10_000 * MS, Body())
    assert gate.state is GateState.ARMED


@pytest.mark.parametrize("near_m", [0.0, 0.05, 0.15])
def test_nothing_drives_towards_what_is_near_and_everything_away(gate: Gate, near_m: float) -> None:
    gate.watch(0, Body(range_m=near_m))
    assert gate.drive(Wheels(0.2, 0.2), 0) == REST
    assert gate.blocked == f"something ahead at {near_m:.2f} m"
    assert gate.drive(Wheels(-0.2, -0.2), 10 * MS).left < 0
    assert gate.blocked == ""
    gate.halt(20 * MS)
    assert gate.drive(Wheels(-0.2, 0.2), 30 * MS).right > 0  # turning on the spot


def test_it_slows_down_before_what_is_ahead(gate: Gate) -> None:
    speeds = []
    for at, range_cm in enumerate(range(60, 14, -1)):
        gate.watch(at * 100 * MS, Body(range_m=range_cm / 100))
        gate.saw_frame(at * 100 * MS)
        speeds.append(gate.drive(Wheels(0.4, 0.4), at * 100 * MS).left)
    assert max(speeds) == pytest.approx(0.4, abs=1e-3)
    assert speeds[-10:] == sorted(speeds[-10:], reverse=True)
    assert speeds[-1] == 0.0
    # At 1 m/s2, the way from each speed to rest fits before the obstacle.
    for range_cm, speed in zip(range(60, 14, -1), speeds, strict=True):
        assert speed**2 / 2 / LIMITS.acceleration_mps2 <= range_cm / 100 - LIMITS.obstacle_m + 1e-3


def test_what_jumps_in_is_braked_for_harder_than_the_limit(gate: Gate) -> None:
    run_up(gate, Wheels(0.4, 0.4))
    gate.watch(1000 * MS, Body(range_m=0.10))
    braked = gate.drive(Wheels(0.4, 0.4), 1010 * MS).left
    assert braked == pytest.approx(0.4 - MAX_ACCELERATION_MPS2 * 0.01, abs=1e-3)


def test_one_missed_echo_does_not_clear_the_way(gate: Gate) -> None:
    gate.watch(0, Body(range_m=0.1))
    gate.watch(50 * MS, Body(range_m=None))
    assert gate.drive(Wheels(0.2, 0.2), 50 * MS) == REST
    gate.watch(400 * MS, Body(range_m=None))
    assert gate.drive(Wheels(0.2, 0.2), 400 * MS).left > 0


def test_a_range_that_is_no_number_is_an_obstacle(gate: Gate) -> None:
    gate.watch(0, Body(range_m=math.nan))
    assert gate.drive(Wheels(0.2, 0.2), 0) == REST


@pytest.mark.parametrize(
    ("limits", "wheels", "reason"),
    [
        (Limits(distance_m=0.2), Wheels(0.2, 0.2), "more than 0.2 m without a rest"),
        (Limits(angle_deg=60), Wheels(-0.1, 0.1), "more than 60 degrees without a rest"),
        (Limits(duration_s=2), Wheels(0.01, -0.01), "more than 2 s without a rest"),
    ],
)
def test_a_movement_without_a_rest_is_ended(
    motors: Recorder, limits: Limits, wheels: Wheels, reason: str
) -> None:
    gate = Gate(motors, limits, GEOMETRY)
    gate.arm(0)
    run_up(gate, wheels, to_ms=5000)
    assert (gate.state, gate.reason) == (GateState.STOPPED, reason)
    assert motors.sent[-1] == (0, 0)
    rolled_m = sum(abs(left) for left, _ in motors.sent) / GEOMETRY.counts_per_m * 0.01
    longest = {"m": 0.2 * 1.1, "degrees": math.radians(60) * 0.075 * 1.1, "s": 2 * 0.01}
    assert rolled_m <= longest[reason.split()[-4]] + 0.005


def test_a_rest_between_begins_a_new_movement(motors: Recorder) -> None:
    gate = Gate(motors, Limits(distance_m=0.2), GEOMETRY)
    gate.arm(0)
    for start in range(0, 10_000, 1000):
        run_up(gate, Wheels(0.15, 0.15), from_ms=start, to_ms=start + 800)
        run_up(gate, REST, from_ms=start + 810, to_ms=start + 990)
    assert gate.state is GateState.ARMED


def test_faults_of_the_board_stop_it_and_are_named(gate: Gate, motors: Recorder) -> None:
    run_up(gate, Wheels(0.1, 0.1), to_ms=100)
    gate.watch(110 * MS, Body(faults=frozenset({"stall_left", "bump"})))
    assert gate.reason == "the board says: bump, stall_left"
    assert motors.sent[-1] == (0, 0)


def test_a_state_from_before_it_was_armed_again_does_not_stop_it(gate: Gate) -> None:
    gate.watch(100 * MS, Body(faults=frozenset({"bump"}), stamp_ns=100 * MS))
    gate.arm(200 * MS)
    gate.watch(205 * MS, Body(faults=frozenset({"bump"}), stamp_ns=195 * MS))
    assert gate.state is GateState.ARMED
    gate.watch(210 * MS, Body(faults=frozenset({"bump"}), stamp_ns=205 * MS))
    assert gate.state is GateState.STOPPED


def test_arming_what_is_armed_does_not_forget_that_it_moves(gate: Gate) -> None:
    before = run_up(gate, Wheels(0.4, 0.4))
    gate.arm(1005 * MS)
    assert gate.moving
    after = gate.drive(Wheels(0.4, 0.4), 1010 * MS)
    assert after.left >= before.left
    gate.watch(2000 * MS, Body(), by_eye=True)
    assert gate.state is GateState.STOPPED  # and its clocks go on


def test_driving_blind_needs_no_frames_but_commands(gate: Gate) -> None:
    for at in range(0, 3000, 10):
        gate.drive(Wheels(0.1, 0.1), at * MS)
        gate.watch(at * MS, Body(), by_eye=False)
    assert gate.state is GateState.ARMED
    for at in range(3000, 3300, 10):
        gate.watch(at * MS, Body(), by_eye=False)
    assert gate.reason == "no new command"


def test_what_falls_silent_brakes_first_and_takes_the_motors_off_then(
    gate: Gate, motors: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Motors that are off let the wheels roll on for twice as long."""
    told: list[str] = []
    monkeypatch.setattr(motors, "stop", lambda: told.append("off"))
    run_up(gate, Wheels(0.4, 0.4))
    motors.sent.clear()
    at = 1000
    while gate.state is GateState.ARMED:
        at += 10
        gate.saw_frame(at * MS)
        gate.watch(at * MS, Body())
    assert (at, gate.reason) == (1210, "no new command")
    assert (motors.sent, told) == ([(0, 0)], [])
    for later in range(at + 10, at + 400, 10):
        gate.watch(later * MS, Body())
        assert told == (["off"] if later >= at + 200 else [])
    assert motors.sent == [(0, 0)]


def test_the_end_of_a_movement_does_not_undo_the_brake(
    gate: Gate, motors: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(motors, "stop", lambda: told.append("off"))
    run_up(gate, Wheels(0.4, 0.4))
    gate.brake("gone", 1000 * MS)
    gate.halt(1010 * MS)
    assert (motors.sent[-1], told) == ((0, 0), [])
    gate.watch(1199 * MS, Body())
    assert told == []
    gate.watch(1200 * MS, Body())
    assert told == ["off"]
    gate.halt(1210 * MS)
    assert told == ["off", "off"]


def test_who_arms_meanwhile_is_not_stopped_by_it(gate: Gate, motors: Recorder) -> None:
    run_up(gate, Wheels(0.4, 0.4))
    for at in range(1010, 1220, 10):
        gate.watch(at * MS, Body(), by_eye=False)
    assert gate.state is GateState.STOPPED
    gate.arm(1300 * MS)
    motors.sent.clear()
    for at in range(1310, 1700, 10):
        gate.drive(Wheels(0.1, 0.1), at * MS)
        gate.watch(at * MS, Body(), by_eye=False)
    assert (0, 0) not in motors.sent


def test_a_program_that_was_held_up_rests_and_begins_anew(gate: Gate, motors: Recorder) -> None:
    """On a busy computer nobody is to blame: no alarm, but no jump to the old speed either."""
    for at in range(0, 1000, 10):
        gate.watch(at * MS, Body(), by_eye=False)
        gate.drive(Wheels(0.4, 0.4), at * MS)
    gate.watch(1500 * MS, Body(), by_eye=False)
    assert motors.sent[-1] == (0, 0)
    assert (gate.state, gate.decisions[-1].reason) == (GateState.ARMED, "this program was held up")
    assert gate.drive(Wheels(0.4, 0.4), 1500 * MS).left == pytest.approx(0.01, abs=1e-3)


class Trouble(Recorder):
    """A board whose commands end badly."""

    error: Exception | None = None

    def drive(self, left: int, right: int) -> tuple[int, int]:
        if self.error is not None:
            raise self.error
        return super().drive(left, right)


def words(kind: type[Exception]) -> Exception:
    return kind(expected="a", found="something", remedy="c")  # type: ignore[call-arg]


def test_a_command_that_the_board_refuses_for_a_fault_is_a_stop() -> None:
    motors = Trouble()
    gate = Gate(motors, LIMITS, GEOMETRY)
    gate.arm(0)
    motors.error = words(BoardFaultError)
    assert gate.drive(Wheels(0.1, 0.1), 0) == REST
    assert gate.reason == "the board says: something"
    assert motors.sent == [(0, 0)]


@pytest.mark.parametrize("kind", [LinkLostError, CommandSupersededError])
def test_other_errors_of_the_board_reach_the_caller(kind: type[Exception]) -> None:
    motors = Trouble()
    gate = Gate(motors, LIMITS, GEOMETRY)
    gate.arm(0)
    motors.error = words(kind)
    with pytest.raises(kind):
        gate.drive(Wheels(0.1, 0.1), 0)


@pytest.mark.parametrize("superseded", [False, True])
def test_an_emergency_stop_from_another_thread_does_not_wait_for_a_command(
    superseded: bool,
) -> None:
    """A command hangs on the line; the stop overtakes it; what comes after is a stop."""
    asked, go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def drive(self, left: int, right: int) -> tuple[int, int]:
            asked.set()
            assert go_on.wait(10)
            if superseded:
                raise words(CommandSupersededError)
            return super().drive(left, right)

    motors, given = Slow(), []
    gate = Gate(motors, LIMITS, GEOMETRY)
    gate.arm(0)
    driver = threading.Thread(target=lambda: given.append(gate.drive(Wheels(0.1, 0.1), 0)))
    driver.start()
    assert asked.wait(10)
    gate.stop("emergency stop", 1)
    assert motors.sent == [(0, 0)]  # at once, while the command still hangs
    go_on.set()
    driver.join(10)
    assert given == [REST]
    assert motors.sent[-1] == (0, 0)
    assert gate.reason == "emergency stop"
    assert not gate.moving


def test_stops_from_everywhere_leave_the_motors_off() -> None:
    """Threads that stop against one that drives: the last word on the line is a stop."""
    motors = Recorder()
    gate = Gate(motors, LIMITS, GEOMETRY)
    gate.arm(0)
    over = threading.Event()

    def drive() -> None:
        at = 0
        while not over.is_set():
            gate.drive(Wheels(0.3, 0.3), at * MS)
            at += 10

    driver = threading.Thread(target=drive)
    driver.start()
    for _ in range(200):
        gate.halt(0)
    gate.stop("enough", 0)
    over.set()
    driver.join(10)
    assert motors.sent[-1] == (0, 0)
    assert gate.state is GateState.STOPPED


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"pan": 120.0}, {"pan": 90.0}),
        ({"pan": -500.0, "tilt": 61.0}, {"pan": -90.0, "tilt": 60.0}),
        ({"gripper": -1.0}, {"gripper": 0.0}),
        ({"tilt": 12.5}, {"tilt": 12.5}),
    ],
)
def test_servo_angles_are_clamped(
    gate: Gate, motors: Recorder, asked: dict[str, float], given: dict[str, float]
) -> None:
    assert gate.servos(asked, 0) == given
    assert motors.servos == [given]
    assert gate.held_servos == given


def test_a_servo_that_there_is_not_is_refused(gate: Gate, motors: Recorder) -> None:
    assert gate.servos({"pan": 1.0, "tail": 10.0}, 0) == {}
    assert motors.servos == []
    assert gate.decisions[-1].reason == "refused: no servo tail"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_servo_angle_that_is_no_number_stops(gate: Gate, motors: Recorder, bad: float) -> None:
    assert gate.servos({"pan": 10.0, "tilt": bad}, 0) == {}
    assert motors.servos == []
    assert gate.state is GateState.STOPPED


def test_servo_commands_are_limited_in_number(gate: Gate, motors: Recorder) -> None:
    for at in range(1000):
        gate.servos({"pan": at / 100}, at * MS)
    assert len(motors.servos) == LIMITS.servo_commands_per_s
    # What is left out does not hold, and the answer says so.
    assert gate.servos({"pan": 90.0}, 1000 * MS) != {"pan": motors.servos[-2]["pan"]}
    assert gate.servos({"pan": -90.0}, 1001 * MS) == {"pan": motors.servos[-1]["pan"]}


@pytest.mark.parametrize("state", [GateState.DISARMED, GateState.STOPPED])
def test_unless_armed_only_the_light_changes(motors: Recorder, state: GateState) -> None:
    gate = Gate(motors, LIMITS, GEOMETRY)
    if state is GateState.STOPPED:
        gate.stop("button", 0)
    motors.sent.clear()
    assert gate.drive(Wheels(0.1, 0.1), 0) == REST
    assert gate.servos({"pan": 1.0}, 0) == {}
    gate.light("red", 0)
    assert (motors.sent, motors.servos, motors.lights) == ([], [], ["red"])
    assert gate.state is state


def test_every_decision_is_told_and_why() -> None:
    told: list[Decision] = []
    gate = Gate(Recorder(), LIMITS, GEOMETRY, told.append)
    gate.drive(Wheels(0.1, 0.1), 0)
    gate.arm(0)
    gate.drive(Wheels(0.9, 0.9), 10 * MS)
    gate.servos({"pan": 100.0}, 20 * MS)
    gate.servos({"pan": 50.0}, 21 * MS)
    gate.light("blue", 30 * MS)
    gate.halt(40 * MS)
    gate.drive(Wheels(math.nan, 0), 50 * MS)
    gate.servos({"pan": 1.0}, 60 * MS)
    gate.disarm(70 * MS)
    assert [(d.what, d.reason) for d in told] == [
        ("drive", "refused: not armed yet"),
        ("arm", ""),
        ("drive", "speed limit"),
        ("servos", "angle limit"),
        ("servos", "too many commands"),
        ("light", ""),
        ("halt", ""),
        ("stop", "asked for Wheels(left=nan, right=0)"),
        ("servos", "refused: asked for Wheels(left=nan, right=0)"),
        ("disarm", "disarmed"),
    ]
    assert [(told[3].asked, told[3].applied)] == [({"pan": 100.0}, {"pan": 90.0})]
    assert list(gate.decisions) == told


def test_a_board_that_allows_less_is_believed(motors: Recorder) -> None:
    class Pressed(Recorder):
        def drive(self, left: int, right: int) -> tuple[int, int]:
            return super().drive(min(left, 0), min(right, 0))

    gate = Gate(Pressed(), LIMITS, GEOMETRY)
    gate.arm(0)
    assert run_up(gate, Wheels(0.2, 0.2), to_ms=200) == REST
    assert gate.blocked == "the board's own limit"


speeds = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-1, 1)
ranges = st.none() | st.floats(0, 1) | st.just(math.nan)


@given(
    st.lists(
        st.tuples(
            speeds,
            speeds,
            st.integers(0, 500),
            st.sampled_from(["drive", "drive", "drive", "watch", "arm", "stop", "halt"]),
            ranges,
        ),
        max_size=60,
    )
)
def test_no_order_of_calls_leaves_the_limits(
    steps: list[tuple[float, float, int, str, float | None]],
) -> None:
    motors = Recorder()
    gate = Gate(motors, LIMITS, GEOMETRY)
    now, commanded, range_m, looked = 0, 0, None, 0
    most = LIMITS.speed_mps * GEOMETRY.counts_per_m + 1
    for left, right, wait_ms, what, near_m in steps:
        now += wait_ms * MS
        before = motors.sent[-1] if motors.sent else (0, 0)
        count = len(motors.sent)
        if what == "drive":
            gate.drive(Wheels(left, right), now)
        elif what == "watch":
            if near_m is not None or now - looked > 250 * MS:
                range_m, looked = near_m, now
            gate.watch(now, Body(7.4, near_m))
        elif what == "arm":
            gate.arm(now)
        elif what == "stop":
            gate.stop("somebody", now)
        else:
            gate.halt(now)
        if len(motors.sent) == count:
            continue
        after = motors.sent[-1]
        assert all(abs(speed) <= most for speed in after)
        if what != "drive":
            assert after == (0, 0)
            continue
        since_s = min((now - commanded) * 1e-9, LIMITS.command_stale_s)
        moving = before != (0, 0)
        step = LIMITS.acceleration_mps2 * (since_s if moving else 0.01) * GEOMETRY.counts_per_m
        for old, new in zip(before, after, strict=True):
            assert old * new >= 0, "through zero in one step"
            if abs(new) > abs(old):
                assert abs(new) - abs(old) <= step + 1
        if range_m is not None and not range_m > LIMITS.obstacle_m:
            assert sum(after) <= max(0, sum(before)), "faster towards what is near"
        commanded = now
