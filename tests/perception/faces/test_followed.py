"""Faces in a video: numbers that stay, and how often the whole picture is looked at."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reflexarc.perception import Frame
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path
from reflexarc.perception.tasks.faces.blazeface import BlazeFace
from reflexarc.perception.tasks.faces.face import Face, Square
from reflexarc.perception.tasks.faces.followed import SEARCH_EVERY, Faces

Image = npt.NDArray[np.uint8]
Scene = Callable[..., Frame]


class Counting:
    """The real net, and how often it was asked."""

    def __init__(self, net: BlazeFace) -> None:
        self._net = net
        self.wide = self.near = 0

    def look(self, image: Image, square: Square | None, min_score: float) -> list[Face]:
        self.wide += square is None
        self.near += square is not None
        return self._net.look(image, square, min_score)


@pytest.fixture(scope="module")
def net() -> BlazeFace:
    return BlazeFace(load_model(default_model_path("faces_short"), "cpu"))


@pytest.fixture
def counting(net: BlazeFace) -> Counting:
    return Counting(net)


@pytest.fixture(scope="module")
def far() -> BlazeFace:
    """For smaller faces than `net` finds in a whole picture."""
    return BlazeFace(load_model(default_model_path("faces_full"), "cpu"))


def faces(net: Any, *wide: Any, **options: Any) -> Faces:
    return Faces(wide or [net], net, **{"people": 5, "min_score": 0.5, **options})


def tracks(follower: Faces, frames: Iterator[Frame] | list[Frame]) -> list[list[int]]:
    return [
        sorted(known.track for known in follower.update(f.image, f.stamp_ns, f.source))
        for f in frames
    ]


def moving(scene: Scene, face: Image, count: int, start: int = 0) -> Iterator[Frame]:
    """A face that goes in circles, 12 px a frame, nearer and farther."""
    for seq in range(start, start + count):
        side = round(150 + 40 * math.sin(seq / 9))
        x, y = round(240 + 130 * math.cos(seq / 11)), round(140 + 100 * math.sin(seq / 11))
        yield scene(seq, (face, x, y, side))


def test_a_moving_face_keeps_its_number_and_is_looked_for_where_it_was(
    portraits: list[Image], scene: Scene, counting: Counting
) -> None:
    said = tracks(faces(counting), moving(scene, portraits[0], 100))
    assert said == [[1]] * 100
    assert counting.wide == 100 / SEARCH_EVERY
    # One look a frame, and the close look at what the first one found.
    assert 100 <= counting.near <= 110


def test_alone_and_followed_it_is_never_looked_for_elsewhere(
    portraits: list[Image], scene: Scene, counting: Counting
) -> None:
    tracks(faces(counting, people=1), moving(scene, portraits[0], 60))
    assert counting.wide == 1


def test_the_place_is_right_all_along(portraits: list[Image], scene: Scene, net: BlazeFace) -> None:
    follower = faces(net)
    for seq, frame in enumerate(moving(scene, portraits[0], 60)):
        (known,) = follower.update(frame.image, frame.stamp_ns, frame.source)
        side = round(150 + 40 * math.sin(seq / 9))
        x = 240 + 130 * math.cos(seq / 11) + side / 2
        y = 140 + 100 * math.sin(seq / 11) + side / 2
        # The middle of a portrait is about the nose, which is inside the box.
        assert abs(known.face.x - x) < 0.2 * side
        assert abs(known.face.y - y) < 0.25 * side


def test_a_new_face_is_found_within_the_search_interval(
    portraits: list[Image], scene: Scene, counting: Counting
) -> None:
    one = (portraits[0], 60, 140, 210)
    two = (portraits[1], 400, 140, 210)
    frames = [scene(i, one) for i in range(7)]
    frames += [scene(i, one, two) for i in range(7, 7 + SEARCH_EVERY)]
    assert tracks(faces(counting), frames)[-1] == [1, 2]


def test_with_a_search_in_each_frame_no_face_is_late(
    portraits: list[Image], scene: Scene, net: BlazeFace
) -> None:
    one, two = (portraits[0], 60, 140, 210), (portraits[1], 400, 140, 210)
    frames = [scene(0, one), scene(1, one), scene(2, one, two)]
    assert tracks(faces(net, search_every=1), frames) == [[1], [1], [1, 2]]


def test_neighbours_do_not_exchange_numbers(
    portraits: list[Image], scene: Scene, net: BlazeFace, far: BlazeFace
) -> None:
    follower = faces(net, far)
    for seq in range(60):
        apart = round(150 + 60 * math.cos(seq / 8))
        frame = scene(
            seq,
            (portraits[0], 250 - apart, 140, 140),
            (portraits[1], 250 + apart, 180, 140),
        )
        seen = follower.update(frame.image, frame.stamp_ns, frame.source)
        assert [k.track for k in sorted(seen, key=lambda k: k.face.x)] in ([1, 2], [2, 1])
        if seq == 0:
            first = [k.track for k in sorted(seen, key=lambda k: k.face.x)]
    assert [k.track for k in sorted(seen, key=lambda k: k.face.x)] == first


def test_no_more_than_wanted(
    portraits: list[Image], scene: Scene, net: BlazeFace, far: BlazeFace
) -> None:
    places = [(portraits[i], 20 + 210 * i, 150, 180) for i in range(3)]
    frames = [scene(i, *places) for i in range(8)]
    assert {len(t) for t in tracks(faces(net, far, people=2), frames)} == {2}
    assert len(tracks(faces(net, far), frames)[-1]) == 3


def test_who_comes_back_soon_has_the_old_number_and_later_a_new_one(
    portraits: list[Image], scene: Scene, net: BlazeFace
) -> None:
    place = (portraits[0], 240, 140, 180)
    follower = faces(net)
    assert tracks(follower, [scene(0, place)]) == [[1]]
    assert tracks(follower, [scene(i) for i in range(1, 10)]) == [[]] * 9
    assert tracks(follower, [scene(10, place)]) == [[1]]
    assert tracks(follower, [scene(i) for i in range(11, 50)])[-1] == []
    assert tracks(follower, [scene(50, place)]) == [[2]]


def test_another_picture_is_another_scene(
    portraits: list[Image], scene: Scene, net: BlazeFace
) -> None:
    place = (portraits[0], 240, 140, 180)
    follower = faces(net)
    frames = [scene(i, place, source=f"{i}.jpg") for i in range(3)]
    assert tracks(follower, frames) == [[1], [2], [3]]


def test_frames_that_change_their_size(portraits: list[Image], net: BlazeFace) -> None:
    follower = faces(net)
    small = np.ascontiguousarray(portraits[0])
    large = np.full((480, 640, 3), 90, np.uint8)
    assert len(follower.update(small, 0, "a")) == 1
    assert follower.update(large, 1, "a") == []
    assert follower.update(np.zeros((2, 3, 3), np.uint8), 2, "a") == []
    assert len(follower.update(small, 3, "a")) == 1
