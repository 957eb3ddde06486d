"""What MuJoCo really renders: the robot's view and the films. Run by test_film.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from reflexarc.perception.cameras.synthetic import Synthetic, draw_counter, read_counter
from reflexarc.sim.description import rover
from reflexarc.sim.film import Film
from reflexarc.sim.flight import STATE_S, FlightLog
from reflexarc.sim.flight_reader import Flight, FlightError
from reflexarc.sim.mjcf import CAMERA
from reflexarc.sim.movers import Place
from reflexarc.sim.pictures import PictureFolder, write_picture
from reflexarc.sim.plant import scene
from reflexarc.sim.render import Eye, RenderError, load_mujoco
from reflexarc.sim.scenario import Scenario, read_scenario
from reflexarc.sim.world import World

mujoco = load_mujoco()
SIZE = (640, 480)
TEXT = """
name: film
seconds: 10
arena: [3, 3]
boards:
  card: {at: [1.0, 0.0], yaw_deg: 180, height: 0.3, pictures: [{file: a.png}, {file: b.png}]}
"""


@pytest.fixture(scope="module", autouse=True)
def can_render() -> None:
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    try:
        Eye(model, (16, 16)).close()
    except RenderError as error:
        pytest.skip(f"nothing to render with: {error.found}")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    shot = Synthetic(size=(400, 300), pace="fast").read()
    assert shot is not None
    write_picture(folder / "a.png", draw_counter(shot.image.copy(), 111_111))
    write_picture(folder / "b.png", draw_counter(shot.image.copy(), 222_222))
    return folder


class Stage:
    """A scene that is only looked at."""

    def __init__(self, scenario: Scenario, pictures: Path) -> None:
        self.world = World(scenario, PictureFolder(pictures))
        self.model = scene(rover(), self.world).compile()
        self.data = mujoco.MjData(self.model)
        self.world.enter(self.model, self.data)
        for name, thing in scenario.movable.items():
            self.world.put(name, Place(*thing.at, math.radians(thing.yaw_deg)))
        for name, board in scenario.boards.items():
            self.world.draw(name, board.show, 0)
        self.eye = Eye(self.model, SIZE)

    def look(self, x: float = 0.0, y: float = 0.0, yaw: float = 0.0) -> np.ndarray:
        self.data.qpos[:7] = (x, y, 0, math.cos(yaw / 2), 0, 0, math.sin(yaw / 2))
        mujoco.mj_forward(self.model, self.data)
        return self.eye.see(self.data, self.model.camera(CAMERA).id, self.world.versions)


@pytest.fixture
def stage(pictures: Path) -> Iterator[Stage]:
    stage = Stage(read_scenario(TEXT), pictures)
    yield stage
    stage.eye.close()


def board_of(stage: Stage, image: np.ndarray, x: float, lean_deg: float = 0.0) -> np.ndarray:
    """The board's picture, cut out where a pinhole camera at `x` has it, in its own shape."""
    camera = stage.model.camera(CAMERA).id
    eye = stage.data.cam_xpos[camera]
    focal = SIZE[1] / 2 / math.tan(math.radians(float(stage.model.cam_fovy[camera])) / 2)
    lean = math.radians(lean_deg)

    def pixel(y: float, up: float) -> tuple[float, float]:
        point = np.array([1.0 + up * math.sin(lean), y, 0.02 + up * math.cos(lean)])
        away = point - eye
        return (SIZE[0] / 2 - focal * away[1] / away[0], SIZE[1] / 2 - focal * away[2] / away[0])

    corners = np.array([pixel(0.2, 0.3), pixel(-0.2, 0.3), pixel(-0.2, 0), pixel(0.2, 0)])
    to = np.array([[0, 0], [400, 0], [400, 300], [0, 300]])
    turn = cv2.getPerspectiveTransform(corners.astype(np.float32), to.astype(np.float32))
    return np.asarray(cv2.warpPerspective(image, turn, (400, 300)))


def test_the_robot_sees_a_board_where_geometry_has_it(stage: Stage) -> None:
    for x in (0.0, 0.3):
        seen = board_of(stage, stage.look(x, 0.0), x)
        assert read_counter(seen) == 111_111


def test_a_board_that_leans_back_is_still_there(pictures: Path) -> None:
    leaning = TEXT.replace("height: 0.3", "height: 0.3, lean_deg: 20")
    stage = Stage(read_scenario(leaning), pictures)
    assert read_counter(board_of(stage, stage.look(), 0, lean_deg=20)) == 111_111
    stage.eye.close()


def test_a_board_shows_another_picture_and_nothing(stage: Stage) -> None:
    stage.world.draw("card", 1, 0)
    assert read_counter(board_of(stage, stage.look(), 0)) == 222_222
    stage.world.draw("card", None, 0)
    blank = board_of(stage, stage.look(), 0)[30:-30, 30:-30]
    assert blank.reshape(-1, 3).std(axis=0).max() < 6


def test_the_robots_eye_does_not_see_what_is_for_films(pictures: Path) -> None:
    scenario = read_scenario(TEXT)
    plain = World(scenario, PictureFolder(pictures))
    shown = World(scenario, PictureFolder(pictures), captions=True)
    images = []
    for world in (plain, shown):
        model = scene(rover(), world).compile()
        data = mujoco.MjData(model)
        world.enter(model, data)
        # From behind the board, where the caption lies.
        data.qpos[:7] = (2.2, 0, 0, 0, 0, 0, 1)
        mujoco.mj_forward(model, data)
        with Eye(model, SIZE) as eye:
            images.append(eye.see(data, model.camera(CAMERA).id))
    assert np.array_equal(*images)


def test_two_eyes_of_one_model_both_see_what_has_changed(stage: Stage) -> None:
    with Eye(stage.model, SIZE) as other:
        for number, picture in ((222_222, 1), (111_111, 0)):
            stage.world.draw("card", picture, 0)
            first = stage.look()
            second = other.see(stage.data, stage.model.camera(CAMERA).id, stage.world.versions)
            assert np.array_equal(first, second)
            assert read_counter(board_of(stage, first, 0)) == number


# ---- films


@pytest.fixture
def flight(pictures: Path, tmp_path: Path) -> Flight:
    """Two seconds: from the origin 0.5 m ahead; at 1 s the card changes and steps aside."""
    scenario = read_scenario(TEXT)
    world = World(scenario, PictureFolder(pictures))
    nq = scene(rover(), world).compile().nq
    path = tmp_path / "flight.jsonl"
    with FlightLog(path) as log:
        log.write("start", 0.0, scenario=scenario.model_dump(mode="json"), pictures=str(pictures))
        log.write("thing", 0.0, name="card", x=1.0, y=0.0, yaw=math.pi)
        log.write("picture", 0.0, board="card", picture=0, frame=0)
        for step in range(101):
            t = step * STATE_S
            x = min(0.5, 0.5 * t)
            qpos = [x, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0] + [0.0] * (nq - 7)
            _state(log, t, x, qpos)
            if step == 50:
                log.write("thing", t, name="card", x=1.0, y=0.8, yaw=math.pi)
                log.write("picture", t, board="card", picture=1, frame=0)
    return Flight.read(path)


def _state(log: FlightLog, t: float, x: float, qpos: list[float]) -> None:
    values: dict[str, Any] = {
        "mono_ns": round(t * 1e9),
        "pose": (x, 0.0, 0.0),
        "wheel_speed": (0.5, 0.5),
        "duty": (0, 0),
        "encoder": (0, 0),
        "servo_us": (0.0, 0.0, 0.0),
        "light": (0, 0, 0) if t < 1 else (1, 0, 0),
        "range_m": None,
        "battery_v": 7.4,
        "bump": False,
        "resets": 0,
        "plugged": True,
        "qpos": qpos,
    }
    log.write("state", t, **values)


def changed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int)).max(axis=2) > 30


def test_a_film_shows_the_robot_drive_and_its_track(flight: Flight) -> None:
    with Film(flight, (480, 360)) as film:
        first, later = film.at(0.0), film.at(0.9)
        rows, columns = np.nonzero(changed(first, later))
        assert len(rows) > 100
        # From above, x is to the right: only that strip has changed.
        assert 150 < columns.min() < columns.max() < 400 and np.ptp(rows) < 80
        assert np.array_equal(film.at(0.0), first)  # also backwards


def test_a_film_shows_what_boards_showed_then(flight: Flight) -> None:
    with Film(flight, (480, 360)) as film:
        before, after = film.at(0.98, "chase"), film.at(1.04, "chase")
        assert changed(before, after).mean() > 0.02  # the card has gone aside
        again = film.at(0.98, "chase")
        assert np.array_equal(before, again)


def test_a_films_frames_are_evenly_spaced(flight: Flight) -> None:
    with Film(flight, (160, 120)) as film:
        frames = list(film.frames("top", fps=5))
    assert len(frames) == 11 and frames[0].shape == (120, 160, 3)
    assert changed(frames[0], frames[4]).any()


def test_nothing_cannot_be_filmed(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with pytest.raises(FlightError, match="no states"):
        Film(Flight.read(tmp_path / "empty"))
