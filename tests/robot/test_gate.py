"""The gate in front of a recording driver; nothing else of a board is needed here."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.robot.config import Geometry, Limits
from reflexarc.robot.gate import Gate, GateState, Wheels

MS = 1_000_000
GEOMETRY = Geometry()
LIMITS = Limits(speed_mps=0.4, acceleration_mps2=1.0, frame_stale_s=0.5, command_stale_s=0.2)
REST = Wheels(0.0, 0.0)


class Recorder:
    """Remembers what reached the motors, in counts/s."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def drive(self, left: int, right: int) -> tuple[int, int]:
        self.sent.append((left, right))
        return left, right

    def stop(self) -> None:
        self.sent.append((0, 0))


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
    gate.watch(600 * MS, battery_v)
    assert gate.state is (GateState.STOPPED if reason else GateState.ARMED)
    if reason:
        assert gate.reason == reason


def test_a_robot_at_rest_may_stay_without_frames(gate: Gate) -> None:
    gate.watch(10_000 * MS, 7.4)
    assert gate.state is GateState.ARMED


speeds = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.lists(
        st.tuples(speeds, speeds, st.integers(0, 500), st.sampled_from(["drive", "watch", "arm"])),
        max_size=40,
    )
)
def test_no_order_of_calls_leaves_the_limits(
    steps: list[tuple[float, float, int, str]],
) -> None:
    motors = Recorder()
    gate = Gate(motors, LIMITS, GEOMETRY)
    now = 0
    most = LIMITS.speed_mps * GEOMETRY.counts_per_m + 1
    for left, right, wait_ms, what in steps:
        now += wait_ms * MS
        before = motors.sent[-1] if motors.sent else (0, 0)
        count = len(motors.sent)
        if what == "drive":
            gate.drive(Wheels(left, right), now)
        elif what == "watch":
            gate.watch(now, left)
        elif gate.state is not GateState.ARMED:
            gate.arm(now)
        if len(motors.sent) == count:
            continue
        after = motors.sent[-1]
        assert all(abs(speed) <= most for speed in after)
        step = LIMITS.acceleration_mps2 * LIMITS.command_stale_s * GEOMETRY.counts_per_m + 1
        for old, new in zip(before, after, strict=True):
            assert abs(new) - abs(old) <= step
