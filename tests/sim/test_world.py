"""What happens around the robot: things move, boards change, events come at their moment.

Nothing is rendered here; the plant is the real one, stepped as fast as it goes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mujoco")

from reflexarc.firmware_bridge.build import FirmwareImage
from reflexarc.firmware_bridge.emulator import EmulatedBoard
from reflexarc.sim.mjcf import TIMESTEP_S
from reflexarc.sim.pictures import PictureFolder, write_picture
from reflexarc.sim.plant import Plant
from reflexarc.sim.scenario import Do, Near, read_scenario
from reflexarc.sim.scenario_errors import ScenarioError
from reflexarc.sim.world import Body, World, is_true


class Life:
    """A world with a plant in it, and all that it has reported."""

    def __init__(self, board: EmulatedBoard, text: str, pictures: Path | None, held: bool) -> None:
        self.lines: list[dict[str, Any]] = []
        self.acts: list[Do] = []
        scenario = read_scenario(f"name: test\n{text}")
        self.world = World(
            scenario, PictureFolder(pictures), report=self._report, act=self.acts.append
        )
        if held:
            self.world.hold()
        self.plant = Plant(board, surroundings=self.world)

    def _report(self, kind: str, t: float, **values: Any) -> None:
        self.lines.append({"kind": kind, "t": t, **values})

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TIMESTEP_S)):
            self.plant.step()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]

    def at(self, name: str) -> tuple[float, float]:
        x, y, _ = self.plant.data.body(name).xpos
        return float(x), float(y)

    def colour(self, board: str) -> list[int]:
        """The mean of the texture on a board."""
        model = self.plant.model
        texture = model.texture(board).id
        begin = int(model.tex_adr[texture])
        size = int(model.tex_height[texture] * model.tex_width[texture] * 3)
        pixels = model.tex_data[begin : begin + size].reshape(-1, 3)
        return [round(value) for value in pixels.mean(axis=0)]


Live = Callable[..., Life]


@pytest.fixture
def live(firmware: FirmwareImage) -> Iterator[Live]:
    with contextlib.ExitStack() as stack:

        def make(text: str, pictures: Path | None = None, held: bool = False) -> Life:
            board = stack.enter_context(EmulatedBoard(firmware, speed=0))
            return Life(board, text, pictures, held)

        yield make


def test_things_move_along_their_paths(live: Live) -> None:
    life = live(
        "boxes: {crate: {at: [1, 1], size: [0.1, 0.1, 0.1],"
        " path: [{t: 0.1, at: [1, 1]}, {t: 0.5, at: [1, 0.2], yaw_deg: 90}]}}"
    )
    assert life.at("crate") == (1, 1)
    life.run(0.32)
    assert life.at("crate") == pytest.approx((1, 0.6), abs=0.05)
    life.run(0.4)
    assert life.at("crate") == pytest.approx((1, 0.2))
    last = life.of("thing")[-1]
    assert (last["x"], last["y"], last["yaw"]) == pytest.approx((1, 0.2, math.pi / 2))
    assert last["t"] == pytest.approx(0.5, abs=0.011)


def test_events_come_at_their_time_and_those_for_the_robot_are_passed_on(live: Live) -> None:
    life = live(
        "boards: {card: {at: [1, 0], pictures: [{blank: [1, 0, 0]}, {blank: [0, 0, 1]}]}}\n"
        "events:\n"
        "- {at: 0.3, do: {unplug: true}}\n"
        "- {at: 0.1, do: {show: {board: card, picture: 1}}}\n"
        "- {at: 0.2, do: {show: {board: card, picture: null}}}\n"
        "- {at: 0.1, do: {move: {thing: card, to: [2, 0], seconds: 0.1}}}\n"
    )
    assert life.colour("card") == [255, 0, 0]
    life.run(0.15)
    assert life.colour("card") == [0, 0, 255]
    assert life.at("card")[0] == pytest.approx(1.5, abs=0.1)
    life.run(0.2)
    assert life.colour("card") == [206, 202, 194] and life.at("card") == (2, 0)
    assert life.acts == [Do(unplug=True)]
    happened = [(round(line["t"], 2), next(iter(line["do"]))) for line in life.of("event")]
    assert happened == [(0.1, "show"), (0.1, "move"), (0.2, "show"), (0.3, "unplug")]
    pictures = [(line["picture"], line["frame"]) for line in life.of("picture")]
    assert pictures == [(0, 0), (1, 0), (None, 0)]


def test_events_that_wait_for_the_robot_come_in_their_order(live: Live) -> None:
    life = live(
        "boards: {card: {at: [3, 0], pictures: [{blank: [1, 0, 0]}, {blank: [0, 0, 1]}]}}\n"
        "events:\n"
        "- {when: {near: [1, 0], within: 0.1, facing_deg: 90, still_s: 0.2},"
        " do: {show: {board: card, picture: 1}}}\n"
        "- {when: {near: [0, 0]}, do: {show: {board: card, picture: 0}}}\n"
    )
    life.run(0.5)
    assert not life.of("event")  # the second one's place, but it is not its turn
    life.plant.place(1, 0.05, 0)
    life.run(0.5)
    assert not life.of("event")  # there, but facing elsewhere
    life.plant.place(1, 0.05, math.radians(80 - 360))
    life.run(0.1)
    assert len(life.of("event")) == 1
    life.plant.place(0, 0, 0)
    life.run(0.1)
    assert [line["do"]["show"]["picture"] for line in life.of("event")] == [1, 0]


@pytest.mark.parametrize(
    ("when", "t", "body", "holds"),
    [
        (Near(near=(1, 0), within=0.1), 0, Body(1.09, 0), True),
        (Near(near=(1, 0), within=0.1), 0, Body(1.09, 0.09), False),
        (Near(facing_deg=180, within_deg=10), 0, Body(yaw=math.radians(-175)), True),
        (Near(facing_deg=180, within_deg=10), 0, Body(yaw=math.radians(165)), False),
        (Near(facing_deg=270, within_deg=10), 0, Body(yaw=math.radians(-85)), True),
        (Near(still_s=1.0), 5, Body(still_s=0.9), False),
        (Near(still_s=1.0), 5, Body(still_s=1.0), True),
        (Near(not_before=5.0), 4.9, Body(), False),
    ],
)
def test_when_it_has_come_so_far(when: Near, t: float, body: Body, holds: bool) -> None:
    assert is_true(when, t, body) is holds


def test_a_world_that_is_held_begins_when_it_is_told(live: Live) -> None:
    life = live(
        "boxes: {crate: {at: [1, 1], size: [0.1, 0.1, 0.1],"
        " path: [{t: 0, at: [1, 1]}, {t: 0.2, at: [1, 0]}]}}\n"
        "events: [{at: 0.1, do: {unplug: true}}]",
        held=True,
    )
    life.run(0.5)
    assert life.at("crate") == (1, 1) and not life.acts and life.world.began_at is None
    assert life.world.go(0.5) == 0.5
    life.run(0.06)
    assert not life.acts and life.at("crate")[1] == pytest.approx(0.75, abs=0.06)
    life.run(0.05)
    assert life.acts and life.of("event")[-1]["t"] == pytest.approx(0.6, abs=0.011)
    assert life.world.go(0.7) == 0.5  # once is enough


def test_a_film_plays_at_its_own_speed_in_simulated_time(live: Live, tmp_path: Path) -> None:
    import cv2

    writer = cv2.VideoWriter(
        str(tmp_path / "wave.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48)
    )
    for number in range(5):
        writer.write(np.full((48, 64, 3), number * 50, np.uint8))
    writer.release()
    life = live("boards: {card: {at: [1, 0], pictures: [{clip: wave}]}}", tmp_path)
    life.run(0.65)
    shown = life.of("picture")
    assert [line["frame"] for line in shown] == [0, 1, 2, 3, 4, 0, 1]
    assert [line["t"] for line in shown] == pytest.approx(np.arange(7) / 10, abs=0.011)
    assert life.colour("card") == pytest.approx([50, 50, 50], abs=10)


def test_a_solid_board_stops_the_range_beam_and_another_does_not(live: Live) -> None:
    for solid, distance in (("true", 0.91), ("false", None)):
        life = live(
            f"boards: {{card: {{at: [1, 0], yaw_deg: 180, solid: {solid},"
            " pictures: [{blank: [1, 1, 1]}]}}"
        )
        life.run(0.1)
        assert life.plant.range_m == (
            None if distance is None else pytest.approx(distance, abs=0.02)
        )


def test_the_robot_runs_into_a_box_and_is_pushed_by_one(live: Live) -> None:
    life = live(
        "boxes: {crate: {at: [0.5, 0], size: [0.1, 0.4, 0.2],"
        " path: [{t: 0.2, at: [0.5, 0]}, {t: 2.2, at: [0.05, 0]}]}}"
    )
    life.run(1.2)
    assert not life.plant.bump and abs(life.plant.pose.x) < 0.005
    life.run(1.0)
    assert life.plant.bump and life.plant.pose.x < -0.05


def test_what_cannot_happen_here_is_refused(live: Live) -> None:
    life = live("boxes: {crate: {at: [1, 1], size: [0.1, 0.1, 0.1]}}")
    with pytest.raises(ValueError, match="no board card: there is none"):
        life.world.do(Do.model_validate({"show": {"board": "card", "picture": 0}}), 0.0)
    assert not life.of("event")


def test_missing_pictures_stop_it_before_the_chip_is_started(tmp_path: Path) -> None:
    scenario = read_scenario("name: a\nboards: {card: {at: [1, 0], pictures: [{digit: 3}]}}")
    with pytest.raises(ScenarioError, match="pictures for board card of a: digit 3"):
        World(scenario, PictureFolder(tmp_path))
    write_picture(tmp_path / "digit_3.png", np.zeros((8, 8, 3), np.uint8))
    assert World(scenario, PictureFolder(tmp_path)).missing == []
