"""Scenarios: what can be written, and what is said of what cannot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.core import ReflexarcError
from reflexarc.perception.cameras import CameraError
from reflexarc.robot.config import RobotConfig
from reflexarc.sim.movers import Mover
from reflexarc.sim.pictures import (
    PictureFolder,
    Reel,
    digit_card,
    find_all,
    write_digit_cards,
    write_picture,
)
from reflexarc.sim.scenario import (
    Move,
    Scenario,
    load_scenario,
    packaged_scenarios,
    read_scenario,
)
from reflexarc.sim.scenario_errors import ScenarioError
from reflexarc.sim.things import Box, Picture

BOARD = "name: a\nboards: {card: {at: [1, 0], pictures: [{digit: 3}]}}\n"


def test_the_packaged_scenarios_are_the_ones_of_the_show() -> None:
    names = packaged_scenarios()
    assert names == tuple(sorted(names))
    show = "cable_pull courier follower greeter obstacle order_taker trainer"
    assert set(show.split()) <= set(names)


@pytest.mark.parametrize("name", packaged_scenarios())
def test_a_packaged_scenario_and_its_robot_are_valid(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name and scenario.about
    RobotConfig.model_validate(scenario.robot)
    assert all(order.say.strip() for order in scenario.orders)
    # It can be carried in a flight log.
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario


def test_the_order_taker_takes_ten_orders_in_two_languages() -> None:
    orders = [order.say for order in load_scenario("order_taker").orders]
    chinese = sum(any("\u4e00" <= char <= "\u9fff" for char in say) for say in orders)
    assert len(orders) >= 10 and chinese >= 4 and len(orders) - chinese >= 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: a\nsecond: 3", "unknown key second .* did you mean seconds?"),
        (BOARD.replace("at:", "shwo: 1, at:"), "unknown key boards.card.shwo .* mean show?"),
        (BOARD.replace("digit", "digits"), "unknown key boards.card.pictures.0.digits .* digit?"),
        (BOARD + "events: [{at: 1, do: {unplugged: true}}]", "did you mean unplug?"),
        (
            BOARD + "events: [{when: {near: [1, 1], withn: 1}, do: {unplug: true}}]",
            "events.0.when.withn .* did you mean within?",
        ),
        ("name: a\nseconds: -3", "seconds: greater than 0; found -3"),
        ("name: a\nseconds: .nan", "seconds: .*; found nan"),
        ("name: a\nseconds: soon", "seconds: .*; found 'soon'"),
        ("name: a\nboxes: {b: {at: [0, .inf], size: [1, 1, 1]}}", "boxes.b.at.1: "),
        ("name: a\nboxes: {b: {at: [0, 0], size: [1, 0, 1]}}", "boxes.b.size.1: greater than 0"),
        ("name: Has Spaces", "name: "),
        ("boards: {}", "expected name; found nothing"),
        (BOARD.replace("digit: 3", "digit: 10"), "less than or equal to 9"),
        (BOARD.replace("digit: 3", "digit: 3, clip: x"), "exactly one of .* digit and clip"),
        (BOARD.replace("{digit: 3}", "{optional: true}"), "exactly one of .* it has none"),
        (BOARD.replace("at:", "show: 1, at:"), "pictures 0 to 0, not 1"),
        (BOARD + "events: [{at: 1, do: {show: {board: crad, picture: 0}}}]", "no board crad"),
        (BOARD + "events: [{at: 1, do: {show: {board: card, picture: 1}}}]", "pictures 0 to 0"),
        (BOARD + "events: [{at: 1, do: {show: {board: card}}}]", "picture; found nothing"),
        (BOARD + "events: [{at: 1, do: {move: {thing: x, to: [1, 1]}}}]", "is called x: card"),
        (BOARD + "events: [{at: 1, do: {}}]", "what happens is exactly one of"),
        (BOARD + "events: [{do: {unplug: true}}]", "the moment of an event is exactly one of"),
        ("name: a\norders: [{at: 1}]", "orders.0.say"),
        (
            "name: a\nboxes: {b: {at: [0, 0], size: [1, 1, 1], path: [{t: 2, at: [0, 0]},"
            " {t: 1, at: [0, 0]}]}}",
            "times rise",
        ),
        (BOARD + "boxes: {card: {at: [0, 0], size: [1, 1, 1]}}", "card is of several"),
        ("name: [", "YAML in the scenario"),
        ("3", "a mapping with a name .* found int"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as caught:
        read_scenario(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["currier", "/nowhere/at.yaml", "."])
def test_a_scenario_that_is_not_there_names_those_that_are(source: str) -> None:
    with pytest.raises(ScenarioError, match="cable_pull, courier"):
        load_scenario(source)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(ScenarioError, match=r"a\.yaml"):
        load_scenario(path)


# ---- pictures


def test_pictures_are_found_by_what_they_are(tmp_path: Path) -> None:
    grey = np.full((20, 30, 3), 100, np.uint8)
    for name in ("digit_5.png", "portrait_2.jpg", "masked_1.png", "own.png"):
        write_picture(tmp_path / name, grey)
    source = PictureFolder(tmp_path)
    for picture in (
        Picture(digit=5),
        Picture(portrait=2),
        Picture(masked=1),
        Picture(file="own.png"),
        Picture(file=str(tmp_path / "own.png")),
    ):
        reel = source(picture)
        assert reel is not None and reel.frames[0].shape == (20, 30, 3)
    assert source(Picture(digit=6)) is None
    assert PictureFolder(None)(Picture(digit=5)) is None
    blank = PictureFolder(None)(Picture(blank=(1, 0, 0.5)))
    assert blank is not None and blank.frames[0][0, 0].tolist() == [255, 0, 128]


def test_a_missing_picture_is_named_unless_it_is_optional(tmp_path: Path) -> None:
    write_picture(tmp_path / "digit_5.png", np.zeros((8, 8, 3), np.uint8))
    source = PictureFolder(tmp_path)
    pictures = [Picture(digit=5), Picture(masked=1, optional=True)]
    reels, missing = find_all(pictures, source, "board card")
    assert reels[0] is not None and reels[1] is None and missing == ["masked 1"]
    with pytest.raises(ScenarioError, match=r"clip situp, digit 7.*--pictures"):
        find_all([Picture(digit=7), Picture(clip="situp")], source, "board card")


def test_a_cut_off_picture_and_a_crop_outside_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "digit_5.png"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    write_picture(path, noise)
    source = PictureFolder(tmp_path)
    cropped = source(Picture(digit=5, crop=(10, 20, 30, 40)))
    assert cropped is not None and np.array_equal(cropped.frames[0], noise[20:60, 10:40])
    with pytest.raises(ScenarioError, match="inside 64 x 64"):
        source(Picture(digit=5, crop=(40, 0, 30, 10)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CameraError, match="whole picture"):
        source(Picture(digit=5))


def test_a_film_keeps_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "wave.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 8.0, (64, 48))
    for number in range(16):
        writer.write(np.full((48, 64, 3), number * 15, np.uint8))
    writer.release()
    reel = PictureFolder(tmp_path)(Picture(clip="wave"))
    assert reel is not None and len(reel.frames) == 16
    assert reel.ends_s[-1] == pytest.approx(2.0, abs=0.01)
    assert [reel.number_at(t) for t in (0.0, 0.12, 0.13, 1.99, 2.01)] == [0, 0, 1, 15, 0]
    twice = PictureFolder(tmp_path)(Picture(clip="wave", speed=2.0))
    assert twice is not None and twice.ends_s[-1] == pytest.approx(1.0, abs=0.01)


def test_a_still_picture_stays() -> None:
    assert Reel((np.zeros((1, 1, 3), np.uint8),), (1.0,)).number_at(1e6) == 0


def test_digit_cards_are_dark_ink_on_white(tmp_path: Path) -> None:
    images = np.zeros((20, 28, 28), np.uint8)
    images[:, 10:18, 12:16] = 255
    write_digit_cards(images, np.arange(20) % 10, tmp_path, skip=1)
    assert len(list(tmp_path.glob("digit_?.png"))) == 10
    card = digit_card(images[0])
    assert card.shape == (256, 256, 3) and card.dtype == np.uint8
    assert card[128, 128].max() < 80 and card[5, 5].min() > 240


# ---- movers


def test_a_thing_goes_evenly_along_its_path_and_waits_at_its_end() -> None:
    box = Box.model_validate(
        {
            "at": [0, 0],
            "size": [1, 1, 1],
            "path": [{"t": 1, "at": [0, 0]}, {"t": 3, "at": [2, 1], "yaw_deg": 90}],
        }
    )
    mover = Mover(box)
    assert (mover.at(0.5).x, mover.at(2).x, mover.at(2).y, mover.at(9).x) == (0, 1, 0.5, 2)
    assert np.degrees(mover.at(2).yaw) == pytest.approx(45)
    mover.send(Move(thing="b", to=(0, 1), seconds=4), 10)
    assert (mover.at(12).x, mover.at(12).y, mover.at(20).x) == (1, 1, 0)


def test_a_looped_path_begins_again() -> None:
    box = Box.model_validate(
        {"at": [0, 0], "size": [1, 1, 1], "path": [{"t": 2, "at": [2, 0]}], "loop": True}
    )
    assert [Mover(box).at(t).x for t in (0, 1, 2, 3, 4.5)] == [0, 1, 0, 1, 0.5]


def test_scenario_errors_can_be_mended_by_the_user() -> None:
    assert issubclass(ScenarioError, ReflexarcError)
