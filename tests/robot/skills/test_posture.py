"""Head and gripper on the emulated board: the pulses on its pins are what counts."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from model_robot import ModelRobot

from reflexarc.firmware_bridge import Board
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.robot.actions import Action, Gesture, Grip, Look, Repeat
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.events import Event
from reflexarc.robot.plan import Plan
from reflexarc.robot.robot import Robot

PAN, TILT, GRIPPER = range(3)


class Head:
    """A robot that does orders, and what its servos' pins have shown meanwhile."""

    def __init__(self, robot: Robot, emulator: EmulatedBoard) -> None:
        self.robot = robot
        self.emulator = emulator
        self.events: list[Event] = []
        self.news = threading.Condition()

    def hear(self, event: Event) -> None:
        with self.news:
            self.events.append(event)
            self.news.notify_all()

    def do(self, *actions: Action) -> list[tuple[float, float, float]]:
        """Every posture of the pins, in degrees, until it is done."""
        self.events.clear()
        self.robot.controller.order(Plan(status="ok", actions=actions))
        seen = []
        while self.robot.controller.has_order:
            seen.append(self.at())
            self.emulator.wait(0.01)
        self.emulator.wait(0.1)
        seen.append(self.at())
        return seen

    def at(self) -> tuple[float, float, float]:
        pan, tilt, gripper = ((us - 1500) / 10 for us in self.emulator.status().servo_us)
        return pan, tilt, gripper


@pytest.fixture
def head(emulator: EmulatedBoard, board: Board) -> Iterator[Head]:
    heads: list[Head] = []
    with Robot(RobotConfig(), board, on_event=lambda e: heads[0].hear(e)) as robot:
        heads.append(Head(robot, emulator))
        yield heads[0]


def test_looking_gripping_and_gestures_on_the_pins(head: Head) -> None:
    """One robot for all: each begins where the one before has ended."""
    assert head.do(Look(pan_deg=60, tilt_deg=-20))[-1][:2] == pytest.approx((60, -20), abs=0.5)
    assert head.do(Grip(state="open"))[-1][GRIPPER] == pytest.approx(45, abs=0.5)
    assert head.do(Grip(state="close"))[-1][GRIPPER] == pytest.approx(0, abs=0.5)
    assert head.do(Look(pan_deg=-30, tilt_deg=10))[-1][:2] == pytest.approx((-30, 10), abs=0.5)

    nod = head.do(Gesture(name="nod"))
    assert min(tilt for _, tilt, _ in nod) == pytest.approx(-10, abs=2)
    assert all(pan == pytest.approx(-30, abs=0.1) for pan, _, _ in nod)
    assert nod[-1][:2] == pytest.approx((-30, 10), abs=0.5)

    shake = head.do(Gesture(name="shake"))
    pans = [pan for pan, _, _ in shake]
    assert (min(pans), max(pans)) == pytest.approx((-55, -5), abs=2)
    assert pans.index(max(pans)) < pans.index(min(pans))
    assert shake[-1][:2] == pytest.approx((-30, 10), abs=0.5)

    wave = head.do(Gesture(name="wave"))
    assert max(tilt for _, tilt, _ in wave) == pytest.approx(25, abs=2)
    assert wave[-1][:2] == pytest.approx((-30, 10), abs=0.5)
    assert [e.kind for e in head.events] == ["started", "finished"]


@pytest.mark.parametrize(("name", "part"), [("nod", TILT), ("shake", PAN)])
def test_the_first_gesture_of_a_limp_head_is_no_twitch(head: Head, name: str, part: int) -> None:
    assert head.emulator.status().servo_us == (0, 0, 0), "limp"
    seen = [at[part] for at in head.do(Gesture.model_validate({"do": "gesture", "name": name}))]
    away = [index for index, angle in enumerate(seen) if abs(angle) > 10 and angle > -90]
    assert len(away) >= 10, "for 0.1 s at least, there and back as fast as a servo goes"
    steps = [abs(after - before) for before, after in itertools.pairwise(seen) if before > -90]
    assert max(steps) < 15, "it does not jump"


def test_gestures_in_a_row_do_not_wander_off(head: Head) -> None:
    head.do(Look())
    nods = Repeat(times=5, actions=(Gesture(name="nod"), Gesture(name="shake")))
    postures = head.do(nods)
    assert postures[-1][:2] == pytest.approx((0, 0), abs=0.5)
    dips = sum(a > -15 >= b for (_, a, _), (_, b, _) in itertools.pairwise(postures))
    assert dips == 5


def test_a_gesture_that_was_cut_off_is_made_good_by_the_next(head: Head) -> None:
    head.do(Look(tilt_deg=5))
    head.robot.controller.order(Plan(status="ok", actions=(Gesture(name="nod"),)))
    while head.at()[TILT] > -10:
        head.emulator.wait(0.005)
    head.robot.controller.stop("told to stop")
    head.emulator.wait(0.2)
    assert head.at()[TILT] == pytest.approx(-15, abs=2)
    assert head.do(Gesture(name="nod"))[-1][TILT] == pytest.approx(5, abs=0.5)


# ---- in simulated time


def test_a_head_that_hangs_nods_upwards() -> None:
    robot = ModelRobot()
    robot.order(Look(tilt_deg=-45), Gesture(name="nod"))
    highest = [-45.0]
    robot.run(3, until=lambda: highest.append(robot.board.servos["tilt"] or 0) or robot.is_idle)
    assert max(highest) == pytest.approx(-25, abs=2)
    assert robot.board.servos["tilt"] == pytest.approx(-45, abs=2)


def test_a_command_that_the_gate_leaves_out_is_said_again() -> None:
    """A new order right after another one: the gate lets 50 commands a second through."""
    robot = ModelRobot()
    robot.order(Look())
    robot.run(0.5)
    robot.order(Look(pan_deg=60))
    robot.order(Look(pan_deg=-60), Grip(state="open"))
    robot.run(3, until=lambda: robot.is_idle)
    assert [text for _, text in robot.said("finished")][-2:] == [
        "look -60°, +0°",
        "open the gripper",
    ]
    assert robot.board.servos["gripper"] == pytest.approx(45, abs=2)


def test_a_servo_that_does_not_get_there_is_given_up() -> None:
    robot = ModelRobot()
    robot.order(Look())
    robot.run(0.5)
    robot.board.set_servos = lambda angles: dict(angles)  # type: ignore[method-assign]
    robot.order(Look(pan_deg=60))
    robot.run(6)
    ((_, text),) = robot.said("failed")
    assert text.startswith("expected servos at pan +60°, tilt +0° within 5 s; found pan +0°")
