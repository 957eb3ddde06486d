"""Following somebody: a person, a camera and a rover as a plain model in simulated time.

The picture comes late, as from a real detector, and cuts off what does not fit into it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from model_robot import ModelRobot

from reflexarc.perception import Box, Detection, Observation
from reflexarc.robot.actions import Follow, Look
from reflexarc.robot.config import CameraMount
from reflexarc.robot.gate import GateState
from reflexarc.robot.skills.follow import TARGETS

WIDTH, HEIGHT = 640, 480
FOCAL = WIDTH / 2 / math.tan(math.radians(CameraMount().horizontal_fov_deg) / 2)
CAMERA_M = 0.25  # above the floor
LATE_NS = 120_000_000
SIZE = {"person": (1.75, 0.5, 0.0), "face": (0.16, 0.14, 0.2)}  # height, width, lower edge


@dataclass
class Somebody:
    """Where one stands, metres from where the rover began: x ahead, y to the left."""

    x: float
    y: float
    track: int | None = 1
    is_there: bool = True
    score: float = 0.9


class Scene:
    """A robot and those whom it may see."""

    def __init__(self, *people: Somebody, target: str = "person") -> None:
        self.people = people
        self.target = target
        self.robot = ModelRobot()
        self.x = self.y = self.heading = 0.0
        self._late: deque[Observation] = deque()
        self._frames = 0
        self._rolled = (0.0, 0.0)

    def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        for step in range(round(seconds * 100)):
            self.robot.run(0.01)
            self._roll()
            if step % 10 == 0:
                self._see()
            each()

    def _roll(self) -> None:
        now = self.robot.board.metres()
        left, right = (a - b for a, b in zip(now, self._rolled, strict=True))
        self._rolled = now
        self.heading += (right - left) / self.robot.config.geometry.wheel_separation_m
        self.x += (left + right) / 2 * math.cos(self.heading)
        self.y += (left + right) / 2 * math.sin(self.heading)

    def _see(self) -> None:
        self._frames += 1
        found = [d for person in self.people if (d := self._picture_of(person))]
        task = TARGETS[self.target].task
        now_ns = self.robot.board.now_ns
        self._late.append(Observation(now_ns, self._frames, "t", task, tuple(found)))
        while self._late and self._late[0].stamp_ns <= now_ns - LATE_NS:
            self.robot.controller.observe(self._late.popleft(), (WIDTH, HEIGHT))

    def _picture_of(self, person: Somebody) -> Detection | None:
        pan = math.radians(self.robot.board.servos["pan"] or 0.0)
        bearing = self.bearing(person) - pan
        distance = self.distance(person) * math.cos(bearing)
        if not person.is_there or math.cos(bearing) < 0.3:
            return None
        tall, wide, low = SIZE[self.target]
        middle = WIDTH / 2 - FOCAL * math.tan(bearing)
        top = HEIGHT / 2 - FOCAL * (low + tall - CAMERA_M) / distance
        bottom = HEIGHT / 2 - FOCAL * (low - CAMERA_M) / distance
        half = FOCAL * wide / distance / 2
        left, right = max(0.0, middle - half), min(WIDTH, middle + half)
        top, bottom = max(0.0, top), min(float(HEIGHT), bottom)
        if right - left < 10 or bottom - top < 20:
            return None
        box = Box(left, top, right - left, bottom - top)
        return Detection(self.target, person.score, box, person.track)

    def bearing(self, person: Somebody) -> float:
        angle = math.atan2(person.y - self.y, person.x - self.x) - self.heading
        return math.remainder(angle, 2 * math.pi)

    def distance(self, person: Somebody) -> float:
        return math.hypot(person.x - self.x, person.y - self.y)


@pytest.mark.parametrize("target", ["person", "face"])
@pytest.mark.parametrize(("x", "y"), [(3.0, 0.0), (2.5, 1.0), (2.5, -1.0), (0.6, 0.1), (4.0, 2.0)])
def test_it_comes_to_its_distance_and_centres(target: str, x: float, y: float) -> None:
    person = Somebody(x, y)
    scene = Scene(person, target=target)
    scene.robot.order(Follow(target=target))  # type: ignore[arg-type]
    scene.run(15)
    assert scene.distance(person) == pytest.approx(TARGETS[target].distance_m, abs=0.25)
    assert abs(math.degrees(scene.bearing(person))) < 6
    assert scene.robot.controller.has_order
    # And stays there.
    before = scene.robot.board.metres()
    scene.run(5)
    assert scene.robot.board.metres() == pytest.approx(before, abs=0.1)


def test_it_never_comes_too_near_on_its_way() -> None:
    """Near, a body does not fit into the picture: its height says nothing any more."""
    person = Somebody(4.0, 0.3)
    scene = Scene(person)
    scene.robot.order(Follow())
    nearest = [9.0]
    scene.run(15, lambda: nearest.append(min(nearest[-1], scene.distance(person))))
    assert nearest[-1] > 0.8


def test_it_follows_somebody_who_walks() -> None:
    person = Somebody(1.5, 0.0)
    scene = Scene(person)
    scene.robot.order(Follow())

    def walk() -> None:  # a circle of 2 m, 0.25 m/s
        angle = scene.robot.board.now_ns * 1e-9 * 0.125
        person.x, person.y = 1.5 + 2 * math.sin(angle), 2 - 2 * math.cos(angle)

    scene.run(30, walk)
    assert scene.distance(person) < 2.2
    assert abs(math.degrees(scene.bearing(person))) < 30
    assert scene.robot.gate.state is GateState.ARMED


def test_lost_to_the_side_it_turns_there_and_finds_them_again() -> None:
    person = Somebody(1.3, 0.0)
    scene = Scene(person)
    scene.robot.order(Follow())
    scene.run(3)
    person.x, person.y = 0.3, 1.2  # in one step, out of the picture to the left
    scene.run(12)
    assert abs(math.degrees(scene.bearing(person))) < 10
    progress = [text for _, text in scene.robot.said("progress")]
    assert progress == ["lost, looking around", "found again"]


def test_lost_for_good_it_gives_up_where_it_stands() -> None:
    person = Somebody(1.2, 0.0)
    scene = Scene(person)
    scene.robot.order(Follow())
    scene.run(2)
    person.is_there = False
    scene.run(16)
    ((_, text),) = scene.robot.said("failed")
    assert "none for 12 s, all around" in text
    assert scene.robot.board.order == (0, 0)
    assert math.hypot(scene.x, scene.y) < 0.1  # it turned, and drove nowhere
    assert scene.robot.gate.state is GateState.ARMED


def test_it_does_not_drive_after_a_ghost() -> None:
    """A net sees the one who has gone for as long as one looks there; at 0.07, not at 0.9."""
    person = Somebody(1.6, 0.0)
    scene = Scene(person)
    scene.robot.order(Follow())
    scene.run(1.0)
    person.x, person.score = 2.4, 0.07
    scene.run(2)
    left = scene.x
    assert "lost, looking around" in [text for _, text in scene.robot.said("progress")]
    scene.run(5)
    assert scene.x == pytest.approx(left, abs=0.02)


def test_nobody_from_the_beginning() -> None:
    scene = Scene()
    scene.robot.order(Follow())
    scene.run(15)
    assert scene.robot.said("failed")[0][1].startswith("expected a person to follow; found none")


def test_without_a_camera_it_does_not_turn_blindly() -> None:
    robot = ModelRobot()
    robot.order(Follow())
    robot.run(10)
    assert robot.said("failed") == [("failed", "no new frame")]
    assert max(map(abs, robot.board.metres())) < 0.05


def test_it_stays_with_the_one_it_has_begun_with() -> None:
    first = Somebody(1.5, 0.2, track=7)
    scene = Scene(first, Somebody(2.5, -1.0, track=8))
    scene.robot.order(Follow())
    scene.run(2)
    other = scene.people[1]
    other.x, other.y = 0.9, -0.5  # nearer now, at the picture's edge
    scene.run(6)
    assert abs(math.degrees(scene.bearing(first))) < 8


def test_another_one_only_when_the_first_is_gone_for_a_while() -> None:
    first, other = Somebody(1.3, 0.0, track=7), Somebody(2.0, 0.8, track=8)
    scene = Scene(first, other)
    scene.robot.order(Follow())
    scene.run(2)
    first.is_there = False
    scene.run(0.6)
    assert abs(math.degrees(scene.bearing(first))) < 8  # it waits
    scene.run(8)
    assert abs(math.degrees(scene.bearing(other))) < 8


def test_a_head_that_looks_aside_is_turned_back_first() -> None:
    person = Somebody(1.5, 0.8)
    scene = Scene(person)
    scene.robot.order(Look(pan_deg=40), Follow())
    scene.run(15)
    assert scene.robot.board.servos["pan"] == pytest.approx(0, abs=0.5)
    assert abs(math.degrees(scene.bearing(person))) < 6
    assert scene.distance(person) == pytest.approx(1.2, abs=0.25)


def test_the_range_sensor_goes_before_it() -> None:
    person = Somebody(3.0, 0.0)
    scene = Scene(person)
    scene.robot.order(Follow())

    def wall() -> None:
        scene.robot.board.range_m = 1.0 - scene.x

    scene.run(10, wall)
    assert 1.0 - scene.x >= 0.14
    assert scene.robot.gate.blocked.startswith("something ahead")
