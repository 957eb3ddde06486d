"""A base on the real firmware: who may drive, and what stops it."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator

import pytest

from reflexarc.firmware_bridge import Board, BoardState
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.robot.base import Base, Driver, NotArmedError
from reflexarc.robot.body import REST
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.gate import GateState
from reflexarc.robot.odometry import Velocity

CONFIG = RobotConfig()
PER_M = CONFIG.geometry.counts_per_m
AHEAD = Velocity(0.2)
STILL = 15.0
"""Counts/s: 2 mm/s."""
HAND, BRAIN = Driver.HAND, Driver.BRAIN


class Watched:
    """A base that follows its board, and what it has said."""

    def __init__(self, emulator: EmulatedBoard, board: Board, config: RobotConfig = CONFIG) -> None:
        self.emulator = emulator
        self.words: list[str] = []
        self.states: list[BoardState] = []
        self.base = Base(
            config,
            board,
            on_state=self.states.append,
            on_word=self.words.append,
            on_failure=lambda error: pytest.fail(str(error)),
        )

    def __enter__(self) -> Watched:
        self.base.start()
        self.wait_until(lambda: bool(self.states))
        return self

    def __exit__(self, *_: object) -> None:
        self.base.end()

    @contextlib.contextmanager
    def driving(self, speed: Velocity, driver: Driver) -> Iterator[None]:
        """Say a speed again and again, as drivers do."""
        over = threading.Event()

        def say() -> None:
            while not over.wait(0.01):
                with contextlib.suppress(LinkLostError):
                    self.base.drive(speed, driver)

        thread = threading.Thread(target=say)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def wait_until(self, what, seconds: float = 5.0) -> None:  # type: ignore[no-untyped-def]
        """On the chip's clock."""
        end = self.emulator.status().seconds + seconds
        while not what():
            assert self.emulator.status().seconds < end, f"it did not happen; {self.words}"
            self.emulator.wait(0.005)

    def still_after(self) -> float:
        """Emulated seconds from now until the wheels stand still; then the pins are quiet."""
        start = self.emulator.status().seconds
        self.wait_until(lambda: max(map(abs, self.emulator.status().speed)) < STILL)
        stood = self.emulator.status().seconds
        assert self.emulator.wait(0.5).duty == (0, 0)
        return stood - start


@pytest.fixture
def base(emulator: EmulatedBoard, board: Board) -> Iterator[Watched]:
    with Watched(emulator, board) as watched:
        yield watched


def speeds(watched: Watched) -> tuple[float, float]:
    left, right = watched.emulator.status().speed
    return left / PER_M, right / PER_M


def test_nothing_moves_before_somebody_arms(base: Watched) -> None:
    assert base.base.drive(AHEAD, HAND) == REST
    assert base.emulator.wait(0.1).duty == (0, 0)
    base.base.arm()
    with base.driving(AHEAD, HAND):
        base.wait_until(lambda: speeds(base) == pytest.approx((0.2, 0.2), abs=0.01))


def test_a_turn_to_the_left_is_positive_and_odometry_agrees(base: Watched) -> None:
    base.base.arm()
    with base.driving(Velocity(0.1, 1.0), BRAIN):
        base.wait_until(lambda: speeds(base) == pytest.approx((0.025, 0.175), abs=0.01))
        base.emulator.wait(0.5)
        base.base.halt()
    base.base.disarm()
    status = base.emulator.wait(0.5)
    left, right = (count / PER_M for count in status.encoder)
    base.wait_until(lambda: base.states[-1].encoder == status.encoder)
    pose = base.base.odometry.pose
    assert pose.yaw == pytest.approx((right - left) / 0.15, abs=1e-9)
    assert pose.yaw > 0.3
    assert math.hypot(pose.x, pose.y) < (left + right) / 2
    assert pose.y > 0


def test_a_hand_goes_before_the_brain_and_its_zero_is_a_command(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, BRAIN):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
        with base.driving(Velocity(-0.1), HAND):
            base.wait_until(lambda: speeds(base) == pytest.approx((-0.1, -0.1), abs=0.01))
            assert base.base.by_hand
        with base.driving(Velocity(), HAND):
            base.wait_until(lambda: base.emulator.status().duty == (0, 0))
            assert base.emulator.wait(0.3).duty == (0, 0)
        # What the hand has interrupted does not go on by itself, however long it is silent.
        assert base.emulator.wait(0.5).duty == (0, 0)
        assert base.base.by_hand
        base.base.drive(Velocity(), BRAIN)
        base.wait_until(lambda: speeds(base)[0] > 0.15)
        assert not base.base.by_hand
    assert base.base.gate.state is not GateState.DISARMED


def test_a_brain_that_was_silent_after_the_hand_may_begin_anew(base: Watched) -> None:
    """Such as one that has died and was started again."""
    base.base.arm()
    with base.driving(AHEAD, HAND):
        base.emulator.wait(0.1)
        base.base.drive(AHEAD, BRAIN)
    base.emulator.wait(1.5)
    assert not base.base.by_hand
    assert base.base.drive(AHEAD, BRAIN) != REST


def test_a_hand_that_falls_silent_lets_the_motors_go_off_without_a_latch(base: Watched) -> None:
    base.base.arm()
    for _ in range(2):
        with base.driving(AHEAD, HAND):
            base.wait_until(lambda: speeds(base)[0] > 0.15)
        assert base.still_after() < 0.4
        assert base.base.gate.state is GateState.ARMED


def test_a_brain_that_falls_silent_in_mid_move_latches_a_stop(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, BRAIN):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
    assert base.still_after() < 0.4
    assert (base.base.gate.state, base.base.gate.reason) == (GateState.STOPPED, "no new command")
    with base.driving(AHEAD, BRAIN):  # another one, started anew, moves nothing
        assert base.emulator.wait(0.3).duty == (0, 0)
    base.base.arm()
    with base.driving(AHEAD, BRAIN):
        base.wait_until(lambda: speeds(base)[0] > 0.15)


def test_a_brain_that_rests_at_its_end_latches_nothing(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, BRAIN):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
    with base.driving(Velocity(), BRAIN):
        base.wait_until(lambda: not base.base.gate.moving)
    base.emulator.wait(0.5)
    assert base.base.gate.state is GateState.ARMED


@pytest.mark.parametrize("bad", [Velocity(math.nan), Velocity(0.1, math.inf)])
@pytest.mark.parametrize("driver", [HAND, BRAIN])
def test_a_speed_that_is_no_number_halts_and_says_so(
    base: Watched, bad: Velocity, driver: Driver
) -> None:
    base.base.arm()
    with base.driving(AHEAD, driver):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
    assert base.base.drive(bad, driver) == REST
    assert base.emulator.wait(0.05).duty == (0, 0)
    assert base.words == [f"a speed that is no number, from the {driver.value}: halted"]
    assert base.base.gate.state is GateState.ARMED


def test_of_angles_that_come_too_fast_the_last_one_is_reached(base: Watched) -> None:
    base.base.arm()
    for angle in range(0, 41, 2):
        base.base.servos({"pan": float(angle)})
    base.base.servos({"tilt": math.nan})
    base.wait_until(lambda: base.states[-1].servos["pan"] == 40.0)
    assert base.emulator.wait(0.05).servo_us[0] == pytest.approx(1900, abs=3)
    assert base.words == ["an angle that is no number: left out"]


def test_the_light_works_while_stopped_too(base: Watched) -> None:
    base.base.stop("enough")
    base.base.light("magenta")
    base.wait_until(lambda: base.emulator.status().light == (1, 0, 1))


def test_a_stop_latches_until_somebody_arms(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, HAND):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
        base.base.stop("somebody is in the way")
        assert base.emulator.wait(0.05).duty == (0, 0)
        assert base.emulator.wait(0.3).duty == (0, 0)
        assert base.base.gate.reason == "somebody is in the way"
        base.base.arm()
        base.wait_until(lambda: speeds(base)[0] > 0.15)


def test_what_is_still_so_keeps_it_from_being_armed(base: Watched) -> None:
    base.emulator.open_emergency_stop(True)
    base.wait_until(lambda: "emergency_stop" in base.states[-1].faults)
    with pytest.raises(NotArmedError, match="release the button"):
        base.base.arm()
    base.emulator.open_emergency_stop(False)
    base.emulator.wait(0.1)
    base.base.arm()
    base.emulator.set_battery(6.2)
    base.wait_until(lambda: base.base.gate.state is GateState.STOPPED)
    with pytest.raises(NotArmedError, match="battery"):
        base.base.arm()


def test_a_pulled_cable_stops_it_until_it_is_back_and_somebody_arms(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, HAND):
        base.wait_until(lambda: speeds(base)[0] > 0.15)
        base.emulator.unplug()
        pulled = base.emulator.status()
        later = base.emulator.wait(0.5)
        assert later.duty == (0, 0)
        assert (max(later.last_edge_cycle) - pulled.last_rx_cycle) / CPU_HZ < 0.31
        assert base.base.connection == "reconnecting"
        with pytest.raises(LinkLostError):
            base.base.arm()
        base.emulator.replug()
        base.wait_until(lambda: base.base.connection == "connected")
        assert base.emulator.wait(0.3).duty == (0, 0)
        assert base.words[-1] == "the board is back: nothing moves until somebody arms"
        # What it rolled meanwhile was counted.
        encoder = base.emulator.status().encoder
        base.wait_until(lambda: base.states[-1].encoder == encoder)
        rolled = sum(encoder) / 2 / PER_M
        assert base.base.odometry.pose.x == pytest.approx(rolled, abs=1e-3)
        base.base.arm()
        base.wait_until(lambda: speeds(base)[0] > 0.15)


def test_a_chip_that_restarts_stops_it_and_the_pose_stays(base: Watched) -> None:
    base.base.arm()
    with base.driving(AHEAD, HAND):
        base.wait_until(lambda: base.base.odometry.pose.x > 0.1)
        base.emulator.reset()
        base.wait_until(lambda: base.base.connection == "restarted")
        assert base.emulator.wait(0.1).duty == (0, 0)
    assert base.base.gate.state is GateState.STOPPED
    at = base.base.odometry.pose
    assert 0.1 < at.x < 0.2
    base.emulator.wait(0.5)
    base.base.arm()
    before = len(base.states)
    base.wait_until(lambda: len(base.states) > before + 10)
    assert base.base.odometry.pose == at
    with base.driving(AHEAD, HAND):
        base.wait_until(lambda: base.base.odometry.pose.x > at.x + 0.1)


def test_the_end_is_motors_off(emulator: EmulatedBoard, board: Board) -> None:
    with Watched(emulator, board) as watched:
        watched.base.arm()
        with watched.driving(AHEAD, HAND):
            watched.wait_until(lambda: speeds(watched)[0] > 0.15)
            watched.base.end()
            assert emulator.wait(0.05).duty == (0, 0)
            assert emulator.wait(0.3).duty == (0, 0)
        told = len(watched.states)
        emulator.wait(0.1)
        assert len(watched.states) == told


def test_a_board_that_is_silent_is_not_followed(emulator: EmulatedBoard, board: Board) -> None:
    emulator.unplug()
    emulator.wait(0.1)
    with pytest.raises(LinkLostError):
        Base(CONFIG, board).start()
