"""Gazebo's joints and scan as a board: states, what stops it, and what it says to the wheels."""

from __future__ import annotations

import math
import threading
import time

import pytest

from reflexarc.firmware_bridge.engine import ConnectionStatus
from reflexarc.firmware_bridge.errors import (
    BoardError,
    BoardRestartedError,
    LinkLostError,
    StateTimeoutError,
)
from reflexarc.robot import gazebo_board
from reflexarc.robot.config import Geometry
from reflexarc.robot.gazebo_board import GazeboBoard, Joints
from reflexarc.robot.odometry import Velocity

GEOMETRY = Geometry()
WHEELS = ("left_wheel_joint", "right_wheel_joint")
SERVOS = {"pan": "pan_joint", "tilt": "tilt_joint"}
REST = Velocity()
MS = 1_000_000


class Gazebo:
    """The other side: joints that a test moves, and what was commanded."""

    def __init__(self) -> None:
        self.speeds: list[Velocity] = []
        self.angles: list[tuple[str, float]] = []
        self.board = GazeboBoard(
            GEOMETRY,
            WHEELS,
            SERVOS,
            drive=self.speeds.append,
            turn=lambda joint, angle: self.angles.append((joint, angle)),
        )
        self.at_ns = 0
        self.positions = dict.fromkeys((*WHEELS, *SERVOS.values()), 0.0)
        self.velocities = dict.fromkeys(self.positions, 0.0)

    def step(self, ms: int = 10, **positions: float) -> None:
        self.at_ns += ms * MS
        self.positions.update(positions)
        self.board.take(Joints(self.at_ns, dict(self.positions), dict(self.velocities)))


@pytest.fixture
def gazebo() -> Gazebo:
    return Gazebo()


def test_wheel_angles_become_encoder_counts_and_speeds(gazebo: Gazebo) -> None:
    gazebo.velocities["left_wheel_joint"] = math.pi
    gazebo.step(left_wheel_joint=2 * math.pi, right_wheel_joint=-math.pi, pan_joint=math.pi / 4)
    state = gazebo.board.wait_state()
    assert state.encoder == (1440, -720)
    assert state.speed == (720, 0)
    assert state.servos == {"pan": 45.0, "tilt": 0.0}
    assert state.chip_us == 10_000
    assert state.range_m is None
    assert not state.faults
    assert state.battery_v > 8


def test_states_come_every_ten_milliseconds_however_often_joints_do(gazebo: Gazebo) -> None:
    stamps = set()
    for _ in range(500):
        gazebo.step(2)
        state = gazebo.board.state
        assert state is not None
        stamps.add(state.chip_us)
    assert len(stamps) == 100


def test_counts_become_a_speed_of_the_body(gazebo: Gazebo) -> None:
    gazebo.step()
    per_m = GEOMETRY.counts_per_m
    sent = gazebo.board.drive(round(0.1 * per_m), round(0.3 * per_m))
    assert sent == (round(0.1 * per_m), round(0.3 * per_m))
    assert gazebo.speeds[-1].ahead == pytest.approx(0.2, abs=1e-4)
    assert gazebo.speeds[-1].turning == pytest.approx(0.2 / 0.15, abs=1e-3)
    gazebo.board.stop()
    assert gazebo.speeds[-1] == REST


def test_servos_get_radians_by_their_joints(gazebo: Gazebo) -> None:
    assert gazebo.board.set_servos({"pan": 90.0, "tilt": -45.0}) == {"pan": 90.0, "tilt": -45.0}
    assert gazebo.angles == [
        ("pan_joint", pytest.approx(math.pi / 2)),
        ("tilt_joint", pytest.approx(-math.pi / 4)),
    ]


@pytest.mark.parametrize(
    ("ranges", "nearest"),
    [
        ([math.inf, 1.2, 0.8, math.inf], 0.8),
        ([math.inf, math.inf], None),
        ([math.inf, -math.inf], 0.02),  # REP-117: nearer than it can measure
        ([math.nan, 0.5], 0.5),
        ([], None),
    ],
)
def test_of_the_scan_the_nearest_counts(
    gazebo: Gazebo, ranges: list[float], nearest: float | None
) -> None:
    gazebo.board.scan(0, ranges, 0.02)
    gazebo.step()
    assert gazebo.board.wait_state().range_m == nearest
    assert gazebo.board.warnings == ()


def test_a_scan_that_does_not_come_is_said_and_an_old_one_is_forgotten(gazebo: Gazebo) -> None:
    gazebo.step()
    assert "blindly" in gazebo.board.warnings[0]
    gazebo.board.scan(gazebo.at_ns, [0.4], 0.02)
    gazebo.step()
    assert gazebo.board.wait_state().range_m == 0.4
    for _ in range(60):
        gazebo.step()
    state = gazebo.board.state
    assert state is not None and state.range_m is None
    assert gazebo.board.warnings


def test_nobody_commands_and_it_stands_still_as_the_firmware_would(
    gazebo: Gazebo, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    gazebo.step()
    gazebo.board.drive(100, 100)
    now += 290 * MS
    gazebo.step()
    assert gazebo.speeds[-1] != REST
    now += 20 * MS
    gazebo.step()
    assert gazebo.speeds[-1] == REST
    assert gazebo.board.state is not None and gazebo.board.state.host_timed_out
    gazebo.board.drive(100, 100)
    gazebo.step()
    assert not gazebo.board.state.host_timed_out


def test_a_rest_is_said_again_for_who_has_missed_it(
    gazebo: Gazebo, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    gazebo.step()
    gazebo.board.stop()
    said = len(gazebo.speeds)
    for _ in range(100):
        now += 10 * MS
        gazebo.step()
    assert 3 <= len(gazebo.speeds) - said <= 5
    assert set(gazebo.speeds) == {REST}


def test_a_paused_gazebo_is_a_lost_board_and_takes_no_speed(
    gazebo: Gazebo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gazebo_board, "SILENT_S", 0.02)
    gazebo.step()
    state = gazebo.board.wait_state()
    with pytest.raises(LinkLostError, match="not paused"):
        gazebo.board.wait_state(0.05, after=state)
    assert gazebo.board.status is ConnectionStatus.RECONNECTING
    said = len(gazebo.speeds)
    with pytest.raises(LinkLostError):
        gazebo.board.drive(10, 10)
    assert len(gazebo.speeds) == said
    gazebo.step()
    assert gazebo.board.wait_state().chip_us == 20_000
    assert gazebo.board.status is ConnectionStatus.CONNECTED


def test_before_gazebo_is_there_it_says_what_to_start(gazebo: Gazebo) -> None:
    with pytest.raises(StateTimeoutError, match="reflexarc launch gazebo"):
        gazebo.board.wait_state(0.01)


def test_a_world_that_is_reset_is_as_a_chip_that_started_anew(gazebo: Gazebo) -> None:
    for _ in range(5):
        gazebo.step(left_wheel_joint=10.0)
    gazebo.at_ns = 0
    gazebo.step(left_wheel_joint=0.0)
    assert gazebo.board.status is ConnectionStatus.RESTARTED
    with pytest.raises(BoardRestartedError):
        gazebo.board.wait_state()
    with pytest.raises(LinkLostError):
        gazebo.board.drive(10, 10)
    gazebo.board.rearm()
    gazebo.step()
    assert gazebo.board.wait_state().encoder == (0, 0)
    assert gazebo.board.statistics().reconnects == 1


def test_who_waits_gets_the_next_state_or_the_end(gazebo: Gazebo) -> None:
    gazebo.step()
    first = gazebo.board.wait_state()
    later = threading.Timer(0.05, gazebo.step)
    later.start()
    assert gazebo.board.wait_state(5.0, after=first).chip_us == 20_000
    later.join()
    end = threading.Timer(0.05, gazebo.board.close)
    end.start()
    with pytest.raises(LinkLostError):
        gazebo.board.wait_state(5.0, after=gazebo.board.state)
    end.join()


def test_closed_it_rests_and_says_nothing_more(gazebo: Gazebo) -> None:
    gazebo.step()
    gazebo.board.drive(10, 10)
    gazebo.board.close()
    said = list(gazebo.speeds)
    assert said[-1] == REST
    gazebo.board.stop()
    assert gazebo.speeds == said
    assert gazebo.board.status is ConnectionStatus.CLOSED


def test_a_model_without_our_wheels_is_refused_by_name(gazebo: Gazebo) -> None:
    with pytest.raises(BoardError, match="found elbow"):
        gazebo.board.take(Joints(1, {"elbow": 0.0}, {}))
