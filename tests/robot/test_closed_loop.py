"""The robot's core against the real firmware on the emulated chip."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from programs import run_program

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import CPU_HZ, EmulatedBoard
from reflexarc.firmware_bridge.errors import LinkLostError
from reflexarc.perception import Box, Detection, Frame, Observation
from reflexarc.robot.actions import Action, Gesture, Grip, Light, Look, Move, Repeat, Stop, Turn
from reflexarc.robot.body import Wheels
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.events import Event
from reflexarc.robot.gate import GateState
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import Reflex
from reflexarc.robot.robot import Robot


class Told:
    """A task that says the digit it is told to see; the rest of the robot is real."""

    def __init__(self) -> None:
        self.digit: int | None = None

    def process(self, frame: Frame) -> Observation:
        box = Box(0, 0, 20, 20)
        found = () if self.digit is None else (Detection(str(self.digit), 1.0, box),)
        return Observation(frame.stamp_ns, frame.seq, frame.source, "digits", found)


class Life:
    """A robot that lives in a thread, with a camera that shows nothing in particular."""

    def __init__(self, board: Board, *rules: Reflex) -> None:
        self.events: list[Event] = []
        self.eyes = Told()
        self.error: ReflexarcError | None = None
        self.blind = threading.Event()
        self._over = threading.Event()
        self._news = threading.Condition()
        config = RobotConfig(reflexes=rules)
        self.counts_per_m = config.geometry.counts_per_m

        def live() -> None:
            try:
                with Robot(
                    config, board, make_task=lambda name: self.eyes, on_event=self._hear
                ) as self.robot:
                    self.robot.see(self._frames())
            except ReflexarcError as error:
                self.error = error

        self.thread = threading.Thread(target=live, daemon=True)

    def _frames(self) -> Iterator[Frame]:
        image = np.zeros((4, 4, 3), np.uint8)
        number = 0
        while not self._over.wait(0.02):
            if not self.blind.is_set():
                yield Frame(image, time.monotonic_ns(), number, "test")
                number += 1

    def _hear(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait_until(self, what: Callable[[], bool], timeout: float = 30.0) -> None:
        with self._news:
            assert self._news.wait_for(what, timeout), self.events[-5:]

    def wait_for(self, kind: str) -> Event:
        self.wait_until(lambda: any(e.kind == kind for e in self.events))
        return next(e for e in self.events if e.kind == kind)

    def __enter__(self) -> Life:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


def on_digit(value: int, *actions: Action, hold_s: float = 0.0) -> Reflex:
    return Reflex(event="digit_seen", value=value, hold_s=hold_s, cooldown_s=0, actions=actions)


def rolled(emulator: EmulatedBoard, before: tuple[int, int], counts_per_m: float) -> list[float]:
    """What the emulated wheels really rolled, left and right, in metres."""
    now = emulator.status().encoder
    return [(a - b) / counts_per_m for a, b in zip(now, before, strict=True)]


@pytest.mark.parametrize("distance", [0.1, -0.25, 0.6])
def test_a_seen_digit_moves_the_body_by_its_distance(
    emulator: EmulatedBoard, board: Board, distance: float
) -> None:
    with Life(board, on_digit(3, Move(distance_m=distance))) as robot:
        robot.eyes.digit = 3
        done = robot.wait_for("finished")
        assert done.travel
        assert done.travel.distance_m == pytest.approx(distance, rel=0.05)
        body = rolled(emulator, (0, 0), robot.counts_per_m)
        assert body == pytest.approx([distance, distance], rel=0.05)


def test_a_turn_rolls_the_wheels_apart(emulator: EmulatedBoard, board: Board) -> None:
    with Life(board, on_digit(3, Turn(angle_deg=90))) as robot:
        robot.eyes.digit = 3
        robot.wait_for("finished")
        left, right = rolled(emulator, (0, 0), robot.counts_per_m)
    assert math.degrees((right - left) / 0.15) == pytest.approx(90, abs=2)
    assert left == pytest.approx(-right, abs=0.002)


def test_a_stop_reflex_ends_a_move_and_the_pins_are_quiet(
    emulator: EmulatedBoard, board: Board
) -> None:
    rules = (on_digit(9, Move(distance_m=5.0)), on_digit(0, Stop()))
    with Life(board, *rules) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.wait(0.4)
        robot.eyes.digit = 0
        assert robot.wait_for("failed").text == "stopped by a reflex"
        robot.wait_for("finished")
        assert emulator.wait(0.05).duty == (0, 0)


def test_a_camera_that_falls_silent_stops_the_move(emulator: EmulatedBoard, board: Board) -> None:
    with Life(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.wait(0.3)
        assert emulator.status().duty != (0, 0)
        robot.blind.set()
        assert robot.wait_for("failed").text == "no new frame"
        assert max(emulator.wait(0.05).duty) <= 0, "the wheels brake"
        status = emulator.wait(0.25)
        assert (status.duty, max(map(abs, status.speed)) < 50) == ((0, 0), True), status


def test_an_empty_battery_stops_the_move(emulator: EmulatedBoard, board: Board) -> None:
    with Life(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.set_battery(6.1)
        assert robot.wait_for("failed").text.startswith("battery at 6.")
        assert emulator.wait(0.05).duty == (0, 0)


def test_a_chip_that_restarts_in_mid_move_stays_stopped_until_somebody_arms(
    emulator: EmulatedBoard, board: Board
) -> None:
    with Blind(board) as life:
        life.order(Move(distance_m=5.0))
        wait_until(emulator, lambda: emulator.status().speed[0] > 1000, 5)
        emulator.reset()
        wait_until(emulator, lambda: len(life.said("stopped")) == 2, 10)
        lost, back = life.said("stopped")
        assert lost.startswith("the board is lost: a chip that has started again")
        assert back == (
            "the board is back, after a new start of its chip: nothing moves until somebody arms"
        )
        assert life.said("failed") == [lost]
        assert emulator.wait(0.05).duty == (0, 0)
        life.order(Move(distance_m=0.1))
        assert life.said("failed")[1:] == [lost]
        emulator.wait(0.3)
        before = emulator.status().encoder

        life.robot.arm()
        life.order(Move(distance_m=0.1))  # its counts began anew: they are not mixed up
        wait_until(emulator, lambda: life.said("finished") == ["move +0.1 m"], 10)
        body = rolled(emulator, before, RobotConfig().geometry.counts_per_m)
        assert body == pytest.approx([0.1, 0.1], abs=0.005)
        life.robot.check()


def test_a_pulled_cable_stops_the_pins_within_310_ms_and_the_robot_lives_on(
    emulator: EmulatedBoard, board: Board
) -> None:
    with Life(board, on_digit(9, Move(distance_m=5.0)), on_digit(3, Turn(angle_deg=30))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        pulled = emulator.wait(0.4)
        assert pulled.duty != (0, 0)
        emulator.unplug()
        later = emulator.wait(0.5)
        assert later.duty == (0, 0)
        assert max(later.last_edge_cycle) - later.last_rx_cycle <= 0.310 * CPU_HZ
        assert robot.wait_for("failed").text.startswith("the board is lost: ")
        with pytest.raises(LinkLostError):  # not yet
            robot.robot.arm()
        emulator.replug()
        robot.wait_until(lambda: [e.kind for e in robot.events].count("stopped") == 2)
        assert robot.events[-1].text == "the board is back: nothing moves until somebody arms"
        robot.eyes.digit = 3
        robot.wait_until(lambda: robot.events[-1].kind == "ignored")
        assert emulator.wait(0.05).duty == (0, 0)

        robot.eyes.digit = None
        emulator.wait(0.2)  # until that was seen
        robot.robot.arm()
        before = emulator.status().encoder
        robot.eyes.digit = 3
        robot.wait_for("finished")
        left, right = rolled(emulator, before, robot.counts_per_m)
        assert math.degrees((right - left) / 0.15) == pytest.approx(30, abs=2)
    assert robot.error is None


def test_a_robot_whose_board_does_not_come_back_still_ends(
    emulator: EmulatedBoard, board: Board
) -> None:
    with Life(board, on_digit(9, Move(distance_m=5.0))) as robot:
        robot.eyes.digit = 9
        robot.wait_for("started")
        emulator.unplug()
        robot.wait_for("stopped")
    assert robot.error is None  # its thread has ended: see Life


def card(digit: np.ndarray) -> np.ndarray:
    frame = np.full((240, 320, 3), 120, np.uint8)
    frame[50:190, 90:230] = cv2.resize(digit, (140, 140))[..., None]
    return frame


def test_killing_the_whole_robot_stops_the_pins_within_310_ms(
    emulator: EmulatedBoard, tmp_path: Path, mnist: object
) -> None:
    """`reflexarc run` sees a 9, drives off, and is killed in mid-move."""
    nine = mnist.test_images[mnist.test_labels == 9][0]  # type: ignore[attr-defined]
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(400):
        cv2.imwrite(str(frames / f"{number:03}.png"), card(nine))
    (tmp_path / "robot.yaml").write_text(
        "reflexes: [{event: digit_seen, value: 9, actions: [{do: move, distance_m: 5}]}]"
    )
    command = [sys.executable, "-m", "reflexarc.cli", "run", str(tmp_path / "robot.yaml")]
    command += ["--source", str(frames), "--port", emulator.port]
    with run_program(command, stdout=subprocess.DEVNULL) as robot:
        while emulator.status().speed[0] < 1500:
            assert robot.poll() is None, "it ended before it moved"
            time.sleep(0.01)
        robot.kill()
    killed = emulator.status()
    later = emulator.wait(0.5)
    assert later.duty == (0, 0)
    assert max(later.last_edge_cycle) - killed.cycle <= 0.310 * CPU_HZ
    assert max(later.last_edge_cycle) - later.last_rx_cycle <= 0.310 * CPU_HZ
    assert later.speed == pytest.approx((0, 0), abs=1)


# ---- orders, on a robot without a camera


class Blind:
    """A robot that sees nothing and does what it is told."""

    def __init__(self, board: Board, **settings: Any) -> None:
        self.events: list[Event] = []
        self.robot = Robot(RobotConfig(**settings), board, on_event=self.events.append)

    def __enter__(self) -> Blind:
        self.robot.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.robot.__exit__(*error)

    def order(self, *actions: Action) -> None:
        self.robot.controller.order(Plan(status="ok", actions=actions))

    def said(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]


def wait_until(emulator: EmulatedBoard, what: Callable[[], bool], seconds: float) -> None:
    """On the chip's clock."""
    end = emulator.status().seconds + seconds
    while not what():
        assert emulator.status().seconds < end, "it did not happen"
        emulator.wait(0.005)


def test_a_long_way_needs_no_camera(emulator: EmulatedBoard, board: Board) -> None:
    with Blind(board, limits={"speed_mps": 0.8, "acceleration_mps2": 2.0}) as life:
        life.order(Move(distance_m=1.5))
        wait_until(emulator, lambda: not life.robot.controller.busy, 10)
        assert life.said("finished") == ["move +1.5 m"]
        counts_per_m = RobotConfig().geometry.counts_per_m
        assert rolled(emulator, (0, 0), counts_per_m) == pytest.approx([1.5, 1.5], rel=0.02)


@pytest.mark.parametrize(
    ("speed", "acceleration", "past_m"), [(0.4, 1.0, 0.005), (0.8, 3.0, 0.015)]
)
def test_a_wall_ahead_ends_the_way_before_it(
    emulator: EmulatedBoard, board: Board, speed: float, acceleration: float, past_m: float
) -> None:
    """The range sensor answers with what is left to a wall at 0.9 m."""
    limits = {"speed_mps": speed, "acceleration_mps2": acceleration, "obstacle_m": 0.2}
    counts_per_m = RobotConfig().geometry.counts_per_m
    with Blind(board, limits=limits) as life:
        fastest = 0.0

        def is_over() -> bool:
            nonlocal fastest
            status = emulator.status()
            fastest = max(fastest, status.speed[0] / counts_per_m)
            emulator.set_range(round(900 - 1000 * status.encoder[0] / counts_per_m))
            return not life.robot.controller.busy

        emulator.set_range(900)
        emulator.wait(0.15)
        life.order(Move(distance_m=2))
        wait_until(emulator, is_over, 12)
        left_m = 0.9 - emulator.wait(0.3).encoder[0] / counts_per_m
    assert fastest > 0.9 * speed or speed > 0.5
    assert 0.2 - past_m <= left_m <= 0.2 + 0.03
    ((reason),) = life.said("failed")
    assert "something ahead at 0.2" in reason
    assert reason.endswith("clear the way, or turn")


def test_a_bump_stops_latches_and_lets_it_back_off(emulator: EmulatedBoard, board: Board) -> None:
    with Blind(board) as life:
        life.order(Move(distance_m=2))
        wait_until(emulator, lambda: emulator.status().speed[0] > 1000, 5)
        emulator.press_bump(True)
        wait_until(emulator, lambda: life.robot.gate.state is GateState.STOPPED, 1)
        assert emulator.wait(0.05).duty == (0, 0)
        ((reason),) = life.said("failed")
        assert reason.startswith("the board says: bump")
        life.order(Move(distance_m=-0.05))
        assert life.said("failed")[-1] == f"not armed: {reason}"
        emulator.wait(0.5)  # until it has rolled out
        life.robot.arm()  # still pressed: back is free, forward is not
        before = emulator.status().encoder
        life.order(Move(distance_m=-0.05))
        wait_until(emulator, lambda: not life.robot.controller.busy, 5)
        back = rolled(emulator, before, RobotConfig().geometry.counts_per_m)
        assert back == pytest.approx([-0.05, -0.05], abs=0.005)
        life.order(Move(distance_m=0.1))
        wait_until(emulator, lambda: not life.robot.controller.busy, 5)
        assert "the board's own limit" in life.said("failed")[-1]


def test_the_button_of_the_emergency_stop(emulator: EmulatedBoard, board: Board) -> None:
    with Blind(board) as life:
        life.order(Turn(angle_deg=720))
        wait_until(emulator, lambda: abs(emulator.status().speed[0]) > 300, 5)
        emulator.open_emergency_stop(True)
        wait_until(emulator, lambda: life.robot.gate.state is GateState.STOPPED, 1)
        assert emulator.wait(0.05).duty == (0, 0)
        life.robot.arm()  # the button is still down
        wait_until(emulator, lambda: life.robot.gate.state is GateState.STOPPED, 1)
        emulator.open_emergency_stop(False)
        emulator.wait(0.1)
        life.robot.arm()
        emulator.wait(0.1)
        assert life.robot.gate.state is GateState.ARMED


def test_a_listener_that_fails_ends_the_robot_with_motors_off(
    emulator: EmulatedBoard, board: Board
) -> None:
    """Such as a print into a pipe that nobody reads any more."""

    def hear(event: Event) -> None:
        if event.kind == "finished":
            raise BrokenPipeError("gone")

    with Robot(RobotConfig(), board, on_event=hear) as robot:
        plan = Plan(status="ok", actions=(Move(distance_m=0.1), Move(distance_m=3)))
        robot.controller.order(plan)
        with pytest.raises(BrokenPipeError):
            while True:
                robot.check()
                emulator.wait(0.01)
        assert robot.gate.state is GateState.STOPPED
        assert emulator.wait(0.05).duty == (0, 0)


def test_hammered_from_all_sides_it_stays_whole(emulator: EmulatedBoard, board: Board) -> None:
    """Orders, looks, hands, stops and arms from threads of their own, against the real chip."""
    rules = (on_digit(3, Gesture(name="nod")), on_digit(4, Light(color="red")))
    over, errors = threading.Event(), []
    with Blind(board, reflexes=rules) as life:
        robot, control = life.robot, life.robot.controller
        moves = (Move(distance_m=0.3), Turn(angle_deg=30), Look(pan_deg=20), Grip(state="open"))
        plans = [
            Plan(status="ok", actions=(Repeat(times=3, actions=(move,)), *moves)) for move in moves
        ]

        def look(number: int) -> None:
            found = (Detection(str(number % 6), 1.0, Box(0, 0, 9, 9)),) if number % 2 else ()
            control.observe(Observation(time.monotonic_ns(), number, "t", "digits", found))

        def do(each: Callable[[int], object], pause: float) -> None:
            number = 0
            try:
                while not over.wait(pause):
                    each(number)
                    number += 1
            except BaseException as error:
                errors.append(error)

        work: list[tuple[Callable[[int], object], float]] = [
            (lambda n: control.order(plans[n % len(plans)]), 0.05),
            (look, 0.004),
            (lambda n: control.manual(Wheels(0.1, -0.1)), 0.09),
            (lambda n: control.stop("hammer"), 0.11),
            (lambda n: robot.stop("hammer"), 0.13),
            (lambda n: robot.arm(), 0.07),
        ]
        threads = [threading.Thread(target=do, args=each) for each in work]
        for thread in threads:
            thread.start()
        emulator.wait(3)
        over.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        robot.check()
        assert errors == []
        robot.arm()
        robot.stop("enough")
        assert emulator.wait(0.05).duty == (0, 0)
        emulator.wait(0.1)
        assert not control.busy or control.has_order


@pytest.mark.parametrize("configured", [False, True])
def test_a_task_that_cannot_be_opened(
    emulator: EmulatedBoard, board: Board, configured: bool
) -> None:
    """A rule of robot.yaml needs it: an error at the start. Of what was said: it is told."""

    def no_model(name: str) -> Told:
        raise ReflexarcError(expected=f"a model for {name}", found="none", remedy="train one")

    events: list[Event] = []
    nod = Reflex(event="sit_up", actions=(Gesture(name="nod"),))
    config = RobotConfig(reflexes=(nod,) if configured else ())
    frame = Frame(np.zeros((4, 4, 3), np.uint8), time.monotonic_ns(), 0, "test")
    with Robot(config, board, make_task=no_model, on_event=events.append) as robot:
        robot.controller.order(Plan(status="ok", actions=(nod, Light(color="red"))))
        if configured:
            with pytest.raises(ReflexarcError, match="a model for situps"):
                robot.see([frame])
        else:
            robot.see([frame, frame])
            failed = [event.text for event in events if event.kind == "failed"]
            assert failed == ["situps: expected a model for situps; found none; train one"]
            wait_until(emulator, lambda: emulator.status().light == (1, 0, 0), 2)
